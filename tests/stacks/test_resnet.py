"""Image classification by our own engine and by SageMaker's: what the templates and the settings make of each."""

import json
from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from headrace.algorithms import find_algorithm
from headrace.recipes import resnet
from stacks.settings.environment import Settings
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition
from tests.stacks.settings.test_environment import environments_with, refusal

STACK = resnet.RECIPE.stack_id
BOOK = {
    "num_layers": 18,
    "image_shape": "3,224,224",
    "num_training_samples": 15420,
    "num_classes": 257,
    "mini_batch_size": 64,
    "epochs": 2,
    "learning_rate": 0.01,
}
MANIFEST = {
    "source": "s3",
    "data_type": "augmented_manifest",
    "objects": "resnet/photographs/",
    "input_mode": "Pipe",
    "attribute_names": ["source-ref", "class"],
    "record_wrapper": "RecordIO",
}
GPU = {"instance_type": "ml.g5.xlarge"}
RULE = {"metric": "validation:accuracy", "direction": "at_least", "threshold": "baseline:accuracy"}


def read_request(section: Mapping[str, Any]) -> dict[str, Any]:
    definition = read_definition(template_with(STACK, "dev", {"resnet": section}).to_json())
    request: dict[str, Any] = definition["States"]["Train"]["Arguments"]
    return request


@pytest.mark.parametrize("engine", ["own", "sagemaker"])
def test_trains_on_four_channels_with_the_hyperparameters_of_the_book(engine: str) -> None:
    request = read_request({"engine": engine, "training": {**GPU, "hyperparameters": BOOK}})

    names = ["train", "validation", "train_lst", "validation_lst"]
    assert [channel["ChannelName"] for channel in request["InputDataConfig"]] == names
    assert {channel["ContentType"] for channel in request["InputDataConfig"]} == {"application/x-image"}
    assert request["HyperParameters"] == {name: str(value) for name, value in BOOK.items()}
    assert list(find_algorithm("image-classification").list_mistakes(request["HyperParameters"])) == []
    defined = {each["Name"] for each in request["AlgorithmSpecification"].get("MetricDefinitions", ())}
    reported = {"train:accuracy", "validation:accuracy", "baseline:accuracy", *resnet.FED}
    assert defined == (reported if engine == "own" else set())


def test_trains_on_image_recordio() -> None:
    channels = [
        {"name": name, "source": "s3", "path": f"resnet/records/{name}/", "input_mode": "FastFile"}
        for name in ("train", "validation")
    ]

    request = read_request({"training": {"channels": channels, "content_type": "application/x-recordio"}})

    assert [channel["ContentType"] for channel in request["InputDataConfig"]] == ["application/x-recordio"] * 2


PACKED: Mapping[str, Any] = {
    "channels": [
        {"name": name, "source": "s3", "path": f"resnet/packed/{name}/", "input_mode": "FastFile"}
        for name in ("train", "validation")
    ],
    "content_type": "application/x-headrace-packed",
}


def test_trains_on_packed_sets_on_several_instances() -> None:
    request = read_request(
        {"training": {**PACKED, "instance_count": 2, "hyperparameters": {**BOOK, "augmentation_type": "crop_color"}}}
    )

    assert [channel["ContentType"] for channel in request["InputDataConfig"]] == [resnet.PACKED] * 2
    assert request["ResourceConfig"]["InstanceCount"] == 2
    assert all("FullyReplicated" in str(channel["DataSource"]) for channel in request["InputDataConfig"])


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ({"engine": "sagemaker", "training": {**GPU, **PACKED}}, "the built-in algorithm does not read packed sets"),
        ({"training": {"instance_count": 2}}, "learns on several instances from packed sets only"),
        (
            {"training": {"hyperparameters": {**BOOK, "augmentation_type": "crop_color"}}},
            "augmentation_type: found 'crop_color'",
        ),
    ],
)
def test_refuses_what_only_packed_sets_or_other_engines_take(section: Mapping[str, Any], reason: str) -> None:
    assert reason in refusal("resnet", section)


def stream(**changes: Any) -> dict[str, Any]:
    """A section whose photographs come from augmented manifests, the training channel with changes."""
    named = {name: {"name": name, "path": f"resnet/{name}.manifest"} for name in ("train", "validation")}
    return {
        "training": {**GPU, "channels": [MANIFEST | named["train"] | changes, MANIFEST | named["validation"]]},
    }


