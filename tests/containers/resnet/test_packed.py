"""The training program over packed sets, where PyTorch is."""

import json
import math
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.resnet.__main__ import main
from containers.resnet.contract import PACKED
from containers.resnet.model import load_model
from containers.shared.job.checkpoints import Checkpoints
from containers.shared.job.last_save import LastSave
from containers.shared.job.outputs import Outputs
from headrace.packed import PackedRecord, write_packed
from headrace.workloads.photographs import make_photographs
from tests.containers.diverging import set_endless_rate
from tests.containers.job_roots import list_files, write_job
from tests.containers.normalizer.fake_s3 import FakeS3
from tests.containers.normalizer.jobs import run_job
from tests.containers.resnet.networks import CLASSES, HYPERPARAMETERS, write_packed_job

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
SAVING = {"HEADRACE_CHECKPOINT_SECONDS": "0"}
AUGMENTED = {"augmentation_type": "crop_color", "epochs": "3", "mini_batch_size": "4"}


def train(root: Path, environment: dict[str, str] | None = None) -> int:
    return main(["train"], root, environment or {}, Outputs(), LastSave())


def read_model(root: Path) -> bytes:
    return (root / "model/model.onnx").read_bytes()


def test_leaves_what_the_program_leaves_of_photographs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_packed_job(tmp_path)

    assert train(tmp_path) == 0

    made = {name for name in list_files(tmp_path) if name.startswith(("model", "output"))}
    assert made == {
        "model/model.onnx",
        "model/classes.json",
        "model/network.npz",
        "output/data/evaluation.json",
        "output/data/inputs.json",
    }
    assert load_model(tmp_path / "model").labels == ("ball", "cross", "gear")
    assert len(re.findall(r"Validation-accuracy=0\.\d+", capsys.readouterr().out)) == 2
    inputs = (tmp_path / "output/data/inputs.json").read_text()
    assert all(name in inputs for name in ("packed.json", "records.npy", "pixels-00000.npy"))


def test_learns_from_what_bulk_normalizing_has_packed(tmp_path: Path) -> None:
    s3 = FakeS3()
    make_photographs(tmp_path / "photographs", classes=CLASSES, per_class=4)
    for name in list_files(tmp_path / "photographs"):
        s3.put(f"images/{name}", (tmp_path / "photographs" / name).read_bytes())
    run_job(s3, "--colour", "rgb", "--packed")
    folder = tmp_path / "packed"
    folder.mkdir()
    for key in s3.keys("sets/small/packed/"):
        (folder / Path(key).name).write_bytes(s3.read(key))
    channels = dict.fromkeys(("train", "validation"), folder)
    write_job(tmp_path, {**HYPERPARAMETERS, "epochs": "1"}, channels, content_type=PACKED)

    assert train(tmp_path) == 0

    assert load_model(tmp_path / "model").labels == ("ball", "cross", "gear")


def test_says_how_the_device_was_fed_and_what_an_epoch_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_packed_job(tmp_path)
    config = tmp_path / "input/config/resourceconfig.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "current_instance_type": "ml.g4dn.xlarge"}))

    assert train(tmp_path) == 0

    log = capsys.readouterr().out
    found = {
        name: [float(value) for value in re.findall(rf"metric train:{name}=([0-9.]+)", log)]
        for name in ("images_per_second", "waited_share", "dollars_per_epoch")
    }
    assert all(len(values) == 2 for values in found.values())
    assert all(value > 0 for value in found["images_per_second"])
    assert all(0 <= value <= 1 for value in found["waited_share"])
    assert "price instance_type=ml.g4dn.xlarge dollars_per_hour=0.7364 region=us-east-1 checked=20" in log


def test_ends_and_saves_nothing_once_its_numbers_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr("containers.resnet.packed_fitting.weigh_classes", lambda *_: torch.full((CLASSES,), math.nan))
    write_packed_job(tmp_path, mini_batch_size="4")
    (tmp_path / "checkpoints").mkdir()

    assert train(tmp_path, SAVING) == 1

    assert "grew beyond all bounds in epoch 0; lower learning_rate" in (tmp_path / "output/failure").read_text()
    assert not list((tmp_path / "checkpoints").glob("steps-*.npz"))


def test_ends_and_saves_nothing_once_its_last_step_leads_beyond_all_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("containers.resnet.packed_fitting.set_learning_rate", set_endless_rate)
    write_packed_job(tmp_path, mini_batch_size="18")
    (tmp_path / "checkpoints").mkdir()

    assert train(tmp_path, SAVING) == 1

    assert "grew beyond all bounds in epoch 0; lower learning_rate" in (tmp_path / "output/failure").read_text()
    assert not list((tmp_path / "checkpoints").glob("steps-*.npz"))


