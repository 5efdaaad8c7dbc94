import json
import tracemalloc
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from headrace.manifest import Task, check_manifest
from tests.headrace.lst.lists import find_real
from tests.headrace.manifest.manifests import make_box, make_boxes, make_image, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "train.manifest"


def check(path: Path, *records: dict[str, Any], **options: Any) -> list[str]:
    return [str(problem) for problem in check_manifest(write(path, *records), **options)]


@pytest.mark.parametrize(
    ("box", "problem"),
    [
        ({"left": 90}, "reaches outside the image of 100 x 50: left 90, top 10, width 20, height 20"),
        ({"top": -1}, "reaches outside the image of 100 x 50: left 10, top -1, width 20, height 20"),
        ({"height": 41}, "reaches outside the image of 100 x 50: left 10, top 10, width 20, height 41"),
        ({"width": 0}, "is empty: width 0, height 20"),
        ({"width": "20", "top": None}, "has no number for top, width"),
        ({"left": 10**399}, "has no number for left"),
        ({"class_id": -1}, "has class_id -1, expected a whole number from 0 to 999999999"),
        ({"class_id": "0"}, "has class_id '0', expected a whole number from 0 to 999999999"),
        ({"class_id": True}, "has class_id True, expected a whole number from 0 to 999999999"),
        ({"class_id": 10**9}, "has class_id 1000000000, expected a whole number from 0 to 999999999"),
        ({"class_id": 7}, "has class_id 7, which the class-map does not name"),
    ],
)
def test_names_a_box_that_is_wrong(path: Path, box: dict[str, Any], problem: str) -> None:
    assert check(path, make_boxes(make_box(), make_box(**box))) == [f"line 1: box: box 2 {problem}"]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (
            {"image_size": []},
            'image_size is [], expected [{"width": …, "height": …, "depth": …}] with sides from 1 to 999999999',
        ),
        ({"image_size": [{"width": 0, "height": 5}]}, "image_size is [{'height': 5, 'width': 0}], expected"),
        ({"image_size": [{"width": 5, "height": 1e-300}]}, "image_size is [{'height': 1e-300, 'width': 5}], expected"),
        ({"image_size": [{"width": 5, "height": True}]}, "image_size is [{'height': True, 'width': 5}], expected"),
        ({"image_size": [{"width": 10**308, "height": 5}]}, "image_size is [{'height': 5, 'width': 10000"),
        ({"annotations": [make_box(class_id=10**299)]}, "box 1 has class_id 10000"),
        ({"annotations": {}}, "annotations is not an array of boxes"),
        ({"annotations": [5]}, "box 1 is a number, expected an object"),
    ],
)
def test_names_a_box_label_that_is_wrong(path: Path, changed: dict[str, Any], problem: str) -> None:
    (found,) = check(path, make_boxes(**changed))

    assert found.startswith(f"line 1: box: {problem}")


@pytest.mark.parametrize(
    ("task", "record", "problem"),
    [
        (Task.IMAGE_CLASSIFICATION, {"class": "cat"}, "class: class 'cat' is not a whole number from 0 to 999999999"),
        (Task.IMAGE_CLASSIFICATION, {"class": 10**299}, "class: class 1000000"),
        (Task.IMAGE_CLASSIFICATION, {"class": [0, 1.5]}, "class: class 1.5 is not a whole number from 0"),
        (Task.IMAGE_CLASSIFICATION, {"class": True}, "class: class True is not a whole number from 0"),
        (Task.TEXT_CLASSIFICATION, {"mood": "good"}, "mood: class 'good' is not a whole number from 0"),
        (Task.OBJECT_DETECTION, {"box": 1}, "box: a number, expected an object with image_size and annotations"),
        (Task.SEMANTIC_SEGMENTATION, {"mask": 1}, "mask: segmentation needs the S3 URI of a mask, under a name"),
        (Task.IMAGE_CLASSIFICATION, {}, "label: not labelled; label it or leave the line out"),
        (Task.IMAGE_CLASSIFICATION, {"class": None}, "class: not labelled; label it or leave the line out"),
    ],
)
def test_names_a_label_that_does_not_suit_the_algorithm(
    path: Path, task: Task, record: dict[str, Any], problem: str
) -> None:
    (found,) = check(path, {"source-ref": "s3://raw/1.jpg", **record}, task=task)

    assert found.startswith(f"line 1: {problem}")


@pytest.mark.parametrize(
    ("task", "record"),
    [
        (Task.IMAGE_CLASSIFICATION, make_image("1.jpg", [0, 2])),
        (Task.TEXT_CLASSIFICATION, {"source": "good food", "mood": "1"}),
        (Task.SEMANTIC_SEGMENTATION, {"source-ref": "s3://raw/1.jpg", "mask-ref": "s3://raw/1.png"}),
        (Task.OBJECT_DETECTION, make_boxes()),
        (None, {"source-ref": "s3://raw/1.jpg"}),
    ],
)
def test_finds_nothing_when_labels_suit_the_algorithm(path: Path, task: Task | None, record: dict[str, Any]) -> None:
    assert check(path, record, task=task) == []


