from pathlib import Path
from typing import Any

import pytest

from headrace.lst import ListRow, split_list, write_lst
from headrace.manifest import (
    ManifestError,
    Selection,
    filter_manifest,
    merge_manifests,
    read_manifest,
    split_manifest,
)
from tests.headrace.lst.lists import find_real
from tests.headrace.manifest.manifests import make_box, make_boxes, make_image, read, write

IMAGES = [make_image(f"{number}.jpg", number % 2) for number in range(100)]


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    return write(tmp_path / "all.manifest", *IMAGES)


def split(path: Path, **options: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    train, validation = path.with_name("train.manifest"), path.with_name("validation.manifest")
    split_manifest(path, train, validation, **options)
    return read(train), read(validation)


def test_puts_every_line_into_one_part_in_its_order(everything: Path) -> None:
    train, validation = split(everything)

    assert [image for image in IMAGES if image not in validation] == train
    assert [image for image in IMAGES if image not in train] == validation


def test_divides_the_same_way_with_the_same_seed_only(everything: Path) -> None:
    assert split(everything, seed=1) == split(everything, seed=1)
    assert split(everything, seed=1) != split(everything, seed=2)


def test_holds_out_the_ratio_of_each_label_when_stratified(everything: Path) -> None:
    _, validation = split(everything, stratify_by="class", ratio=0.3)

    assert [sum(image["class"] == label for image in validation) for label in (0, 1)] == [15, 15]


def test_keeps_groups_together(everything: Path) -> None:
    train, validation = split(everything, group_by=r"(\d)\.jpg")

    groups = [{image["source-ref"][-5] for image in part} for part in (train, validation)]
    assert groups[0]
    assert groups[1]
    assert not groups[0] & groups[1]


def test_divides_as_lists_are_divided(tmp_path: Path, everything: Path) -> None:
    write_lst(tmp_path / "all.lst", [ListRow(n, 0, image["source-ref"]) for n, image in enumerate(IMAGES)])
    split_list(tmp_path / "all.lst", tmp_path / "train.lst", tmp_path / "validation.lst", seed=3)

    _, validation = split(everything, seed=3)

    listed = (tmp_path / "validation.lst").read_text().splitlines()
    assert [image["source-ref"] for image in validation] == [line.split("\t")[2] for line in listed]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"ratio": 1}, "the validation ratio is 1"), ({"group_by": "("}, r"'\(' is not a regular expression")],
)
def test_refuses_to_split_by_what_it_cannot(everything: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        split(everything, **options)


def test_copies_lines_of_a_real_manifest_as_they_are(tmp_path: Path) -> None:
    real = find_real("bird_object_detection.manifest")

    split_manifest(real, tmp_path / "train", tmp_path / "validation", stratify_by="category")

    parts = (tmp_path / "train").read_bytes() + (tmp_path / "validation").read_bytes()
    assert sorted(parts.splitlines()) == sorted(real.read_bytes().splitlines())


def test_merges_manifests_and_leaves_out_what_is_there(tmp_path: Path) -> None:
    first = write(tmp_path / "1.manifest", IMAGES[0], IMAGES[1])
    second = write(tmp_path / "2.manifest", IMAGES[1], IMAGES[2])

    merge_manifests([first, second], tmp_path / "all.manifest")

    assert read(tmp_path / "all.manifest") == IMAGES[:3]


def test_refuses_to_merge_what_disagrees(tmp_path: Path) -> None:
    first = write(tmp_path / "1.manifest", make_image("a.jpg", 0))
    second = write(tmp_path / "2.manifest", make_image("a.jpg", 1))

    with pytest.raises(ManifestError, match=r"2\.manifest, line 1: describes s3://raw/a\.jpg otherwise than .*line 1"):
        merge_manifests([first, second], tmp_path / "all.manifest")

    assert not (tmp_path / "all.manifest").exists()


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, "abcd"),
        ({"labels": frozenset({"cat"})}, "a"),
        ({"labels": frozenset({"1", "cat"})}, "ac"),
        ({"source": "/[ab]"}, "ab"),
        ({"least_confidence": 0.5}, "acd"),
        ({"labelled": True}, "abc"),
        ({"labelled": True, "least_confidence": 0.5}, "ac"),
    ],
)
def test_keeps_lines_to_which_all_applies(tmp_path: Path, options: dict[str, Any], kept: str) -> None:
    records = [
        make_image("a", 0, **{"class-name": "cat", "confidence": 0.9}),
        make_image("b", 2, confidence=0.1),
        make_image("c", 1),
        {"source-ref": "s3://raw/d", "class-metadata": {"failure-reason": "lost"}},
    ]
    path = write(tmp_path / "all.manifest", *records)

    count = filter_manifest(path, tmp_path / "some.manifest", Selection(**options))

    assert "".join(record.source[-1] for record in read_manifest(tmp_path / "some.manifest")) == kept
    assert count == len(kept)


