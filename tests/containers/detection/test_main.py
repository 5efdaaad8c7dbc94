"""The training program over made-up street scenes, where PyTorch is."""

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from containers.detection import cells
from containers.detection.__main__ import main
from containers.detection.architecture import design
from containers.detection.cells import Floats
from containers.detection.model import load_model
from containers.shared.job.last_save import LastSave
from containers.shared.job.outputs import Outputs
from headrace.recipes import detection
from tests.containers.detection.detectors import (
    CHANNELS,
    list_records,
    list_scenes,
    write_records_job,
    write_streams_job,
)
from tests.containers.diverging import set_endless_rate
from tests.containers.job_roots import list_files
from tests.torch_packages import require_torch

pytestmark = pytest.mark.slow
SAVING = {"HEADRACE_CHECKPOINT_SECONDS": "0"}
LISTED = {name: list_scenes(6, seed) for seed, name in enumerate(CHANNELS)}


@pytest.fixture(scope="module", autouse=True)
def torch() -> Any:
    """PyTorch, with one thread: the tests of other processes need the others."""
    require_torch()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch

    return torch


def train(root: Path, environment: dict[str, str] | None = None) -> int:
    return main(["train"], root, environment or {}, Outputs(), LastSave())


def test_leaves_a_model_that_is_data_only_an_evaluation_and_its_inputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_streams_job(tmp_path, {}, **{name: list_records(listed) for name, listed in LISTED.items()})

    assert train(tmp_path) == 0

    made = {name for name in list_files(tmp_path) if name.startswith(("model", "output"))}
    assert made == {
        "model/model.onnx",
        "model/detector.json",
        "output/data/evaluation.json",
        "output/data/inputs.json",
    }
    assert load_model(tmp_path / "model").classes == 4
    log = capsys.readouterr().out
    assert "this is not AWS's algorithm" in log
    metrics = json.loads((tmp_path / "output/data/evaluation.json").read_text())["metrics"]
    for name, regex in detection.RECIPE.training.metrics.items():
        assert float(re.findall(regex, log)[-1]) == metrics[name]
    assert len(re.findall(r"#quality_metric: host=algo-1, epoch=\d, batch=2 train smooth_l1 <loss>=\(\S+\)", log)) == 2


def test_learns_the_same_from_a_checkpoint_and_from_records(tmp_path: Path) -> None:
    for name in ("whole", "resumed"):
        write_records_job(tmp_path / name, {"seed": "3", "epochs": "3"}, **LISTED)
    saved = tmp_path / "resumed/checkpoints"
    saved.mkdir()

    assert train(tmp_path / "whole") == 0
    assert train(tmp_path / "resumed", SAVING) == 0
    assert len(list(saved.iterdir())) == 2
    # That of the third epoch; the other one is of the second.
    (saved / "epochs-000000.npz").unlink()
    assert train(tmp_path / "resumed", SAVING) == 0

    models = {(tmp_path / name / "model/model.onnx").read_bytes() for name in ("whole", "resumed")}
    assert len(models) == 1


def test_ends_and_saves_nothing_once_its_last_step_leads_beyond_all_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("containers.detection.fitting.set_learning_rate", set_endless_rate)
    # Both photographs in one batch, whose loss is that of a network that knows nothing yet.
    given = {"epochs": "1", "mini_batch_size": "2"}
    write_records_job(tmp_path, given, train=LISTED["train"][:2], validation=LISTED["validation"][:2])
    (tmp_path / "checkpoints").mkdir()

    assert train(tmp_path, SAVING) == 1

    failure = (tmp_path / "output/failure").read_text()
    assert failure.startswith("the network's numbers grew beyond all bounds in epoch 0; lower learning_rate, 0.002")
    assert not list_files(tmp_path / "checkpoints")
    assert not list_files(tmp_path / "model")


@pytest.mark.parametrize("changes", [{"optimizer": np.zeros(1, np.float32)}, {"steps": np.array(-1)}])
def test_passes_over_a_crafted_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, NDArray[Any]]
) -> None:
    write_records_job(tmp_path, {"epochs": "1"}, train=LISTED["train"][:2], validation=LISTED["validation"][:2])
    (tmp_path / "checkpoints").mkdir()
    assert train(tmp_path, SAVING) == 0
    model = (tmp_path / "model/model.onnx").read_bytes()
    saved = tmp_path / "checkpoints/epochs-000000.npz"
    with np.load(saved) as arrays:
        crafted = {**arrays, **changes}
    np.savez(saved, **crafted)

    assert train(tmp_path, SAVING) == 0

    assert "checkpoint_ignored file=epochs-000000.npz" in capsys.readouterr().err
    assert (tmp_path / "model/model.onnx").read_bytes() == model


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adadelta"])
def test_learns_with_each_optimizer_and_stops_when_it_no_longer_gets_better(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], optimizer: str
) -> None:
    given = {
        "optimizer": optimizer,
        "epochs": "4",
        "learning_rate": "0.0001",
        "early_stopping": "True",
        "early_stopping_min_epochs": "2",
        "early_stopping_patience": "1",
        "early_stopping_tolerance": "1",
    }
    write_records_job(tmp_path, given, train=LISTED["train"][:2], validation=LISTED["validation"][:2])

    assert train(tmp_path) == 0

    assert len(re.findall("validation mAP", capsys.readouterr().out)) == 2


def test_keeps_what_cells_say_of_few_photographs_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from containers.detection import fitting
    from containers.detection.network import Network

    sizes = []

    def decode(said: Floats, classes: int) -> tuple[Floats, Floats]:
        sizes.append(len(said))
        return cells.decode(said, classes)

    monkeypatch.setattr(fitting, "decode", decode)
    photographs = np.zeros((2 * fitting.JUDGED_AT_ONCE + 1, 64, 64, 3), np.uint8)

    found = fitting.find_all(Network(design(64, 4), "cpu"), photographs, 0.45)

    assert len(found) == len(photographs)
    assert sizes == [fitting.JUDGED_AT_ONCE, fitting.JUDGED_AT_ONCE, 1]


def test_ends_with_the_reason_of_a_mistake(tmp_path: Path) -> None:
    write_records_job(tmp_path, {"base_network": "vgg-16"}, **LISTED)

    assert train(tmp_path) == 1

    assert (tmp_path / "output/failure").read_text().startswith("hyperparameter base_network: our own program")
