"""Labels of every kind that Ground Truth writes.

The records are the examples of https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html and, for arrays
without metadata, of https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html, with S3 URIs filled in.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from headrace.manifest import (
    ManifestError,
    Selection,
    check_manifest,
    count_manifest,
    filter_manifest,
    read_manifest,
    split_manifest,
)
from headrace.manifest.records import find_label, list_current_labels
from tests.headrace.manifest.manifests import read, write

SOURCE = {"source-ref": "s3://raw/example.png"}
MULTI_LABEL: dict[str, Any] = {
    **SOURCE,
    "image-label": [1, 0, 8],
    "image-label-metadata": {
        "job-name": "labeling-job/image-label",
        "class-map": {"1": "bicycle", "0": "person", "8": "clothing"},
        "human-annotated": "yes",
        "creation-date": "2020-02-27T21:36:25.000201",
        "confidence-map": {"1": 0.95, "0": 0.77, "8": 0.2},
        "type": "groundtruth/image-classification-multilabel",
    },
}
MULTI_LABEL_TEXT: dict[str, Any] = {
    "source": "It could be worse.",
    "mood": [1, 0, 4],
    "mood-metadata": {
        "class-map": {"1": "approving", "0": "sad", "4": "critical"},
        "confidence-map": {"1": 0.95, "0": 0.77, "4": 0.2},
        "type": "groundtruth/text-classification-multilabel",
    },
}
BOXES: dict[str, Any] = {
    **SOURCE,
    "bounding-box": {
        "image_size": [{"width": 500, "height": 400, "depth": 3}],
        "annotations": [
            {"class_id": 0, "left": 111, "top": 134, "width": 61, "height": 128},
            {"class_id": 5, "left": 161, "top": 250, "width": 30, "height": 30},
            {"class_id": 5, "left": 20, "top": 20, "width": 30, "height": 30},
        ],
    },
    "bounding-box-metadata": {
        "objects": [{"confidence": 0.8}, {"confidence": 0.9}, {"confidence": 0.9}],
        "class-map": {"0": "dog", "5": "bone"},
        "type": "groundtruth/object-detection",
        "human-annotated": "yes",
        "creation-date": "2018-10-18T22:18:13.527256",
        "job-name": "identify-dogs-and-toys",
    },
}
# The older page spells the type with an underscore.
OLD_BOXES: dict[str, Any] = {
    **BOXES,
    "bounding-box-metadata": {**BOXES["bounding-box-metadata"], "type": "groundtruth/object_detection"},
}
ADJUSTED: dict[str, Any] = {
    **BOXES,
    "adjusted-bounding-box": {
        "image_size": [{"width": 500, "height": 400, "depth": 3}],
        "annotations": [{"class_id": 5, "left": 110, "top": 135, "width": 61, "height": 128}],
    },
    "adjusted-bounding-box-metadata": {
        "objects": [{"confidence": 0.8}],
        "class-map": {"0": "dog", "5": "bone"},
        "type": "groundtruth/object-detection",
        "human-annotated": "yes",
        "creation-date": "2018-11-20T22:18:13.527256",
        "job-name": "adjust-bounding-boxes-on-dogs-and-toys",
        "adjustment-status": "adjusted",
    },
}
VERIFIED: dict[str, Any] = {
    **BOXES,
    "verify-bounding-box": "1",
    "verify-bounding-box-metadata": {
        "class-name": "bad",
        "confidence": 0.93,
        "type": "groundtruth/label-verification",
        "job-name": "verify-bounding-boxes",
        "human-annotated": "yes",
        "creation-date": "2018-11-20T22:18:13.527256",
        "worker-feedback": [{"comment": "The bird on the upper right is not labeled."}],
    },
}
COLOURS: dict[str, Any] = {
    "internal-color-map": {
        "0": {"class-name": "BACKGROUND", "confidence": 0.9, "hex-color": "#ffffff"},
        "1": {"class-name": "buildings", "confidence": 0.9, "hex-color": "#2acf59"},
        "2": {"class-name": "road", "confidence": 0.9, "hex-color": "#f28333"},
    },
    "type": "groundtruth/semantic-segmentation",
    "human-annotated": "yes",
    "creation-date": "2018-10-18T22:18:13.527256",
    "job-name": "label-city-streets",
}
MASK: dict[str, Any] = {**SOURCE, "city-streets-ref": "s3://raw/mask.png", "city-streets-ref-metadata": COLOURS}
# The page's adjusted mask has no -ref in the name of its metadata.
ADJUSTED_MASK: dict[str, Any] = {
    **MASK,
    "adjusted-city-streets-ref": "s3://raw/adjusted.png",
    "adjusted-city-streets-metadata": {**COLOURS, "creation-date": "2018-11-20T22:18:13.527256"},
}
SPANS: dict[str, Any] = {
    "source": "Ann lives in Oslo",
    "ner": {
        "annotations": {
            "entities": [
                {"endOffset": 3, "startOffset": 0, "label": "PER"},
                {"startOffset": 13, "endOffset": 17, "label": "LOC"},
            ],
            "labels": [{"label": "PER", "shortDisplayName": "p"}, {"label": "LOC"}],
        }
    },
    "ner-metadata": {"type": "groundtruth/text-span", "entities": [{"confidence": 0}, {"confidence": 0.4}]},
}
VIDEO: dict[str, Any] = {
    "source-ref": "s3://raw/seq0.json",
    "Car-ref": "s3://raw/out/SeqLabel.json",
    "Car-ref-metadata": {"class-map": {"0": "car", "1": "bus"}, "type": "groundtruth/video-object-detection"},
}
VIDEO_CLASS: dict[str, Any] = {
    **SOURCE,
    "clip": "0",
    "clip-metadata": {"class-name": "running", "confidence": 0.4, "type": "groundtruth/video-classification"},
}
MARKS = {"image-ref": "s3://raw/sample01/image1.jpg", "class": [1, 0, 1]}
MARKS_AS_TEXT = {"image-ref": "s3://raw/sample01/image1.jpg", "class": "[1, 0, 1]"}
NUMBERS_AS_TEXT = {"image-ref": "s3://raw/sample01/image1.jpg", "class": "[0, 2]"}

KINDS = [
    pytest.param(MULTI_LABEL, ["bicycle", "clothing", "person"], 0.2, id="several labels"),
    pytest.param(MULTI_LABEL_TEXT, ["approving", "critical", "sad"], 0.2, id="several labels of a text"),
    pytest.param(BOXES, ["bone", "bone", "dog"], 0.8, id="boxes"),
    pytest.param(OLD_BOXES, ["bone", "bone", "dog"], 0.8, id="boxes of the older page"),
    pytest.param(ADJUSTED, ["bone"], 0.8, id="adjusted boxes"),
    pytest.param(VERIFIED, ["bone", "bone", "dog"], 0.8, id="verified boxes"),
    pytest.param(MASK, ["BACKGROUND", "buildings", "road"], 0.9, id="mask"),
    pytest.param(ADJUSTED_MASK, ["BACKGROUND", "buildings", "road"], 0.9, id="adjusted mask"),
    pytest.param(SPANS, ["LOC", "PER"], 0, id="spans"),
    pytest.param(VIDEO_CLASS, ["running"], 0.4, id="class of a video"),
    pytest.param(MARKS, ["0", "2"], None, id="marks"),
    pytest.param(MARKS_AS_TEXT, ["0", "2"], None, id="marks as text"),
    pytest.param(NUMBERS_AS_TEXT, ["0", "2"], None, id="numbers as text"),
]


@pytest.mark.parametrize(("record", "names", "confidence"), KINDS)
def test_checks_and_counts_every_kind_by_its_names(
    tmp_path: Path, record: dict[str, Any], names: list[str], confidence: float | None
) -> None:
    path = write(tmp_path / "all.manifest", record)
    unjudged = Counter[str]()

    assert list(check_manifest(path, unjudged=unjudged)) == []
    assert sorted(count_manifest(path).labels.elements()) == names
    assert not unjudged


@pytest.mark.parametrize(("record", "names", "confidence"), KINDS)
def test_filters_every_kind_by_its_names_and_its_least_confidence(
    tmp_path: Path, record: dict[str, Any], names: list[str], confidence: float | None
) -> None:
    path = write(tmp_path / "all.manifest", record)

    assert filter_manifest(path, tmp_path / "some.manifest", Selection(labels=frozenset(names[:1]))) == 1
    if confidence is None:
        with pytest.raises(ManifestError, match="no line has a confidence"):
            filter_manifest(path, tmp_path / "some.manifest", Selection(least_confidence=0.1))
        return
    for least, kept in ((confidence, 1), (confidence + 0.01, 0)):
        assert filter_manifest(path, tmp_path / "some.manifest", Selection(least_confidence=least)) == kept


def test_stratifies_by_the_classes_of_several_labels(tmp_path: Path) -> None:
    records = [
        {**MULTI_LABEL, "source-ref": f"s3://raw/{number}.png", "image-label": [number % 2]} for number in range(40)
    ]

    split_manifest(
        write(tmp_path / "all.manifest", *records),
        tmp_path / "train.manifest",
        tmp_path / "validation.manifest",
        stratify_by="image-label",
    )

    held_out = Counter(record["image-label"][0] for record in read(tmp_path / "validation.manifest"))
    assert held_out == {0: 4, 1: 4}


def test_means_the_newest_label_and_not_a_verdict() -> None:
    assert find_label(ADJUSTED) == "adjusted-bounding-box"
    assert find_label(VERIFIED) == "bounding-box"
    assert find_label(ADJUSTED_MASK) == "adjusted-city-streets-ref"
    assert list_current_labels(ADJUSTED) == ["adjusted-bounding-box"]
    assert list_current_labels({**ADJUSTED, **MASK}) == ["adjusted-bounding-box", "city-streets-ref"]


def test_checks_what_an_adjustment_job_made_and_not_what_it_replaced(tmp_path: Path) -> None:
    outside = {"class_id": 5, "left": 900, "top": 10, "width": 20, "height": 20}
    size = [{"width": 500, "height": 400, "depth": 3}]
    spoilt = {"image_size": size, "annotations": [outside]}

    before = list(check_manifest(write(tmp_path / "a.manifest", {**ADJUSTED, "bounding-box": spoilt})))
    after = list(check_manifest(write(tmp_path / "a.manifest", {**ADJUSTED, "adjusted-bounding-box": spoilt})))

    assert before == []
    assert str(after[0]).startswith("line 1: adjusted-bounding-box: box 1 reaches outside the image of 500 x 400")


def test_checks_every_label_of_a_line(tmp_path: Path) -> None:
    record = {**BOXES, "class": "cat", "class-metadata": {"type": "groundtruth/image-classification"}}
    record["bounding-box"] = {"image_size": [], "annotations": []}

    found = [str(problem) for problem in check_manifest(write(tmp_path / "a.manifest", record))]

    assert len(found) == 2
    assert found[0].startswith("line 1: bounding-box: image_size is")
    assert found[1] == "line 1: class: class 'cat' is not a whole number from 0 to 999999999"


def test_counts_labels_whose_classes_stand_elsewhere_and_does_not_take_them_for_classes(tmp_path: Path) -> None:
    path = write(tmp_path / "video.manifest", VIDEO)
    unjudged = Counter[str]()

    assert list(check_manifest(path, unjudged=unjudged)) == []
    assert unjudged == {"Car-ref, of type video-object-detection, an unknown kind": 1}
    assert count_manifest(path).unjudged == {"video-object-detection": 1}
    with pytest.raises(
        ManifestError, match="line 1: Car-ref is a label of video-object-detection, whose classes are not"
    ):
        filter_manifest(path, tmp_path / "cars.manifest", Selection(labels=frozenset({"car"})))
    with pytest.raises(ManifestError, match="whose classes are not in the manifest"):
        split_manifest(path, tmp_path / "t", tmp_path / "v", stratify_by="Car-ref")


@pytest.mark.parametrize("record", [{**SOURCE, "mood": "sunny"}, {**SOURCE, "score": 0.5}, {**SOURCE, "x": {"a": 1}}])
def test_says_that_a_label_was_passed_without_a_judgement(tmp_path: Path, record: dict[str, Any]) -> None:
    unjudged = Counter[str]()

    assert list(check_manifest(write(tmp_path / "a.manifest", record), unjudged=unjudged)) == []
    assert list(unjudged.values()) == [1]


@pytest.mark.parametrize(
    ("record", "changed", "problem"),
    [
        (BOXES, {"class-map": None}, 'class-map is null, expected an object such as {"0": "car"}'),
        (BOXES, {"class-map": ["dog"]}, "class-map is an array, expected an object"),
        (BOXES, {"class-map": {"0": "dog", "5": None}}, "class-map names class 5 null, expected a string"),
        (BOXES, {"class-map": {"0": "dog", "5": "bone", "cat": "x"}}, "class-map has 'cat', expected a class"),
        (BOXES, {"objects": {}}, "objects is an object, expected an array"),
        (BOXES, {"objects": [{"confidence": 80}]}, "confidence 80 is not between 0 and 1"),
        (MULTI_LABEL, {"confidence-map": [0.5]}, "confidence-map is an array, expected an object"),
        (MASK, {"internal-color-map": []}, "internal-color-map is an array, expected an object"),
        (VERIFIED, {"class-name": 5}, "class-name is a number, expected a string"),
    ],
)
def test_names_metadata_that_later_commands_cannot_take(
    tmp_path: Path, record: dict[str, Any], changed: dict[str, Any], problem: str
) -> None:
    name = list(record)[-1]
    path = write(tmp_path / "a.manifest", {**record, name: {**record[name], **changed}})

    found = [str(found) for found in check_manifest(path)]
    count_manifest(path)

    assert any(text.startswith(f"line 1: {name}: {problem}") for text in found), found


def test_names_metadata_without_the_names_of_its_classes(tmp_path: Path) -> None:
    record = {**BOXES, "bounding-box-metadata": {"type": "groundtruth/object-detection"}}

    (problem,) = check_manifest(write(tmp_path / "a.manifest", record))

    assert str(problem).startswith("line 1: bounding-box-metadata: no class-map, which names the classes")


@pytest.mark.parametrize("metadata", [None, 5, []])
def test_names_metadata_that_is_no_object(tmp_path: Path, metadata: object) -> None:
    (problem, *_) = check_manifest(write(tmp_path / "a.manifest", {**SOURCE, "c": 1, "c-metadata": metadata}))

    assert "c-metadata: " in str(problem)


@pytest.mark.parametrize(
    ("entity", "problem"),
    [
        (5, "entity 1 is a number"),
        ({"startOffset": 0, "endOffset": 3}, "entity 1 has the label None"),
        ({"startOffset": 3, "endOffset": 0, "label": "PER"}, "entity 1 is from 3 to 0"),
        ({"startOffset": 0, "endOffset": 99, "label": "PER"}, "entity 1 ends at 99, beyond the text of 17 characters"),
    ],
)
def test_names_spans_that_are_wrong(tmp_path: Path, entity: Any, problem: str) -> None:
    path = write(tmp_path / "a.manifest", {**SPANS, "ner": {"annotations": {"entities": [entity]}}})

    (found,) = check_manifest(path)

    assert str(found).startswith(f"line 1: ner: {problem}")


def test_tells_a_source_that_has_other_labels_on_another_line(tmp_path: Path) -> None:
    again = {**MULTI_LABEL, "image-label": [1]}

    found = list(map(str, check_manifest(write(tmp_path / "a.manifest", MULTI_LABEL, MULTI_LABEL, again))))

    assert found == ["line 3: s3://raw/example.png has other labels on line 1; keep the right ones"]


def test_takes_what_stands_behind_another_name_for_the_source(tmp_path: Path) -> None:
    (record,) = read_manifest(write(tmp_path / "a.manifest", MARKS))

    assert record.source == MARKS["image-ref"]
    assert list(check_manifest(write(tmp_path / "a.manifest", MARKS), attribute_names=["image-ref", "class"])) == []
