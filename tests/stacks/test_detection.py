"""Object detection by our own engine and by SageMaker's: what the templates and the settings make of each."""

from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from headrace.algorithms import find_algorithm
from headrace.recipes import detection
from stacks.settings.environment import Settings
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition
from tests.stacks.settings.test_environment import environments_with, refusal

STACK = detection.RECIPE.stack_id
GPU = {"instance_type": "ml.g5.xlarge"}
# The example of the augmented manifests' article: street photographs, some days at most.
ARTICLE = {"num_classes": 2, "num_training_samples": 3548, "image_shape": 512, "epochs": 50}
RULE = {"metric": "validation:mAP", "direction": "at_least", "threshold": "baseline:mAP"}


def read_request(section: Mapping[str, Any]) -> dict[str, Any]:
    definition = read_definition(template_with(STACK, "dev", {"detection": section}).to_json())
    request: dict[str, Any] = definition["States"]["Train"]["Arguments"]
    return request


@pytest.mark.parametrize("engine", ["own", "sagemaker"])
def test_streams_augmented_manifests_as_sagemakers_api_has_them(engine: str) -> None:
    request = read_request({"engine": engine, "training": {**GPU, "hyperparameters": ARTICLE}})

    shape = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateTrainingJob")
    assert ParamValidator().validate(request, shape.input_shape).generate_report() == ""
    for channel, name in zip(request["InputDataConfig"], ("train", "validation"), strict=True):
        source = channel["DataSource"]["S3DataSource"]
        assert (channel["ChannelName"], channel["ContentType"], channel["InputMode"]) == (name, "image/jpeg", "Pipe")
        assert channel["RecordWrapperType"] == "RecordIO"
        assert source["S3DataType"] == "AugmentedManifestFile"
        assert source["S3DataDistributionType"] == "FullyReplicated"
        assert source["AttributeNames"] == ["source-ref", "bounding-box"]
        assert source["S3Uri"].endswith(f"/detection/manifests/{name}.manifest")
    assert request["HyperParameters"] == {name: str(value) for name, value in ARTICLE.items()}
    assert list(find_algorithm("object-detection").list_mistakes(request["HyperParameters"])) == []
    defined = {each["Name"] for each in request["AlgorithmSpecification"].get("MetricDefinitions", ())}
    assert defined == ({"validation:mAP", "baseline:mAP"} if engine == "own" else set())


def test_trains_on_image_recordio() -> None:
    channels = [{"name": name, "source": "s3", "path": f"detection/{name}/"} for name in ("train", "validation")]

    request = read_request({"training": {"channels": channels, "content_type": "application/x-recordio"}})

    assert [channel["ContentType"] for channel in request["InputDataConfig"]] == ["application/x-recordio"] * 2


def stream(**changes: Any) -> dict[str, Any]:
    """A section whose training channel has changes."""
    channel = {
        "name": "train",
        "source": "s3",
        "path": "detection/street.manifest",
        "data_type": "augmented_manifest",
        "objects": "detection/photographs/",
        "input_mode": "Pipe",
        "attribute_names": ["source-ref", "bounding-box"],
        "record_wrapper": "RecordIO",
    }
    return {"training": {**GPU, "channels": [channel | changes]}}


@pytest.mark.parametrize("engine", ["own", "sagemaker"])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"attribute_names": ["bounding-box", "source-ref"]},
            "detection.training.channels.0.attribute_names: found bounding-box, source-ref, expected two: that of the "
            "photographs first, whose name ends with -ref, then that of their boxes; give for example source-ref, "
            "bounding-box",
        ),
        ({"attribute_names": ["source-ref"]}, "channels.0.attribute_names: found source-ref, expected two"),
        (
            {"record_wrapper": "None"},
            "detection.training.channels.0.record_wrapper: found 'None', and nothing else says where a photograph",
        ),
        ({"name": "model"}, "detection.training.channels.0.name: found 'model', but an augmented manifest brings"),
        (
            {"input_mode": "File", "record_wrapper": "None"},
            "detection.training.channels.0: channel 'train': input_mode is File: SageMaker streams augmented manifests",
        ),
        ({"attribute_names": []}, "detection.training.channels.0: channel 'train': attribute_names has 0 entries"),
        (
            {"data_type": "prefix", "objects": None, "attribute_names": []},
            "detection.training.channels.0.input_mode: found 'Pipe', but data_type is prefix, and only augmented",
        ),
        (
            {
                "data_type": "prefix",
                "objects": None,
                "attribute_names": [],
                "input_mode": "File",
                "record_wrapper": "None",
            },
            "detection.training.channels.0.data_type: found 'prefix', but files of image/jpeg say nothing of boxes",
        ),
    ],
)
def test_refuses_channels_that_no_engine_can_read(engine: str, changes: Mapping[str, Any], said: str) -> None:
    assert said in refusal("detection", {"engine": engine, **stream(**changes)})


