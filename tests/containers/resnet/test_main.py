"""The training program over made-up photographs, where PyTorch is."""

import json
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest

from containers.resnet.__main__ import main
from containers.resnet.earlier import keep_weights
from containers.resnet.hyperparameters import parse_hyperparameters
from containers.resnet.model import load_model
from containers.shared.job.last_save import LastSave
from containers.shared.job.outputs import Outputs
from headrace.algorithms import find_algorithm
from tests.containers.diverging import set_endless_rate
from tests.containers.job_roots import list_files
from tests.containers.resnet.networks import HYPERPARAMETERS, write_photographs_job, write_records_job

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
SAVING = {"HEADRACE_CHECKPOINT_SECONDS": "0"}


def train(root: Path, environment: dict[str, str] | None = None) -> int:
    return main(["train"], root, environment or {}, Outputs(), LastSave())


def test_leaves_a_model_that_is_data_only_an_evaluation_and_its_inputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photographs_job(tmp_path)

    assert train(tmp_path) == 0

    made = {name for name in list_files(tmp_path) if name.startswith(("model", "output"))}
    assert made == {
        "model/model.onnx",
        "model/classes.json",
        "model/network.npz",
        "output/data/evaluation.json",
        "output/data/inputs.json",
        "output/data/lists/train_lst/train_lst.lst",
        "output/data/lists/train_lst/classes.txt",
        "output/data/lists/validation_lst/validation_lst.lst",
    }
    assert load_model(tmp_path / "model").labels == ("ball", "cross", "gear")
    log = capsys.readouterr().out
    assert "this is not AWS's algorithm" in log
    evaluation = json.loads((tmp_path / "output/data/evaluation.json").read_text())
    for name, regex in find_algorithm("image-classification").metrics.items():
        found = re.findall(regex, log)
        assert len(found) == 2
        if name == "validation:accuracy":
            assert float(found[-1]) == evaluation["metrics"][name]
    assert np.sum(evaluation["confusion"]) == evaluation["photographs"]["validation"]


def test_learns_the_same_twice_and_from_records(tmp_path: Path) -> None:
    write_photographs_job(tmp_path / "first", seed="3")
    write_photographs_job(tmp_path / "second", seed="3")
    write_records_job(tmp_path / "records", seed="3")

    for name in ("first", "second", "records"):
        assert train(tmp_path / name) == 0

    models = {(tmp_path / name / "model/model.onnx").read_bytes() for name in ("first", "second", "records")}
    assert len(models) == 1


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_goes_on_from_a_checkpoint_to_the_same_model(tmp_path: Path, optimizer: str) -> None:
    given = {"optimizer": optimizer, "epochs": "3", "augmentation_type": "crop", "learning_rate": "0.001"}
    write_photographs_job(tmp_path / "whole", **given)
    write_photographs_job(tmp_path / "resumed", **given)
    saved = tmp_path / "resumed/checkpoints"

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
    monkeypatch.setattr("containers.resnet.fitting.set_learning_rate", set_endless_rate)
    # All photographs in one batch, whose loss is that of a network that knows nothing yet.
    write_photographs_job(tmp_path, mini_batch_size="18")
    (tmp_path / "checkpoints").mkdir()

    assert train(tmp_path, SAVING) == 1

    failure = (tmp_path / "output/failure").read_text()
    assert failure.startswith("the network's numbers grew beyond all bounds in epoch 0; lower learning_rate, 0.01")
    assert not list_files(tmp_path / "checkpoints")
    assert not list_files(tmp_path / "model")


def bring_model(root: Path, model: Path) -> None:
    """Give a job a channel with the archive of an earlier model."""
    channels = root / "input/config/inputdataconfig.json"
    channels.write_text(json.dumps({**json.loads(channels.read_text()), "model": {"TrainingInputMode": "File"}}))
    folder = root / "input/data/model"
    folder.mkdir()
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(model, ".")


def test_goes_on_from_an_earlier_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_photographs_job(tmp_path / "earlier", epochs="3")
    assert train(tmp_path / "earlier") == 0
    for name in ("anew", "later"):
        write_photographs_job(tmp_path / name, epochs="1", learning_rate="0")
    bring_model(tmp_path / "later", tmp_path / "earlier/model")

    assert [train(tmp_path / name) for name in ("anew", "later")] == [0, 0]

    # What is not learnt is as it was: the weights that the head has, at the end of the file.
    tails = {
        name: np.load(tmp_path / name / "model/network.npz")["weights"][-3:].tolist()
        for name in ("earlier", "later", "anew")
    }
    assert tails["later"] == tails["earlier"] != tails["anew"]
    inputs = json.loads((tmp_path / "later/output/data/inputs.json").read_text())
    assert "model" in inputs["channels"]
    assert "begins earlier_weights=0" in (log := capsys.readouterr().out)
    assert re.search("begins earlier_weights=[1-9]", log)


def test_refuses_an_earlier_model_of_other_layers(tmp_path: Path) -> None:
    write_photographs_job(tmp_path / "job")
    (tmp_path / "model").mkdir()
    keep_weights(tmp_path / "model/network.npz", np.zeros(5, np.float32), parse_hyperparameters(HYPERPARAMETERS))
    bring_model(tmp_path / "job", tmp_path / "model")

    assert train(tmp_path / "job") == 1

    assert (tmp_path / "job/output/failure").read_text() == (
        "channel 'model': the earlier network's weights do not fit the layers of this release; leave continue_from out "
        "and begin anew"
    )


def test_starts_anew_from_checkpoints_of_other_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_photographs_job(tmp_path)
    assert train(tmp_path, SAVING) == 0
    config = tmp_path / "input/config/hyperparameters.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "learning_rate": "0.02"}))

    assert train(tmp_path, SAVING) == 0

    assert "it is of other data, hyperparameters or versions" in capsys.readouterr().err


def test_stops_when_it_no_longer_gets_better(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = {
        "epochs": "9",
        "learning_rate": "0",
        "early_stopping": "True",
        "early_stopping_min_epochs": "2",
        "early_stopping_patience": "1",
        "early_stopping_tolerance": "1",
        "top_k": "2",
        "use_weighted_loss": "1",
    }
    write_photographs_job(tmp_path, **given)

    assert train(tmp_path) == 0

    log = capsys.readouterr().out
    assert len(re.findall("Validation-accuracy", log)) == 2
    assert "Epoch[0] Validation-top_k_accuracy_2=" in log


def test_ends_with_the_reason_of_a_mistake(tmp_path: Path) -> None:
    write_photographs_job(tmp_path, num_layers="18")

    assert train(tmp_path) == 1

    assert (tmp_path / "output/failure").read_text() == (
        "hyperparameter num_layers: 18, but photographs of side 16 take 20, 32, 44, 56, 110"
    )
