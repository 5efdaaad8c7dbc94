"""The linear learner by our own engine and by SageMaker's: what the templates and the settings make of each."""

from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from headrace.algorithms import find_algorithm
from headrace.recipes import linear_learner
from stacks.settings.environment import Settings
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition
from tests.stacks.settings.test_environment import environments_with, refusal

STACK = linear_learner.RECIPE.stack_id
SERVICE = botocore.session.get_session().get_service_model("sagemaker")


def read_states(section: Mapping[str, Any]) -> Mapping[str, Any]:
    definition = read_definition(template_with(STACK, "dev", {"linearlearner": section}).to_json())
    states: Mapping[str, Any] = definition["States"]
    return states


def read_settings(section: Mapping[str, Any]) -> Any:
    return Settings.from_mapping("dev", environments_with("linearlearner", section)).workload(linear_learner.RECIPE)


@pytest.mark.parametrize("engine", ["own", "sagemaker"])
def test_asks_sagemaker_only_for_what_its_api_and_the_algorithm_know(engine: str) -> None:
    states = read_states({"engine": engine})

    for state, operation in (("Preprocess", "CreateProcessingJob"), ("Train", "CreateTrainingJob")):
        shape = SERVICE.operation_model(operation).input_shape
        assert ParamValidator().validate(states[state]["Arguments"], shape).generate_report() == ""
    request = states["Train"]["Arguments"]
    assert request["HyperParameters"] == {
        "predictor_type": "multiclass_classifier",
        "num_classes": "4",
        "feature_dim": "10",
        "mini_batch_size": "100",
    }
    assert list(find_algorithm("linear-learner").list_mistakes(request["HyperParameters"])) == []
    assert {channel["ContentType"] for channel in request["InputDataConfig"]} == {"application/x-recordio-protobuf"}
    assert "recordio" in states["Preprocess"]["Arguments"]["AppSpecification"]["ContainerArguments"]
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AlgorithmSpecification.html has at most 40.
    assert len(request["AlgorithmSpecification"].get("MetricDefinitions", ())) <= 40


def test_streams_both_channels_to_the_built_in_algorithm_where_that_is_asked_for() -> None:
    states = read_states({"engine": "sagemaker", "training": {"input_mode": "Pipe"}})

    assert {channel["InputMode"] for channel in states["Train"]["Arguments"]["InputDataConfig"]} == {"Pipe"}


@pytest.mark.parametrize(
    ("bins", "predictor_type", "metric"),
    [
        (0, "regressor", "validation:mse"),
        (2, "binary_classifier", "validation:binary_classification_accuracy"),
        (5, "multiclass_classifier", "validation:macro_f_beta"),
    ],
)
def test_chooses_the_predictor_and_the_rule_by_the_ranges(bins: int, predictor_type: str, metric: str) -> None:
    ours = read_settings({"preprocessing": {"bins": bins}})
    theirs = read_settings({"preprocessing": {"bins": bins}, "engine": "sagemaker"})

    assert ours.training.hyperparameters["predictor_type"] == predictor_type
    assert [rule.metric for rule in ours.gate.rules] == [metric]
    assert theirs.gate.rules == ()


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"version": "1"}, "version: '1' is one of SageMaker's linear learner, and engine is own"),
        ({"engine": "sagemaker", "version": "latest"}, "version: linear learner has no version 'latest'"),
        (
            {"engine": "sagemaker", "training": {"input_mode": "FastFile"}},
            "training.input_mode: linear learner 1 has no FastFile mode",
        ),
        (
            {"training": {"hyperparameters": {"mini_batchsize": 5}}},
            "training.hyperparameters.mini_batchsize: linear learner has no such hyperparameter; did you mean",
        ),
        (
            {"training": {"hyperparameters": {"loss": "huber_loss"}}},
            "training.hyperparameters.loss: huber_loss is not for predictor_type multiclass_classifier; use auto or",
        ),
    ],
)
def test_refuses_what_an_engine_does_not_have(section: Mapping[str, Any], message: str) -> None:
    assert refusal("linearlearner", section).startswith(f"environments.dev: linearlearner.{message}")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"preprocessing": {"bins": 1}}, "preprocessing.bins: one range has every row in it"),
        (
            {"training": {"hyperparameters": {"num_classes": 3}}},
            "training.hyperparameters.num_classes: 3, but preprocessing.bins makes 4; make them the same",
        ),
        (
            {"training": {"hyperparameters": {"predictor_type": "regressor"}}},
            "training.hyperparameters.predictor_type: 'regressor' is not for what preprocessing.bins 4 makes; use",
        ),
    ],
)
def test_refuses_labels_that_the_predictor_is_not_for(section: Mapping[str, Any], message: str) -> None:
    assert refusal("linearlearner", section).startswith(f"environments.dev.linearlearner: {message}")
