"""Sequence-to-sequence by our own engine and by SageMaker's: what the templates and the settings make of each."""

from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from headrace.algorithms import find_algorithm
from headrace.recipes import seq2seq
from stacks.settings.environment import Settings
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition
from tests.stacks.settings.test_environment import environments_with, refusal

STACK = seq2seq.RECIPE.stack_id
SERVICE = botocore.session.get_session().get_service_model("sagemaker")
# Those of the book.
BOOK = {
    "max_seq_len_source": 60,
    "max_seq_len_target": 60,
    "optimized_metric": "bleu",
    "batch_size": 64,
    "rnn_num_hidden": 512,
    "num_layers_encoder": 1,
    "num_layers_decoder": 1,
    "num_embed_source": 512,
    "num_embed_target": 512,
    "checkpoint_frequency_num_batches": 1000,
}
GPU = {"instance_type": "ml.g5.xlarge"}
THEIRS = {"engine": "sagemaker", "training": GPU}


@pytest.mark.parametrize("engine", ["own", "sagemaker"])
def test_trains_on_three_channels_with_the_hyperparameters_of_the_book(engine: str) -> None:
    section = {
        "engine": engine,
        "preprocessing": {"vocabulary_size": 9000},
        "training": {**GPU, "hyperparameters": BOOK},
    }

    states = read_definition(template_with(STACK, "dev", {"seq2seq": section}).to_json())["States"]

    request = states["Train"]["Arguments"]
    assert {channel["ChannelName"]: channel["ContentType"] for channel in request["InputDataConfig"]} == {
        "train": "application/x-recordio-protobuf",
        "validation": "application/x-recordio-protobuf",
        "vocab": "application/json",
    }
    assert {channel["InputMode"] for channel in request["InputDataConfig"]} == {"File"}
    assert request["HyperParameters"] == {name: str(value) for name, value in BOOK.items()}
    assert list(find_algorithm("seq2seq").list_mistakes(request["HyperParameters"])) == []
    for state, operation in (("Preprocess", "CreateProcessingJob"), ("Train", "CreateTrainingJob")):
        shape = SERVICE.operation_model(operation).input_shape
        assert ParamValidator().validate(states[state]["Arguments"], shape).generate_report() == ""
    command = states["Preprocess"]["Arguments"]["AppSpecification"]["ContainerArguments"]
    assert command[command.index("--vocabulary-size") + 1] == "9000"


def test_judges_our_engine_by_translating_word_for_word_and_that_of_sagemaker_by_what_is_asked() -> None:
    ours, theirs = (
        Settings.from_mapping("dev", environments_with("seq2seq", section)).workload(seq2seq.RECIPE)
        for section in ({}, THEIRS)
    )

    (rule,) = ours.gate.rules
    assert (rule.metric, str(rule.direction), rule.threshold) == ("validation:bleu", "at_least", "baseline:bleu")
    assert theirs.gate.rules == ()
    made_up = ours.training.hyperparameters
    assert (made_up["rnn_num_hidden"], made_up["optimized_metric"]) == (96, "bleu")


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            {"engine": "sagemaker"},
            "seq2seq.training.instance_type: sequence-to-sequence trains only on instances with GPUs of the families "
            "p2, p3, g4dn, g5, and ml.m5.xlarge is none of them; set it to ml.g4dn.xlarge, or engine to own",
        ),
        (
            {"engine": "sagemaker", "training": {"instance_type": "ml.p3.2xlarge"}},
            "seq2seq.training.instance_type: found 'ml.p3.2xlarge'",
        ),
        (
            {"engine": "sagemaker", "training": {**GPU, "input_mode": "Pipe"}},
            "seq2seq.training.input_mode: sequence-to-sequence 1 has no Pipe mode; use File",
        ),
        (
            {"engine": "sagemaker", "training": {**GPU, "input_mode": "FastFile"}},
            "seq2seq.training.input_mode: sequence-to-sequence 1 has no FastFile mode; use File",
        ),
        ({"training": {"input_mode": "Pipe"}}, "seq2seq.training.input_mode: Pipe is a stream, and our own program"),
        ({**THEIRS, "version": "latest"}, "seq2seq.version: sequence-to-sequence has no version 'latest', which would"),
        (
            {"engine": "sagemaker", "training": {**GPU, "hyperparameters": {"seed": 1}}},
            "seq2seq.training.hyperparameters.seed: sequence-to-sequence has no such hyperparameter",
        ),
        (
            {"training": {"hyperparameters": {"rnn_num_hidden": 511}}},
            "seq2seq.training.hyperparameters.rnn_num_hidden: found 511, allowed: a whole number from 1, a multiple of",
        ),
        (
            {"training": {"hyperparameters": {"optimized_metric": "rouge"}}},
            "optimized_metric: found 'rouge', allowed: one of perplexity, accuracy, bleu",
        ),
        (
            {"training": {"hyperparameters": {"momentum": 0.9}}},
            "momentum: only for optimizer_type sgd, but it is adam; leave it out",
        ),
        (
            {"training": {"hyperparameters": {"rnn_cell_type": "gru"}}},
            "rnn_cell_type: found 'gru', and our own program has only lstm; leave it out",
        ),
        (
            {"training": {"hyperparameters": {"cnn_num_hidden": 512}}},
            "cnn_num_hidden: found '512', which our own program lacks; leave it out",
        ),
        (
            {"training": {"hyperparameters": {"learning_rate": -0.1}}},
            "learning_rate: found -0.1, allowed: a number above 0",
        ),
        (
            {"training": {"hyperparameters": {"max_num_batches": 0}}},
            "max_num_batches: 0, which learns nothing; leave it out, or give a number from 1",
        ),
        ({"preprocessing": {"vocabulary_size": 0}}, "seq2seq.preprocessing.vocabulary_size: found 0"),
    ],
)
def test_refuses_what_an_engine_does_not_have_before_a_job_costs_anything(
    section: Mapping[str, Any], said: str
) -> None:
    assert said in refusal("seq2seq", section)


def test_takes_networks_of_convolutions_with_sagemakers_engine() -> None:
    given = {"encoder_type": "cnn", "decoder_type": "cnn", "cnn_num_hidden": 256}
    section = {"engine": "sagemaker", "training": {**GPU, "hyperparameters": given}}

    settings = Settings.from_mapping("dev", environments_with("seq2seq", section))

    assert dict(settings.workload(seq2seq.RECIPE).training.hyperparameters) == given