def test_refuses_a_manifest_as_records() -> None:
    section = stream()
    section["training"]["content_type"] = "application/x-recordio"

    assert (
        "detection.training.channels.0.data_type: found 'augmented_manifest', but training.content_type is "
        "application/x-recordio"
    ) in refusal("detection", section)


def test_leaves_annotations_in_files_and_streams_of_records_to_sagemakers_engine() -> None:
    names = ("train", "validation", "train_annotation", "validation_annotation")
    files = {"training": {**GPU, "channels": [{"name": n, "source": "s3", "path": f"detection/{n}/"} for n in names]}}
    record = {"name": "train", "source": "s3", "path": "detection/records/", "input_mode": "Pipe"}
    records = {"training": {**GPU, "channels": [record], "content_type": "application/x-recordio"}}

    for section, said in ((files, "files of image/jpeg say nothing of boxes"), (records, "found 'Pipe'")):
        assert read_request({"engine": "sagemaker", **section})["InputDataConfig"][0]["ChannelName"] == "train"
        assert said in refusal("detection", section)


def test_judges_our_engine_by_the_mean_box_and_that_of_sagemaker_by_what_is_asked() -> None:
    ours, theirs = (
        Settings.from_mapping("dev", environments_with("detection", {"engine": engine, "training": GPU})).workload(
            detection.RECIPE
        )
        for engine in ("own", "sagemaker")
    )

    assert [(rule.metric, rule.threshold) for rule in ours.gate.rules] == [("validation:mAP", "baseline:mAP")]
    assert ours.training.hyperparameters["num_classes"] == 4
    assert theirs.gate.rules == ()


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            {"training": {"hyperparameters": {**ARTICLE, "epoch": 18}}},
            "detection.training.hyperparameters.epoch: object detection has no such hyperparameter; did you mean",
        ),
        (
            {"training": {"hyperparameters": {"num_classes": 2}}},
            "detection.training.hyperparameters.num_training_samples: missing; a whole number from 1",
        ),
        (
            {"training": {"hyperparameters": {**ARTICLE, "image_shape": 200}}},
            "detection.training.hyperparameters.image_shape: found 200, allowed: a whole number from 300",
        ),
        (
            {"training": {"hyperparameters": {**ARTICLE, "base_network": "resnet-50"}}},
            "detection.training.hyperparameters.base_network: our own program has its own network",
        ),
        (
            {"engine": "sagemaker", "training": {**GPU, "hyperparameters": {**ARTICLE, "seed": 1}}},
            "detection.training.hyperparameters.seed: object detection has no such hyperparameter",
        ),
        (
            {"engine": "sagemaker"},
            "detection.training.instance_type: object detection trains only on instances with GPUs of the families "
            "g4dn, g5, p2, p3, and ml.m5.xlarge is none of them",
        ),
        (
            {"engine": "sagemaker", "training": GPU, "gate": {"rules": [RULE]}},
            "detection.gate.rules.0.threshold: found 'baseline:mAP', but the training job reports",
        ),
    ],
)
def test_refuses_what_an_engine_does_not_take(section: Mapping[str, Any], said: str) -> None:
    assert said in refusal("detection", section)


def test_leaves_to_sagemakers_engine_what_ours_lacks() -> None:
    given = {**ARTICLE, "base_network": "resnet-50", "use_pretrained_model": 1, "image_shape": 2048}

    request = read_request({"engine": "sagemaker", "training": {**GPU, "hyperparameters": given}})

    assert request["HyperParameters"]["base_network"] == "resnet-50"
