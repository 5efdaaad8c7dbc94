"""Forecasting by our own engine and by DeepAR: what the templates and the settings make of each."""

from collections.abc import Mapping
from typing import Any

import pytest

from headrace.algorithms import find_algorithm
from headrace.recipes import forecasting
from stacks.settings.environment import Settings
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition
from tests.stacks.settings.test_environment import environments_with, refusal

STACK = forecasting.RECIPE.stack_id
RULE = {"metric": "test:smape", "direction": "at_most", "threshold": 9.0}


def read_request(section: Mapping[str, Any]) -> dict[str, Any]:
    definition = read_definition(template_with(STACK, "dev", {"forecasting": section}).to_json())
    request: dict[str, Any] = definition["States"]["Train"]["Arguments"]
    return request


def test_trains_deepar_on_its_channels_with_the_hyperparameters_of_its_table() -> None:
    request = read_request({"engine": "sagemaker", "preprocessing": {"prediction_length": 28}})

    assert [channel["ChannelName"] for channel in request["InputDataConfig"]] == ["train", "test"]
    assert {channel["ContentType"] for channel in request["InputDataConfig"]} == {"application/jsonlines"}
    assert request["HyperParameters"] == {
        "time_freq": "D",
        "prediction_length": "28",
        "context_length": "28",
        "epochs": "100",
        "test_quantiles": "[0.1, 0.5, 0.9]",
    }
    assert list(find_algorithm("deepar").list_mistakes(request["HyperParameters"])) == []


def test_judges_our_engine_by_the_seasonal_naive_and_deepar_by_what_is_asked() -> None:
    ours, theirs = (
        Settings.from_mapping("dev", environments_with("forecasting", {"engine": engine})).workload(forecasting.RECIPE)
        for engine in ("own", "sagemaker")
    )

    assert [(rule.metric, rule.threshold) for rule in ours.gate.rules] == [("test:smape", "baseline:smape")]
    assert ours.training.hyperparameters["prediction_length"] == ours.training.hyperparameters["context_length"] == 90
    assert theirs.gate.rules == ()


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"training": {"hyperparameters": {"epoch": 5}}}, "DeepAR has no such hyperparameter; did you mean epochs?"),
        ({"training": {"hyperparameters": {"likelihood": "poisson"}}}, "likelihood: found 'poisson', allowed: one of"),
        ({"training": {"hyperparameters": {"dropout_rate": 1.5}}}, "dropout_rate: found 1.5, allowed: a number from 0"),
        (
            {"engine": "sagemaker", "training": {"hyperparameters": {"calibration_windows": 2}}},
            "calibration_windows: DeepAR has no such hyperparameter",
        ),
        (
            {"training": {"hyperparameters": {"prediction_length": 30}}},
            "prediction_length: found 30, but prepro",
        ),
        (
            {"training": {"hyperparameters": {"time_freq": "H"}}},
            "time_freq: found 'H', but preprocessing reads",
        ),
        ({"preprocessing": {"prediction_length": 365}}, "prediction_length"),
        ({"engine": "sagemaker", "training": {"input_mode": "Pipe"}}, "input_mode: DeepAR 1 has no Pipe mode"),
        (
            {
                "engine": "sagemaker",
                "gate": {"rules": [RULE]},
            },
            "gate.rules.0.metric: found 'test:smape', but the training job reports",
        ),
    ],
)
def test_refuses_what_an_engine_does_not_take(section: Mapping[str, Any], said: str) -> None:
    assert said in refusal("forecasting", section)


def test_takes_what_our_engine_has_besides() -> None:
    section = {"training": {"hyperparameters": {"calibration_windows": 2, "seed": 7}}}

    assert read_request(section)["HyperParameters"]["calibration_windows"] == "2"