def test_learns_to_tell_classes_apart(tmp_path: Path) -> None:
    levels = {"train": 60, "validation": 30}
    write_packed_job(tmp_path, epochs="6", learning_rate="0.02", augmentation_type="crop_color")
    for channel, count in levels.items():
        folder = tmp_path / f"input/data/{channel}"
        for path in list(folder.iterdir()):
            path.unlink()
        chance = np.random.default_rng(count)
        records = [
            PackedRecord(
                index,
                index % 3,
                chance.integers(0, 90, (24, 24, 3), np.uint8) + np.uint8(60) * np.eye(3, dtype=np.uint8)[index % 3],
            )
            for index in range(count)
        ]
        write_packed(tmp_path / f"{channel}_new", records)
        for path in (tmp_path / f"{channel}_new").iterdir():
            path.rename(folder / path.name)

    assert train(tmp_path) == 0

    evaluation = json.loads((tmp_path / "output/data/evaluation.json").read_text())
    assert evaluation["metrics"]["validation:accuracy"] > 0.8


class KilledError(BaseException):
    """Ends a program at once."""


def kill_after(monkeypatch: pytest.MonkeyPatch, parts: int) -> None:
    """Have the program end once so many parts are saved."""

    def save_and_die(self: Checkpoints, arrays: Any, size: int) -> None:
        save(self, arrays, size)
        if self.done == parts:
            raise KilledError

    save = Checkpoints.save
    monkeypatch.setattr(Checkpoints, "save", save_and_die)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_killed_at_any_step_it_ends_with_the_same_weights(
    tmp_path: Path, optimizer: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**AUGMENTED, "optimizer": optimizer, "learning_rate": "0.001", "momentum": "0.9"}
    for name in ("whole", "killed"):
        write_packed_job(tmp_path / name, **given)
    assert train(tmp_path / "whole") == 0
    # Five steps of four records, and one of the fewest, in each of three epochs.
    kept = random.randrange(1, 15)  # noqa: S311 - chance, not a secret

    with monkeypatch.context() as patched:
        kill_after(patched, kept)
        with pytest.raises(KilledError):
            train(tmp_path / "killed", SAVING)
    capsys.readouterr()
    assert train(tmp_path / "killed", SAVING) == 0

    log = capsys.readouterr().out
    assert re.search(rf"checkpoint_resumed .* done={kept}\n", log)
    assert re.findall(r"checkpoint_saved .* done=(\d+)", log)[-1] == "15"
    assert len(list((tmp_path / "killed/checkpoints").iterdir())) == 2
    assert read_model(tmp_path / "killed") == read_model(tmp_path / "whole"), f"killed after step {kept}"
    scores = [json.loads((tmp_path / name / "output/data/evaluation.json").read_text()) for name in ("whole", "killed")]
    assert scores[0] == scores[1]


def test_begins_anew_where_the_set_has_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_packed_job(tmp_path, epochs="1")
    assert train(tmp_path, SAVING) == 0
    path = tmp_path / "input/data/train/packed.json"
    path.write_text(path.read_text().replace("\n", "\n\n"))

    assert train(tmp_path, SAVING) == 0

    assert "it is of other data, hyperparameters or versions" in capsys.readouterr().err


def read_failure(root: Path) -> str:
    assert train(root) == 1
    assert not (root / "model/model.onnx").exists()
    return (root / "output/failure").read_text()


def test_names_the_record_that_is_damaged(tmp_path: Path) -> None:
    write_packed_job(tmp_path)
    path = tmp_path / "input/data/train/pixels-00000.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"?")

    assert re.search(r"pixels-00000\.npy, record \d+ \(index \d+\): its pixels do not have", read_failure(tmp_path))


def test_names_a_record_that_is_damaged_when_all_has_been_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from containers.resnet.packed_fitting import fit_packed

    write_packed_job(tmp_path)
    path = tmp_path / "input/data/validation/pixels-00000.npy"

    def fit_and_damage(*given: Any) -> Any:
        network = fit_packed(*given)
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        return network

    monkeypatch.setattr("containers.resnet.program.fit_packed", fit_and_damage)

    assert re.search(r"^\S+pixels-00000\.npy, record \d+ \(index \d+\): its pixels do not", read_failure(tmp_path))


def test_refuses_more_classes_than_it_has(tmp_path: Path) -> None:
    write_packed_job(tmp_path, num_classes="2")

    assert "channel 'train': the set has 3 classes, and num_classes is 2" in read_failure(tmp_path)


def test_refuses_a_packed_set_beside_photographs(tmp_path: Path) -> None:
    write_packed_job(tmp_path)
    path = tmp_path / "input/config/inputdataconfig.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "validation": {"ContentType": "application/x-image"}}))

    assert "channel 'train' brings a packed set, and channel 'validation' does not" in read_failure(tmp_path)


def test_refuses_several_instances_for_photographs_that_are_not_packed(tmp_path: Path) -> None:
    write_packed_job(tmp_path, "algo-1", "algo-2")
    path = tmp_path / "input/config/inputdataconfig.json"
    path.write_text(json.dumps({name: {"ContentType": "application/x-recordio"} for name in ("train", "validation")}))

    assert "the job has 2 instances, and photographs that are not packed are learnt on one" in read_failure(tmp_path)