@pytest.mark.parametrize("engine", ["own", "sagemaker"])
def test_trains_on_augmented_manifests_as_sagemakers_api_has_them(engine: str) -> None:
    request = read_request({"engine": engine, **stream(shuffle_seed=7)})

    shape = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateTrainingJob")
    assert ParamValidator().validate(request, shape.input_shape).generate_report() == ""
    train, validation = request["InputDataConfig"]
    source = train["DataSource"]["S3DataSource"]
    assert (train["ChannelName"], train["ContentType"], train["InputMode"]) == ("train", "application/x-image", "Pipe")
    assert (train["RecordWrapperType"], train["ShuffleConfig"]) == ("RecordIO", {"Seed": 7})
    assert (source["S3DataType"], source["AttributeNames"]) == ("AugmentedManifestFile", ["source-ref", "class"])
    assert validation["DataSource"]["S3DataSource"]["S3Uri"].endswith("/resnet/validation.manifest")


@pytest.mark.parametrize("engine", ["own", "sagemaker"])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"attribute_names": ["class", "source-ref"]},
            "resnet.training.channels.0.attribute_names: found class, source-ref, expected two: that of the "
            "photographs first",
        ),
        ({"attribute_names": ["source-ref"]}, "channels.0.attribute_names: found source-ref, expected two"),
        ({"attribute_names": ["source-ref", "class", "more"]}, "found source-ref, class, more, expected two"),
        ({"attribute_names": ["source-ref", "mask-ref"]}, "found source-ref, mask-ref, expected two"),
        (
            {"record_wrapper": "None"},
            "resnet.training.channels.0.record_wrapper: found 'None', and nothing else says where a photograph",
        ),
        ({"name": "train_lst"}, "resnet.training.channels.0.name: found 'train_lst', but an augmented manifest"),
        (
            {"input_mode": "File", "record_wrapper": "None"},
            "resnet.training.channels.0: channel 'train': input_mode is File: SageMaker streams augmented manifests",
        ),
        ({"attribute_names": []}, "resnet.training.channels.0: channel 'train': attribute_names has 0 entries"),
        (
            {"data_type": "prefix", "objects": None, "attribute_names": []},
            "resnet.training.channels.0.input_mode: found 'Pipe', but data_type is prefix, and only augmented",
        ),
        (
            {"data_type": "manifest", "attribute_names": []},
            "resnet.training.channels.0.input_mode: found 'Pipe', but data_type is manifest, and only augmented",
        ),
    ],
)
def test_refuses_streams_that_no_engine_can_read(engine: str, changes: Mapping[str, Any], said: str) -> None:
    assert said in refusal("resnet", {"engine": engine, **stream(**changes)})


def test_leaves_files_of_recordio_in_pipe_mode_to_sagemakers_engine() -> None:
    channel = {"name": "train", "source": "s3", "path": "resnet/records/", "input_mode": "Pipe"}
    section = {"training": {**GPU, "channels": [channel], "content_type": "application/x-recordio"}}

    request = read_request({"engine": "sagemaker", **section})

    assert request["InputDataConfig"][0]["InputMode"] == "Pipe"
    assert "training.channels.0.input_mode: found 'Pipe', but data_type is prefix" in refusal("resnet", section)


@pytest.mark.parametrize("engine", ["own", "sagemaker"])
def test_goes_on_from_the_archive_of_an_earlier_version(engine: str) -> None:
    section = {"engine": engine, "training": {**GPU, "continue_from": 3}}
    template = template_with(STACK, "dev", {"resnet": section}).to_json()

    states = read_definition(template)["States"]

    assert states["Find Earlier Version"]["Arguments"]["ModelPackageName"].endswith("/headrace-dev-resnet/3")
    assert states["Find Earlier Version"]["Assign"]["parent"] == "{% $states.result.ModelPackageArn %}"
    (choice,) = states["Earlier Version Complete"]["Choices"]
    assert (choice["Next"], states["Earlier Version Complete"]["Default"]) == ("Failed", "Train")
    request = states["Train"]["Arguments"]
    channel = request["InputDataConfig"][-1]
    assert (channel["ChannelName"], channel["ContentType"]) == ("model", "application/x-sagemaker-model")
    assert channel["DataSource"]["S3DataSource"]["S3Uri"] == "{% $earlier_model %}"
    shape = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateTrainingJob")
    assert ParamValidator().validate(request, shape.input_shape).generate_report() == ""
    assert "/executions/resnet/*" in describe_reading(template)


def describe_reading(template: Mapping[str, Any]) -> str:
    """What the training job may read."""
    (policy,) = [each for name, each in template["Resources"].items() if name.startswith("ResnetTrainingJobsRoleDef")]
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    return json.dumps([each["Resource"] for each in statements if each["Action"] == "s3:GetObject"])


