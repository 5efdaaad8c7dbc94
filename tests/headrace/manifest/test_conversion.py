import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.lst import ListRow, make_lists_of, read_any_lst, read_lst, write_lst
from headrace.lst.making import name_folders
from headrace.lst.paths import find_stray
from headrace.manifest import (
    BadBoxes,
    ManifestError,
    check_manifest,
    convert_coco,
    convert_folders,
    convert_list,
    convert_to_coco,
    convert_to_list,
    expand_manifest,
)
from headrace.recordio import ImageFile, load_images, write_images
from tests.headrace.lst.lists import find_real
from tests.headrace.manifest.manifests import make_box, make_boxes, make_image, read, write

PREFIX = "s3://raw/images/"
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\t\r\n\ufeff"), min_size=1).filter(
    lambda name: name.strip() and not find_stray(name)
)
SIDES = st.integers(1, 40)
COCO = {
    "images": [{"id": 9, "file_name": "a.jpg", "width": 100, "height": 50}],
    "annotations": [
        {"id": 1, "image_id": 9, "category_id": 7, "bbox": [1, 2, 30, 40], "area": 1200, "iscrowd": 0},
        {"id": 2, "image_id": 9, "category_id": 3, "bbox": [0, 0, 100, 50], "area": 5000, "iscrowd": 1},
    ],
    "categories": [{"id": 7, "name": "dog"}, {"id": 3, "name": "car"}],
}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


def write_json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def test_expands_keys_and_adds_labels(tmp_path: Path, output: Path) -> None:
    path = write_json(tmp_path / "images.json", [{"prefix": PREFIX}, "a.jpg", "b.jpg"])

    expand_manifest(path, output, {"a.jpg": 0, "b.jpg": 1})

    assert read(output) == [
        {"source-ref": f"{PREFIX}a.jpg", "class": 0},
        {"source-ref": f"{PREFIX}b.jpg", "class": 1},
    ]


def test_expands_keys_without_labels(tmp_path: Path, output: Path) -> None:
    expand_manifest(write_json(tmp_path / "images.json", [{"prefix": PREFIX}, "a.jpg"]), output)

    assert read(output) == [{"source-ref": f"{PREFIX}a.jpg"}]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, 'expected an array that starts with {"prefix": "s3://bucket/prefix/"}'),
        ([], "expected an array that starts"),
        ([{"prefix": "raw/"}, "a"], "expected an array that starts"),
        ([{"prefix": PREFIX}], "no key follows the prefix"),
        ([{"prefix": PREFIX}, "a", 5], "key 2: 5 with its prefix is not the S3 address of an object"),
        ([{"prefix": PREFIX}, "a", "c"], "key 2: c has no label"),
    ],
)
def test_refuses_a_traditional_manifest_that_is_wrong(tmp_path: Path, output: Path, value: Any, message: str) -> None:
    path = tmp_path / "images.json"
    write_json(path, value)

    with pytest.raises(ManifestError) as raised:
        expand_manifest(path, output, {"a": 0})

    assert message in str(raised.value)
    assert not output.exists()


