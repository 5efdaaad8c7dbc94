"""BlazingText by our own engine and by SageMaker's: what the templates and the settings make of each."""

from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from headrace.algorithms import find_algorithm
from headrace.recipes import blazingtext
from stacks.settings.environment import Settings
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition
from tests.stacks.settings.test_environment import environments_with, refusal

STACK = blazingtext.RECIPE.stack_id
SERVICE = botocore.session.get_session().get_service_model("sagemaker")
SUPERVISED = {"training": {"hyperparameters": {"mode": "supervised"}}}


def read_states(section: Mapping[str, Any]) -> Mapping[str, Any]:
    definition = read_definition(template_with(STACK, "dev", {"blazingtext": section}).to_json())
    states: Mapping[str, Any] = definition["States"]
    return states


@pytest.mark.parametrize("engine", ["own", "sagemaker"])
def test_asks_for_the_books_vectors_from_one_channel(engine: str) -> None:
    states = read_states({"engine": engine})

    request = states["Train"]["Arguments"]
    assert request["HyperParameters"] == {
        "mode": "batch_skipgram",
        "epochs": "5",
        "min_count": "5",
        "sampling_threshold": "0.0001",
        "learning_rate": "0.05",
        "window_size": "5",
        "vector_dim": "100",
        "negative_samples": "5",
        "batch_size": "11",
        "evaluation": "true",
        "subwords": "false",
    }
    assert [channel["ChannelName"] for channel in request["InputDataConfig"]] == ["train"]
    for state, operation in (("Preprocess", "CreateProcessingJob"), ("Train", "CreateTrainingJob")):
        shape = SERVICE.operation_model(operation).input_shape
        assert ParamValidator().validate(states[state]["Arguments"], shape).generate_report() == ""
    assert list(find_algorithm("blazingtext").list_mistakes(request["HyperParameters"])) == []


def test_classifies_texts_with_sentences_to_judge_by() -> None:
    request = read_states(SUPERVISED)["Train"]["Arguments"]

    assert [channel["ChannelName"] for channel in request["InputDataConfig"]] == ["train", "validation"]
    assert list(find_algorithm("blazingtext").list_mistakes(request["HyperParameters"])) == []


def test_judges_a_classifier_of_ours_by_the_most_frequent_label() -> None:
    rules = [
        [
            rule.threshold
            for rule in Settings.from_mapping("dev", environments_with("blazingtext", section))
            .workload(blazingtext.RECIPE)
            .gate.rules
        ]
        for section in ({}, SUPERVISED, {**SUPERVISED, "engine": "sagemaker"})
    ]

    assert rules == [[], ["baseline:accuracy"], []]


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        ({"mode": "skip_gram"}, "mode: found 'skip_gram', allowed: one of batch_skipgram, skipgram, cbow, supervised"),
        ({"mode": "cbow", "batch_size": 12}, "batch_size: only for mode batch_skipgram, but it is cbow; leave it out"),
        ({"mode": "supervised", "window_size": 3}, "window_size: only for mode batch_skipgram or skipgram or cbow,"),
        (
            {"vector_dimension": 50},
            "vector_dimension: BlazingText has no such hyperparameter; did you mean vector_dim?",
        ),
        ({"evaluation": "maybe"}, "evaluation: found 'maybe', allowed: true or false"),
    ],
)
def test_refuses_hyperparameters_that_the_mode_does_not_have(hyperparameters: Mapping[str, Any], message: str) -> None:
    section = {"training": {"hyperparameters": hyperparameters}}

    assert refusal("blazingtext", section).startswith(
        f"environments.dev: blazingtext.training.hyperparameters.{message}"
    )