def test_looks_for_no_earlier_version_and_reads_none_unless_it_is_asked_to() -> None:
    template = template_with(STACK, "dev", {"resnet": {}}).to_json()

    assert "Find Earlier Version" not in read_definition(template)["States"]
    assert "/executions/resnet/*" not in describe_reading(template)


@pytest.mark.parametrize(
    ("training", "said"),
    [
        (
            {"continue_from": 1, "content_type": "application/x-headrace-packed"},
            "training.continue_from: found 1, but networks learn from packed sets from the beginning",
        ),
        (
            {"continue_from": 1, "channels": [{"name": "model", "source": "s3", "path": "resnet/model/"}]},
            "training.continue_from: brings the channel 'model', which training.channels has, too; leave one",
        ),
        ({"continue_from": 0}, "resnet.training.continue_from: found 0"),
    ],
)
def test_refuses_an_earlier_version_that_cannot_be_gone_on_from(training: Mapping[str, Any], said: str) -> None:
    assert said in refusal("resnet", {"training": training})


def test_judges_our_engine_by_the_most_frequent_class_and_that_of_sagemaker_by_what_is_asked() -> None:
    ours, theirs = (
        Settings.from_mapping("dev", environments_with("resnet", {"engine": engine, "training": GPU})).workload(
            resnet.RECIPE
        )
        for engine in ("own", "sagemaker")
    )

    assert [(rule.metric, rule.threshold) for rule in ours.gate.rules] == [("validation:accuracy", "baseline:accuracy")]
    assert ours.training.hyperparameters["num_layers"] == 20
    assert theirs.gate.rules == ()


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            {"training": {"hyperparameters": {**BOOK, "num_layer": 18}}},
            "resnet.training.hyperparameters.num_layer: image classification has no such hyperparameter; did you mean",
        ),
        (
            {"training": {"hyperparameters": {"num_layers": 18}}},
            "resnet.training.hyperparameters.num_classes: missing; a whole number from 1",
        ),
        (
            {"training": {"hyperparameters": {**BOOK, "image_shape": "3,28,28"}}},
            "resnet.training.hyperparameters.num_layers: 18, but photographs of side 28 take 20, 32, 44, 56, 110",
        ),
        (
            {"training": {"hyperparameters": {**BOOK, "use_pretrained_model": 1}}},
            "resnet.training.hyperparameters.use_pretrained_model: found '1', and our own program has only 0",
        ),
        (
            {"engine": "sagemaker", "training": {**GPU, "hyperparameters": {**BOOK, "seed": 1}}},
            "resnet.training.hyperparameters.seed: image classification has no such hyperparameter",
        ),
        (
            {
                "engine": "sagemaker",
                "training": {
                    **GPU,
                    "channels": [{"name": "train", "source": "s3", "path": "resnet/", "input_mode": "FastFile"}],
                },
            },
            "resnet.training.channels.0.input_mode: image classification 1 has no FastFile mode",
        ),
        (
            {"training": {"channels": [{"name": "train", "source": "efs", "path": "/photographs"}]}},
            "resnet.training.channels: channel 'train' reads from efs, but file_systems.efs.enabled is false",
        ),
        (
            {"engine": "sagemaker", "training": GPU, "gate": {"rules": [RULE]}},
            "resnet.gate.rules.0.threshold: found 'baseline:accuracy', but the training job reports",
        ),
    ],
)
def test_refuses_what_an_engine_does_not_take(section: Mapping[str, Any], said: str) -> None:
    assert said in refusal("resnet", section)


def test_leaves_to_sagemakers_engine_what_ours_lacks() -> None:
    given = {**BOOK, "use_pretrained_model": 1, "resize": 256, "augmentation_type": "crop_color_transform"}

    request = read_request({"engine": "sagemaker", "training": {**GPU, "hyperparameters": given}})

    assert request["HyperParameters"]["use_pretrained_model"] == "1"


@pytest.mark.parametrize("instance_type", ["ml.m5.xlarge", "ml.c6i.8xlarge", "ml.g6.xlarge"])
def test_refuses_instances_that_sagemakers_engine_does_not_train_on(instance_type: str) -> None:
    said = refusal("resnet", {"engine": "sagemaker", "training": {"instance_type": instance_type}})

    assert (
        "resnet.training.instance_type: image classification trains only on instances with GPUs of the families g4dn, "
        f"g5, p2, p3, and {instance_type} is none of them; set it to ml.g4dn.xlarge, or engine to own"
    ) in said
