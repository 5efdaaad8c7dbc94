"""The training program over made-up pairs, where PyTorch is."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from sacrebleu.metrics.bleu import BLEU

from containers.seq2seq.engine.__main__ import main
from containers.seq2seq.engine.service import Translator
from containers.shared.job.outputs import Outputs
from headrace.algorithms import find_algorithm
from headrace.workloads import phrases
from tests.containers.job_roots import list_files
from tests.containers.seq2seq.translators import write_pairs_job
from tests.torch_packages import require_torch

pytestmark = pytest.mark.slow
# Learns the whole made-up language, in some three seconds of a processor.
ENOUGH = {
    "rnn_num_hidden": "64",
    "num_embed_source": "32",
    "num_embed_target": "32",
    "learning_rate": "0.01",
    "batch_size": "16",
    "max_num_epochs": "3",
    "checkpoint_frequency_num_batches": "84",
}
DROPOUT = {"embed_dropout_source": "0.1", "rnn_decoder_hidden_dropout": "0.1"}


@pytest.fixture(scope="module", autouse=True)
def torch() -> Any:
    """PyTorch, with one thread: the tests of other processes need the others."""
    require_torch()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch

    return torch


def train(root: Path) -> int:
    return main(["train"], root, Outputs())


def read_evaluation(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((root / "output/data/evaluation.json").read_text())
    return document


def test_leaves_models_that_are_data_only_an_evaluation_and_its_inputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pairs_job(tmp_path, {"optimized_metric": "bleu", "bleu_sample_size": "10"})

    assert train(tmp_path) == 0

    made = {name for name in list_files(tmp_path) if name.startswith(("model", "output"))}
    assert made == {
        "model/encoder.onnx",
        "model/decoder.onnx",
        "model/seq2seq.json",
        "model/vocab.src.json",
        "model/vocab.trg.json",
        "output/data/evaluation.json",
        "output/data/inputs.json",
    }
    log = capsys.readouterr().out
    assert "this is not AWS's algorithm" in log
    metrics = read_evaluation(tmp_path)["metrics"]
    for name, regex in find_algorithm("seq2seq").metrics.items():
        found = [float(value) for value in re.findall(regex, log)]
        # Six batches an epoch, two epochs; and the last word is the model's that is kept.
        assert len(found) == 6 + (name == "validation:bleu")
        assert metrics[name] in found
    assert 0 <= metrics["baseline:bleu"] < 0.2
    inputs = json.loads((tmp_path / "output/data/inputs.json").read_text())
    assert inputs["channels"].keys() == {"train", "validation", "vocab"}


def test_learns_a_made_up_language(tmp_path: Path) -> None:
    write_pairs_job(tmp_path, ENOUGH, pairs=1_500)

    assert train(tmp_path) == 0

    metrics = read_evaluation(tmp_path)["metrics"]
    assert metrics["validation:bleu"] >= 0.8 > 0.2 > metrics["baseline:bleu"]
    unseen = phrases.make_pairs(1_600)[1_500:]
    model = Translator(tmp_path / "model").model
    numbers = [[model.source.get(token, 1) for token in source.split()] for source, _ in unseen]
    said = [" ".join(model.names[token] for token in each.tokens) for each in model.translate(numbers)]
    assert BLEU(tokenize="none", force=True).corpus_score(said, [[target for _, target in unseen]]).score >= 80


def test_learns_the_same_twice(tmp_path: Path) -> None:
    models = []
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        write_pairs_job(tmp_path / name, {**DROPOUT, "seed": seed})
        assert train(tmp_path / name) == 0
        models.append((tmp_path / name / "model/decoder.onnx").read_bytes())

    assert models[0] == models[1] != models[2]


@pytest.mark.parametrize(
    "given",
    [
        {"optimizer_type": "sgd", "momentum": "0.9", "clip_gradient": "-1", "lr_scheduler_type": "fixed_rate_inv_t"},
        {"optimizer_type": "rmsprop", "rnn_attention_type": "dot", "rnn_decoder_state_init": "avg"},
        {"rnn_attention_type": "bilinear", "rnn_decoder_state_init": "zero", "bucketing_enabled": "false"},
        {"num_layers_encoder": "2", "num_layers_decoder": "2", "lr_scheduler_type": "fixed_rate_inv_sqrt_t"},
        {"max_num_batches": "1", "training_metric": "accuracy", "optimized_metric": "accuracy", "weight_decay": "0.1"},
    ],
)
def test_learns_in_every_way_that_it_takes(tmp_path: Path, given: dict[str, str]) -> None:
    write_pairs_job(tmp_path, given)

    assert train(tmp_path) == 0

    assert read_evaluation(tmp_path)["metrics"]["validation:perplexity"] > 1


def test_stops_where_nothing_is_gained_any_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pairs_job(tmp_path, {"learning_rate": "1e-30", "checkpoint_threshold": "2"})
    config = tmp_path / "input/config/hyperparameters.json"
    given = json.loads(config.read_text())
    del given["max_num_epochs"]
    config.write_text(json.dumps(given))

    assert train(tmp_path) == 0

    # The first checkpoint is the best so far, and two more gain nothing.
    assert re.findall(r"Checkpoint \[(\d+)\]\tValidation-accuracy", capsys.readouterr().out) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"rnn_num_hidden": "7"},
            "hyperparameter rnn_num_hidden: found '7', allowed: a whole number from 1, a mult",
        ),
        ({"encoder_type": "cnn"}, "hyperparameter encoder_type: found 'cnn', and our own program has only rnn; leave"),
        ({"seed": "x"}, "hyperparameter seed: 'x' is not a whole number from 0 to 2147483647"),
        (
            {"learning_rate": "1e30", "clip_gradient": "-1"},
            "the network's numbers grew beyond all bounds by check",
        ),
    ],
)
def test_ends_with_the_reason_of_a_mistake(tmp_path: Path, given: dict[str, str], message: str) -> None:
    write_pairs_job(tmp_path, given)

    assert train(tmp_path) == 1

    assert (tmp_path / "output/failure").read_text().startswith(message)
    assert not list((tmp_path / "model").glob("*"))