@given(st.dictionaries(NAMES, st.tuples(st.integers(0, 2**53), st.integers(0, 99)), max_size=5))
def test_turns_lists_into_manifests_and_back(
    tmp_path_factory: pytest.TempPathFactory, images: dict[str, tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("lists")
    by_index = {index: (label, name) for name, (index, label) in images.items()}
    rows = [ListRow(index, label, name) for index, (label, name) in by_index.items()]
    write_lst(folder / "before.lst", rows)

    convert_list(folder / "before.lst", PREFIX, folder / "all.manifest")
    convert_to_list(folder / "all.manifest", PREFIX, folder / "after.lst")

    assert read_lst(folder / "after.lst") == rows


@pytest.mark.parametrize(
    "rows",
    [
        "7\t1\t0\t1\ta.jpg\n8\t0\t0\t1\tb.jpg\n",
        "7\t0.75\ta.jpg\n8\t1\tb.jpg\n9\t-0.5\tc.jpg\n",
        "18446744073709551615\t1\ta.jpg\n",
    ],
    ids=["several labels", "numbers", "index of 64 bits"],
)
def test_turns_lists_of_other_kinds_into_manifests_and_back(tmp_path: Path, output: Path, rows: str) -> None:
    (tmp_path / "before.lst").write_text(rows)

    convert_list(tmp_path / "before.lst", PREFIX, output)
    convert_to_list(output, PREFIX, tmp_path / "after.lst")

    assert (tmp_path / "after.lst").read_text() == rows


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 639), st.integers(0, 479), SIDES, SIDES), min_size=1, max_size=6
    )
)
def test_turns_boxes_into_lists_and_back(
    tmp_path_factory: pytest.TempPathFactory, boxes: list[tuple[int, int, int, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("boxes")
    annotations = [
        {"class_id": label, "left": left, "top": top, "width": min(width, 640 - left), "height": min(height, 480 - top)}
        for label, left, top, width, height in boxes
    ]
    record = {"source-ref": f"{PREFIX}a.jpg", "box": make_boxes()["box"], "index": 7}
    record["box"] = {"image_size": [{"width": 640, "height": 480, "depth": 3}], "annotations": annotations}

    convert_to_list(write(folder / "before.manifest", record), PREFIX, folder / "boxes.lst", "box")
    convert_list(folder / "boxes.lst", PREFIX, folder / "after.manifest", "box")

    assert read(folder / "after.manifest") == [record]
    (row,) = read_any_lst(folder / "boxes.lst")
    assert row.labels[:4] == (4, 5, 640, 480)
    assert len(row.labels) == 4 + 5 * len(boxes)


def test_packs_boxes_of_a_manifest_as_a_detection_algorithm_reads_them(tmp_path: Path, output: Path) -> None:
    record = {**make_boxes(make_box()), "source-ref": f"{PREFIX}a.jpg", "index": 7}
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff")

    convert_to_list(write(tmp_path / "boxes.manifest", record), PREFIX, output, "box")
    write_images(tmp_path / "boxes.rec", load_images(read_any_lst(output), tmp_path))

    with ImageFile(tmp_path / "boxes.rec") as images:
        assert images[7].labels == pytest.approx((4, 5, 100, 50, 0, 0.1, 0.2, 0.3, 0.6))


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([], "line 1: box: has no boxes, and a list has no images without"),
        ([make_box(left=90)], "line 1: box: box 1 reaches outside the image of 100 x 50"),
        ([make_box(width=0)], "line 1: box: box 1 is empty"),
    ],
)
def test_refuses_boxes_that_no_list_can_hold(
    tmp_path: Path, output: Path, boxes: list[dict[str, Any]], message: str
) -> None:
    record = {**make_boxes(*boxes), "source-ref": f"{PREFIX}a.jpg"}

    with pytest.raises(ManifestError, match=message):
        convert_to_list(write(tmp_path / "boxes.manifest", record), PREFIX, output, "box")

    assert not output.exists()


def test_writes_a_column_for_each_class_of_several_labels(tmp_path: Path, output: Path) -> None:
    names = {"class-map": {"0": "dog", "2": "cat"}}
    records = [make_image("images/a.jpg", [2, 0], **names), make_image("images/b.jpg", [], **names)]

    convert_to_list(write(tmp_path / "all.manifest", *records), PREFIX, output)

    assert [line.split("\t")[1:] for line in output.read_text().splitlines()] == [
        ["1", "0", "1", "a.jpg"],
        ["0", "0", "0", "b.jpg"],
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("0\t2\t5\t0\t0\t0\t1\t1\ta.jpg\n", "has boxes as parts of the image, and no width and height in its header"),
        ("0\t4\t5\t0\t9\t0\t0\t0\t1\t1\ta.jpg\n", "has an image of 0 x 9 pixels, expected sides from 1 to 999999999"),
        ("0\t4\t5\t9\t9\t0\t0\t0\t2\t1\ta.jpg\n", "line 1: box 1 reaches outside the image"),
        ("0\t1\t0\ta.jpg\n1\t1\tb.jpg\n", "line 2: expected an index, 2 labels and a path"),
    ],
)
def test_refuses_lists_that_no_manifest_can_hold(tmp_path: Path, output: Path, rows: str, message: str) -> None:
    (tmp_path / "all.lst").write_text(rows)

    with pytest.raises(ManifestError, match=message):
        convert_list(tmp_path / "all.lst", PREFIX, output)


