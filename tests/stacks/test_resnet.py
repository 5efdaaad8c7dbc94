"""Image classification by our own engine and by SageMaker's: what the templates and the settings make of each."""

from collections.abc import Mapping
from typing import Any

import pytest

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
RULE = {"metric": "validation:accuracy", "direction": "at_least", "threshold": "baseline:accuracy"}


def read_request(section: Mapping[str, Any]) -> dict[str, Any]:
    definition = read_definition(template_with(STACK, "dev", {"resnet": section}).to_json())
    request: dict[str, Any] = definition["States"]["Train"]["Arguments"]
    return request


@pytest.mark.parametrize("engine", ["own", "sagemaker"])
def test_trains_on_four_channels_with_the_hyperparameters_of_the_book(engine: str) -> None:
    request = read_request({"engine": engine, "training": {"hyperparameters": BOOK}})

    names = ["train", "validation", "train_lst", "validation_lst"]
    assert [channel["ChannelName"] for channel in request["InputDataConfig"]] == names
    assert {channel["ContentType"] for channel in request["InputDataConfig"]} == {"application/x-image"}
    assert request["HyperParameters"] == {name: str(value) for name, value in BOOK.items()}
    assert list(find_algorithm("image-classification").list_mistakes(request["HyperParameters"])) == []
    defined = {each["Name"] for each in request["AlgorithmSpecification"].get("MetricDefinitions", ())}
    reported = {"train:accuracy", "validation:accuracy", "baseline:accuracy"}
    assert defined == (reported if engine == "own" else set())


def test_trains_on_image_recordio() -> None:
    channels = [
        {"name": name, "source": "s3", "path": f"resnet/records/{name}/", "input_mode": "FastFile"}
        for name in ("train", "validation")
    ]

    request = read_request({"training": {"channels": channels, "content_type": "application/x-recordio"}})

    assert [channel["ContentType"] for channel in request["InputDataConfig"]] == ["application/x-recordio"] * 2


def test_judges_our_engine_by_the_most_frequent_class_and_that_of_sagemaker_by_what_is_asked() -> None:
    ours, theirs = (
        Settings.from_mapping("dev", environments_with("resnet", {"engine": engine})).workload(resnet.RECIPE)
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
            {"engine": "sagemaker", "training": {"hyperparameters": {**BOOK, "seed": 1}}},
            "resnet.training.hyperparameters.seed: image classification has no such hyperparameter",
        ),
        (
            {
                "engine": "sagemaker",
                "training": {
                    "channels": [{"name": "train", "source": "s3", "path": "resnet/", "input_mode": "FastFile"}]
                },
            },
            "resnet.training.channels.0.input_mode: image classification 1 has no FastFile mode",
        ),
        (
            {"training": {"channels": [{"name": "train", "source": "efs", "path": "/photographs"}]}},
            "resnet.training.channels: channel 'train' reads from efs, but file_systems.efs.enabled is false",
        ),
        (
            {"engine": "sagemaker", "gate": {"rules": [RULE]}},
            "resnet.gate.rules.0.threshold: found 'baseline:accuracy', but the training job reports",
        ),
    ],
)
def test_refuses_what_an_engine_does_not_take(section: Mapping[str, Any], said: str) -> None:
    assert said in refusal("resnet", section)


def test_leaves_to_sagemakers_engine_what_ours_lacks() -> None:
    given = {**BOOK, "use_pretrained_model": 1, "resize": 256, "augmentation_type": "crop_color_transform"}

    request = read_request({"engine": "sagemaker", "training": {"hyperparameters": given}})

    assert request["HyperParameters"]["use_pretrained_model"] == "1"