def test_names_annotations_that_failed(path: Path) -> None:
    record = {"source-ref": "s3://raw/1.jpg", "class-metadata": {"failure-reason": "ClientError: cannot be read"}}

    assert check(path, record) == [
        "line 1: class: the annotation failed: ClientError: cannot be read; label it again or leave the line out"
    ]


@pytest.mark.parametrize("uri", ["raw/1.jpg", "s3://raw", "s3://raw/", "s3://raw/folder/", "https://raw/1.jpg", 5])
def test_names_a_reference_that_is_no_s3_uri(path: Path, uri: object) -> None:
    assert check(path, {"source-ref": uri, "class": 1}) == [
        f"line 1: source-ref is {uri!r}, expected the S3 address of an object, such as s3://bucket/key"
    ]


def test_names_a_line_about_nothing(path: Path) -> None:
    assert check(path, {"class": 1}) == [
        "line 1: neither source-ref nor source; each line is about an object or a text"
    ]


def test_names_an_attribute_of_another_type_than_before(path: Path) -> None:
    assert check(path, make_image("1.jpg", 1), make_image("2.jpg", "1")) == [
        "line 2: class is a string, on line 1 it is a number; an attribute has one type"
    ]


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["class", "source-ref"], "the first attribute name is 'class'; algorithms read the source first"),
        (["source-ref", "class", "class"], "attribute name 'class' occurs twice"),
        (["source-ref", *(f"class{n}" for n in range(16))], "17 attribute names; a channel takes at most 16"),
        (["source-ref", "box"], "line 1: box: not labelled; label it or leave the line out"),
    ],
)
def test_names_attributes_that_do_not_fit_the_channel(path: Path, names: list[str], problem: str) -> None:
    assert check(path, make_image("1.jpg"), attribute_names=names)[0].startswith(problem)


def test_finds_all_problems_and_not_the_first(path: Path) -> None:
    path.write_text('{"source-ref":"x","class":1}\n{\n\n{"source-ref":"s3://raw/1.jpg","class":"1"}\n')

    lines = [problem.line for problem in check_manifest(path, task=Task.IMAGE_CLASSIFICATION)]

    assert lines == [1, 2, 4]


def test_says_nothing_of_an_empty_manifest_where_all_lines_are_wrong(path: Path) -> None:
    path.write_text("[]\n")

    assert [problem.line for problem in check_manifest(path)] == [1]


def test_says_that_a_manifest_is_empty(path: Path) -> None:
    assert check(path) == ["the manifest has no rows"]


def test_asks_s3_for_each_object(path: Path) -> None:
    client = boto3.client("s3")
    with Stubber(client) as stubber:
        stubber.add_client_error("head_object", "404", expected_params={"Bucket": "raw", "Key": "1.jpg"})
        assert check(path, make_image("1.jpg"), client=client) == [
            "line 1: source-ref: s3://raw/1.jpg is not there",
        ]


def test_tells_an_object_it_may_not_see_from_one_that_is_not_there(path: Path) -> None:
    client = boto3.client("s3")
    with Stubber(client) as stubber:
        stubber.add_client_error("head_object", "403", "Forbidden")
        stubber.add_client_error("get_object", "AccessDenied", "Access Denied")
        (problem,) = check(path, make_image("1.jpg"), client=client)

    assert problem.startswith("line 1: source-ref: s3://raw/1.jpg: AccessDenied: Access Denied; the role needs")


class Head:
    """Says that no object of an odd number is there."""

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        if int(Key) % 2:
            raise boto3.client("s3").exceptions.ClientError({"Error": {"Code": "404"}}, "HeadObject")
        return {}


def test_names_missing_objects_in_the_order_of_lines(path: Path) -> None:
    problems = list(check_manifest(write(path, *(make_image(str(n)) for n in range(60))), client=Head()))

    assert [problem.line for problem in problems] == list(range(2, 61, 2))


@pytest.mark.slow
def test_needs_no_more_memory_for_a_longer_manifest(path: Path) -> None:
    line = json.dumps(make_boxes(make_box(), padding="x" * 2000)) + "\n"
    with path.open("w") as file:
        file.writelines(line for _ in range(5000))

    tracemalloc.start()
    assert sum(1 for _ in check_manifest(path)) == 0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert path.stat().st_size > 10_000_000
    assert peak < 1_000_000


@pytest.fixture(
    params=[
        "bird_object_detection.manifest",
        "cat_object_detection_empty.manifest",
        "coral_image_classification.manifest",
        # Its bucket has capitals, as the oldest buckets may.
        "docs_image_and_text_classification.manifest",
    ]
)
def real(request: pytest.FixtureRequest) -> Path:
    return find_real(request.param)


def test_finds_nothing_wrong_with_real_manifests(real: Path) -> None:
    assert list(check_manifest(real)) == []