def test_turns_a_real_list_into_a_manifest_and_back_byte_for_byte(tmp_path: Path, output: Path) -> None:
    real = find_real("scones_train.lst")

    convert_list(real, PREFIX, output)
    convert_to_list(output, PREFIX, tmp_path / "back.lst")

    assert (tmp_path / "back.lst").read_bytes() == real.read_bytes()


def test_turns_a_real_manifest_into_a_list(output: Path) -> None:
    real = find_real("coral_image_classification.manifest")

    convert_to_list(real, "s3://labeled-coral-images", output, "test-label-dianthus")

    assert len(read_lst(output)) == 229


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"source-ref": "s3://other/a", "class": 1}, "line 1: source-ref is 's3://other/a', expected something below"),
        ({"source-ref": PREFIX, "class": 1}, "expected something below"),
        ({"source-ref": f"{PREFIX}a"}, "class is None, expected a class, a whole number from 0 to 999999999"),
        ({"source-ref": f"{PREFIX}a\tb", "class": 1}, "holds a tab or a line end"),
        ({"source-ref": f"{PREFIX}a", "class": 1, "index": "x"}, "index is 'x', expected a whole number from 0 to"),
        ({"source-ref": f"{PREFIX}a", "class": 1, "index": 2**64}, "expected a whole number from 0 to"),
        ({"source-ref": f"{PREFIX}a", "class": [1, 20000]}, "a list would need as many columns"),
    ],
)
def test_refuses_a_line_that_no_list_can_hold(
    tmp_path: Path, output: Path, record: dict[str, Any], message: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        convert_to_list(write(tmp_path / "all.manifest", record), PREFIX, output)

    assert not output.exists()


def test_names_the_line_of_a_list_that_is_wrong(tmp_path: Path, output: Path) -> None:
    (tmp_path / "all.lst").write_text("0\t0\ta\nx\t0\tb\n")

    with pytest.raises(ManifestError, match=r"all\.lst, line 2: index 'x'"):
        convert_list(tmp_path / "all.lst", PREFIX, output)


def test_turns_folders_into_a_manifest_in_the_order_of_lists(tmp_path: Path, output: Path) -> None:
    paths = [f"{name}/{number}.jpg" for name in ("bee", "ant") for number in range(5)]
    for path in paths:
        (tmp_path / "images" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / path).touch()

    assert convert_folders(tmp_path / "images", PREFIX, output) == ("ant", "bee")

    _, train, validation = make_lists_of(paths, name_folders)
    rows = sorted([*train, *validation], key=lambda row: row.index)
    assert [(record["source-ref"], record["class"]) for record in read(output)] == [
        (PREFIX + row.path, row.label) for row in rows
    ]
    assert list(check_manifest(output)) == []


def test_turns_cocos_boxes_into_a_manifest_without_crowds(tmp_path: Path, output: Path) -> None:
    convert_coco(write_json(tmp_path / "coco.json", COCO), PREFIX, output)

    (record,) = read(output)
    assert record["source-ref"] == f"{PREFIX}a.jpg"
    assert record["bounding-box"] == {
        "image_size": [{"width": 100, "height": 50, "depth": 3}],
        "annotations": [{"class_id": 1, "left": 1, "top": 2, "width": 30, "height": 40}],
    }
    assert record["bounding-box-metadata"]["class-map"] == {"0": "car", "1": "dog"}
    assert list(check_manifest(output)) == []


@given(st.lists(st.lists(st.tuples(st.integers(0, 2), SIDES, SIDES, SIDES, SIDES), max_size=3), max_size=3))
def test_turns_coco_into_manifests_and_back(
    tmp_path_factory: pytest.TempPathFactory, images: list[list[tuple[int, int, int, int, int]]]
) -> None:
    folder = tmp_path_factory.mktemp("coco")
    boxes = [(image, box) for image, of_image in enumerate(images, start=1) for box in of_image]
    coco = {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": 99, "height": 99} for n, _ in enumerate(images, 1)],
        "annotations": [
            {"id": n, "image_id": image, "category_id": box[0] + 1, "bbox": list(box[1:]), "area": box[3] * box[4]}
            | {"iscrowd": 0}
            for n, (image, box) in enumerate(boxes, start=1)
        ],
        "categories": [{"id": n, "name": f"class {n}"} for n in (1, 2, 3)] if images else [],
    }

    convert_coco(write_json(folder / "before.json", coco), PREFIX, folder / "all.manifest")
    convert_to_coco(folder / "all.manifest", PREFIX, folder / "after.json")

    assert json.loads((folder / "after.json").read_text()) == coco


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda coco: coco.pop("images"), "not COCO's instances: there is no array of images"),
        (lambda coco: coco["images"].append(5), "images, entry 2: a number, expected an object"),
        (
            lambda coco: coco["images"][0].pop("width"),
            r"image 9 \(a.jpg\): width is None, expected a number from 1 to 999999999",
        ),
        (lambda coco: coco["images"][0].pop("file_name"), "image 9: file_name is None"),
        (lambda coco: coco["images"][0].update(file_name="../a.jpg"), r"image 9: ../a.jpg leaves its folder with \.\."),
        (lambda coco: coco["images"][0].update(file_name="/data/a.jpg"), "image 9: /data/a.jpg is absolute"),
        (lambda coco: coco["images"][0].update(file_name="s3://raw/a.jpg"), "image 9: s3://raw/a.jpg is an address"),
        (lambda coco: coco["images"][0].pop("id"), "images, entry 1: id is None, expected a number or a text"),
        (
            lambda coco: coco["images"].append({**coco["images"][0], "file_name": "b.jpg"}),
            "image 9 occurs twice: a.jpg",
        ),
        (lambda coco: coco["images"].append({**coco["images"][0], "id": 10}), "image 10 has the file a.jpg of image 9"),
        (lambda coco: coco["categories"].append(coco["categories"][0]), "category .* occurs twice"),
        (lambda coco: coco["categories"][0].pop("name"), "category .*: name is None, expected a text"),
        (
            lambda coco: coco["annotations"].append(coco["annotations"][0]),
            "annotation 1 occurs twice; ids are unique",
        ),
        (lambda coco: coco["annotations"][0].update(image_id=5), "annotation 1: no image has the id 5 of its box"),
        (lambda coco: coco["annotations"][0].update(image_id=[]), r"annotation 1: no image has the id \[\]"),
        (lambda coco: coco["annotations"][0].update(category_id=99), "annotation 1: no category has the id 99"),
        (lambda coco: coco["annotations"][0].pop("category_id"), "annotation 1: no category has the id None"),
        (
            lambda coco: coco["annotations"][0].update(bbox=[1, 2, 3]),
            r"annotation 1, of image 9 \(a.jpg\): bbox is \[1, 2, 3\]",
        ),
        (lambda coco: coco["annotations"][0].pop("bbox"), r"annotation 1, of image 9 \(a.jpg\): there is no bbox"),
        (lambda coco: coco["annotations"][0].update(bbox=[90, 2, 30, 9]), r"\(a.jpg\): the box reaches outside"),
        (lambda coco: coco["annotations"][0].update(bbox=[9, 2, 1.03, 0.0]), r"\(a.jpg\): the box is empty"),
    ],
)
def test_refuses_coco_that_is_wrong(
    tmp_path: Path, output: Path, change: Callable[[Any], object], message: str
) -> None:
    coco = json.loads(json.dumps(COCO))
    change(coco)

    with pytest.raises(ManifestError, match=message):
        convert_coco(write_json(tmp_path / "coco.json", coco), PREFIX, output)

    assert not output.exists()