def test_selects_boxes_by_the_names_of_their_classes(tmp_path: Path) -> None:
    path = write(tmp_path / "all.manifest", make_boxes(make_box()), make_boxes())

    assert filter_manifest(path, tmp_path / "cars.manifest", Selection(labels=frozenset({"car"}))) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attribute": "nosuch"}, "no line has the label 'nosuch'; name an existing one"),
        ({"labels": frozenset({"0", "nosuch"})}, "no line has the class nosuch; there are 0, 1"),
        ({"source": "nosuch"}, "'nosuch' matches no source"),
        ({"least_confidence": 0.5}, "no line has a confidence"),
    ],
)
def test_refuses_to_filter_by_what_no_line_has(everything: Path, options: dict[str, Any], message: str) -> None:
    output = everything.with_name("some.manifest")

    with pytest.raises(ManifestError, match=message):
        filter_manifest(everything, output, Selection(**options))

    assert not output.exists()


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_refuses_a_confidence_that_is_none(confidence: float) -> None:
    with pytest.raises(ManifestError, match="expected a number from 0 to 1"):
        Selection(least_confidence=confidence)


def test_selects_boxes_by_the_numbers_of_their_classes(tmp_path: Path) -> None:
    path = write(tmp_path / "all.manifest", make_boxes(make_box()), make_boxes())

    assert filter_manifest(path, tmp_path / "cars.manifest", Selection(labels=frozenset({"0"}))) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stratify_by": "nosuch"}, "no line has the label 'nosuch'"),
        ({"stratify_by": "source-ref"}, "'source-ref' is the source of each line, not a label"),
        ({"stratify_by": "id"}, "nothing could be held out: each value of id stands on one line"),
        ({"group_by": "nosuch"}, "'nosuch' matches no source, so there are no groups"),
        ({"group_by": "s3"}, "nothing could be held out: 's3' puts all lines into one group"),
    ],
)
def test_refuses_to_divide_by_what_divides_nothing(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "all.manifest", *({**image, "id": f"id{n}"} for n, image in enumerate(IMAGES)))

    with pytest.raises(ManifestError, match=message):
        split(path, **options)

    assert [file.name for file in tmp_path.iterdir()] == ["all.manifest"]


def test_counts_lines_that_have_no_group_and_no_label(tmp_path: Path) -> None:
    path = write(tmp_path / "all.manifest", *IMAGES, {"source-ref": "s3://raw/other"})

    division = split_manifest(path, tmp_path / "t", tmp_path / "v", group_by=r"(\d)\.jpg", stratify_by="class")

    assert (division.ungrouped, division.unlabelled) == (1, 1)
    assert division.train + division.validation == 101


def test_divides_into_three_parts(everything: Path) -> None:
    parts = [everything.with_name(f"{name}.manifest") for name in ("train", "validation", "test")]

    division = split_manifest(
        everything, parts[0], parts[1], test=parts[2], ratio=0.2, test_ratio=0.1, stratify_by="class"
    )

    assert (division.train, division.validation, division.test) == (70, 20, 10)
    assert sorted(image["source-ref"] for part in parts for image in read(part)) == sorted(
        image["source-ref"] for image in IMAGES
    )


def test_holds_out_the_same_for_validation_with_and_without_a_test(everything: Path) -> None:
    _, validation = split(everything)
    _, again = split(everything, test=everything.with_name("test.manifest"), test_ratio=0.3)

    assert validation == again
    assert read(everything.with_name("test.manifest"))


def test_refuses_ratios_that_leave_nothing_to_train_with(everything: Path) -> None:
    with pytest.raises(ManifestError, match="leave nothing to train with"):
        split(everything, test=everything.with_name("test.manifest"), ratio=0.5)


def test_merges_a_manifest_with_itself_into_one(tmp_path: Path, everything: Path) -> None:
    merge_manifests([everything, everything], tmp_path / "merged.manifest")

    assert read(tmp_path / "merged.manifest") == IMAGES


def test_refuses_a_selection_that_is_no_regular_expression() -> None:
    with pytest.raises(ManifestError, match="is not a regular expression"):
        Selection(source="[")
