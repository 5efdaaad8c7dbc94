from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from headrace.manifest import ManifestError, Statistics, count_manifest, draw_statistics
from headrace.manifest.drawing import MOST_BARS
from tests.headrace.manifest.manifests import make_box, make_boxes, make_image, write


def list_texts(path: Path) -> list[str]:
    return [element.text or "" for element in ET.parse(path).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - our own


def test_counts_labels_and_lines_without(tmp_path: Path) -> None:
    path = write(
        tmp_path / "all.manifest",
        make_image("1", 0, **{"class-name": "cat"}),
        make_image("2", 1),
        make_image("3", None),
        {"source-ref": "s3://raw/4", "class-metadata": {"failure-reason": "lost"}},
    )

    assert count_manifest(path) == Statistics(rows=4, unlabelled=1, failed=1, labels={"cat": 1, "1": 1})  # type: ignore[arg-type]


def test_counts_boxes_and_their_sizes(tmp_path: Path) -> None:
    whole = {"left": 0, "top": 0, "width": 100, "height": 50}
    path = write(tmp_path / "all.manifest", make_boxes(make_box(), make_box(**whole)), make_boxes())

    statistics = count_manifest(path)

    assert statistics.labels == {"car": 2}
    assert statistics.boxes_per_row == {2: 1, 0: 1}
    assert statistics.areas == {0.1: 1, 1.0: 1}


def test_counts_boxes_whose_sides_no_image_has(tmp_path: Path) -> None:
    path = write(tmp_path / "all.manifest", make_boxes(make_box(width=10**308, height=10**308)))

    assert count_manifest(path).areas == {1.0: 1}


def test_refuses_to_count_a_label_that_no_line_has(tmp_path: Path) -> None:
    path = write(tmp_path / "all.manifest", make_image("1"))

    with pytest.raises(ManifestError, match="no line has the label 'nosuch'"):
        count_manifest(path, "nosuch")
    with pytest.raises(ManifestError, match="'source-ref' is the source of each line"):
        count_manifest(path, "source-ref")


def test_draws_every_distribution_there_is(tmp_path: Path) -> None:
    statistics = count_manifest(write(tmp_path / "all.manifest", make_boxes(make_box())))

    draw_statistics(statistics, tmp_path / "labels.svg", "all <1>")

    texts = list_texts(tmp_path / "labels.svg")
    assert "Labels of all <1>" in texts
    assert "Boxes per image" in texts
    assert "up to 10 %" in texts


def test_draws_no_boxes_where_there_are_none(tmp_path: Path) -> None:
    draw_statistics(count_manifest(write(tmp_path / "all", make_image("1"))), tmp_path / "labels.svg", "all")

    assert list_texts(tmp_path / "labels.svg") == ["Labels of all", "0", "1"]


def test_draws_very_many_labels_as_the_most_frequent_and_the_others(tmp_path: Path) -> None:
    images = (make_image(str(number), number) for number in range(MOST_BARS + 3))

    draw_statistics(count_manifest(write(tmp_path / "all", *images)), tmp_path / "labels.svg", "all")

    assert list_texts(tmp_path / "labels.svg")[-2:] == ["3 others", "3"]