# As in train2017, whose annotations 918 and 2206849 have no height (https://github.com/cocodataset/cocoapi/issues/355).
BAD = {
    "images": [{"id": n, "file_name": f"{n}.jpg", "width": 640, "height": 427} for n in (1, 2)],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 3, "bbox": [12, 30, 200, 118], "iscrowd": 0},
        {"id": 918, "image_id": 2, "category_id": 58, "bbox": [296.65, 388.33, 1.03, 0.0], "iscrowd": 0},
        {"id": 919, "image_id": 2, "category_id": 58, "bbox": [600, -10, 100, 50], "iscrowd": 0},
        {"id": 920, "image_id": 2, "category_id": 58, "segmentation": [[1, 1, 2, 2, 3, 3]], "iscrowd": 0},
        {"id": 921, "image_id": 2, "category_id": 58, "bbox": [700, 10, 100, 50], "iscrowd": 0},
        {"id": 922, "image_id": 2, "category_id": 58, "bbox": [0, 0, 640, 427], "iscrowd": 1},
    ],
    "categories": [{"id": 3, "name": "car"}, {"id": 58, "name": "dog"}],
}


@pytest.mark.parametrize(
    ("way", "boxes", "skipped", "clipped", "without"),
    [(BadBoxes.SKIP, [], 4, 0, 1), (BadBoxes.CLIP, [[600, 0, 40, 40]], 3, 1, 0)],
)
def test_leaves_out_or_clips_bad_boxes(
    tmp_path: Path, output: Path, way: BadBoxes, boxes: list[list[int]], skipped: int, clipped: int, without: int
) -> None:
    done = convert_coco(write_json(tmp_path / "coco.json", BAD), PREFIX, output, bad_boxes=way)

    first, second = read(output)
    sides = ("left", "top", "width", "height")
    assert len(first["bounding-box"]["annotations"]) == 1
    assert [[box[side] for side in sides] for box in second["bounding-box"]["annotations"]] == boxes
    assert (done.images, done.boxes, done.crowds) == (2, 1 + len(boxes), 1)
    assert (done.skipped, done.clipped, done.without_boxes) == (skipped, clipped, without)
    assert list(check_manifest(output)) == []


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("side", range(4))
@pytest.mark.parametrize("way", [BadBoxes.SKIP, BadBoxes.CLIP])
def test_leaves_out_boxes_whose_sides_are_no_numbers(
    tmp_path: Path, output: Path, number: float, side: int, way: BadBoxes
) -> None:
    coco = json.loads(json.dumps(COCO))
    coco["annotations"][0]["bbox"][side] = number

    done = convert_coco(write_json(tmp_path / "coco.json", coco), PREFIX, output, bad_boxes=way)

    assert (done.boxes, done.skipped) == (0, 1)


def test_refuses_rows_whose_paths_leave_the_channel(tmp_path: Path, output: Path) -> None:
    (tmp_path / "all.lst").write_text("0\t0\ta.jpg\n1\t0\t../b.jpg\n")

    with pytest.raises(ManifestError, match=r"line 2: ../b.jpg leaves its folder"):
        convert_list(tmp_path / "all.lst", PREFIX, output)


def test_names_the_first_bad_boxes_and_counts_the_others(tmp_path: Path, output: Path) -> None:
    with pytest.raises(ManifestError) as raised:
        convert_coco(write_json(tmp_path / "coco.json", BAD), PREFIX, output)

    lines = str(raised.value).splitlines()
    assert ["annotation 918" in lines[0], "annotation 919" in lines[1], "annotation 920" in lines[2]] == [True] * 3
    assert lines[3:] == ["and 1 more", "correct them, or choose to skip or clip bad boxes (`--bad-boxes`)"]
    assert not output.exists()


@pytest.mark.parametrize("class_map", [None, ["car"], {"zero": "car"}])
def test_refuses_to_turn_boxes_whose_names_cannot_be_read_into_coco(
    tmp_path: Path, output: Path, class_map: object
) -> None:
    record = make_boxes(make_box())
    record["box-metadata"]["class-map"] = class_map

    with pytest.raises(ManifestError, match="line 1: box-metadata: class-map"):
        convert_to_coco(write(tmp_path / "all.manifest", record), "s3://raw/", output, "box")


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (make_image("images/a"), "line 1: there is no box; name the attribute"),
        (make_boxes(make_box(left=-5)), "line 1: source-ref is not below"),
    ],
)
def test_refuses_boxes_that_coco_cannot_hold(
    tmp_path: Path, output: Path, record: dict[str, Any], message: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        convert_to_coco(write(tmp_path / "all.manifest", record), PREFIX, output, "box")


def test_turns_real_boxes_into_coco(output: Path) -> None:
    convert_to_coco(
        find_real("bird_object_detection.manifest"), "s3://rns-groundtruth-bucket/", output, attribute="category"
    )

    coco = json.loads(output.read_text())
    assert (len(coco["images"]), len(coco["annotations"])) == (100, 192)
    assert coco["categories"] == [{"id": 1, "name": "Bird"}]


@pytest.mark.parametrize("prefix", ["raw/images", "s3://", "/raw"])
def test_refuses_a_prefix_that_is_none(tmp_path: Path, output: Path, prefix: str) -> None:
    with pytest.raises(ManifestError, match="is not an address in S3"):
        convert_to_list(write(tmp_path / "all", make_image("a")), prefix, output)
