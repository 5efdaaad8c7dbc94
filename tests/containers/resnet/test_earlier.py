"""A job goes on from an earlier network, and refuses one that is another or is not ours."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from containers.resnet import contract
from containers.resnet.earlier import ARCHIVE, keep_weights, read_earlier
from containers.resnet.hyperparameters import parse_hyperparameters
from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_failures import TrainingDataError
from containers.shared.job.training_job import read_job
from tests.containers.job_roots import write_job
from tests.containers.resnet.networks import HYPERPARAMETERS

WEIGHTS = np.arange(5, dtype=np.float32)


def pack(folder: Path, **contents: bytes) -> None:
    """An archive of some files, whose names have dots for underscores."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / ARCHIVE, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name.replace("_", "."))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def pack_weights(root: Path, **changes: str) -> None:
    """The archive of a network with other hyperparameters than those of the job."""
    keep_weights(root / "kept.npz", WEIGHTS, parse_hyperparameters({**HYPERPARAMETERS, **changes}))
    pack(root / "given", model_onnx=b"onnx", network_npz=(root / "kept.npz").read_bytes())


def read(root: Path) -> object:
    write_job(root, HYPERPARAMETERS, {"model": root / "given"})
    return read_earlier(root, read_job(root), parse_hyperparameters(HYPERPARAMETERS), JobInputs())


def test_begins_anew_without_the_channel(tmp_path: Path) -> None:
    write_job(tmp_path, HYPERPARAMETERS, {})

    assert read_earlier(tmp_path, read_job(tmp_path), parse_hyperparameters(HYPERPARAMETERS), JobInputs()) is None


def test_reads_what_was_kept_and_takes_it_down(tmp_path: Path) -> None:
    pack_weights(tmp_path)
    write_job(tmp_path, HYPERPARAMETERS, {"model": tmp_path / "given"})
    inputs = JobInputs()

    weights = read_earlier(tmp_path, read_job(tmp_path), parse_hyperparameters(HYPERPARAMETERS), inputs)

    assert weights is not None
    assert weights.tolist() == WEIGHTS.tolist()
    assert json.loads(inputs.dump())["channels"].keys() == {contract.MODEL_CHANNEL}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_classes": "4"}, "channel 'model': the earlier network has num_classes 4, and the job 3; give the job"),
        ({"num_layers": "32"}, "channel 'model': the earlier network has num_layers 32, and the job 20; give"),
        ({"image_shape": "3,20,20"}, "channel 'model': the earlier network has side 20, and the job 16; give"),
    ],
)
def test_refuses_another_network(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    pack_weights(tmp_path, **changes)

    with pytest.raises(TrainingDataError) as caught:
        read(tmp_path)

    assert str(caught.value).startswith(message)


def write_garbage(folder: Path) -> None:
    folder.mkdir()
    (folder / ARCHIVE).write_bytes(b"not an archive")


def write_other(folder: Path) -> None:
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"onnx")


def write_link(folder: Path) -> None:
    folder.mkdir()
    with tarfile.open(folder / ARCHIVE, "w:gz") as archive:
        member = tarfile.TarInfo(contract.WEIGHTS_FILE)
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)


def write_pickle(folder: Path) -> None:
    content = io.BytesIO()
    objects = np.array([{"a": 1}], object)
    np.savez(content, num_layers=objects, num_classes=objects, side=objects, weights=objects)
    pack(folder, network_npz=content.getvalue())


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (write_garbage, r"model\.tar\.gz: it is not a readable tar\.gz archive"),
        (write_other, r"channel 'model' has no model\.tar\.gz, only model\.onnx"),
        (write_link, "is neither a file nor a folder"),
        (write_pickle, r"network\.npz: an array of \(1,\) object is not one of"),
        (lambda folder: pack(folder, network_npz=b"junk"), r"network\.npz: File is not a zip file"),
        (lambda folder: pack(folder, model_onnx=b"onnx"), r"has no network\.npz: it is not a model of this program"),
    ],
)
def test_refuses_what_is_not_a_model_of_ours(tmp_path: Path, write: Callable[[Path], None], message: str) -> None:
    write(tmp_path / "given")

    with pytest.raises(TrainingDataError, match=message):
        read(tmp_path)


def test_refuses_weights_that_are_no_numbers(tmp_path: Path) -> None:
    keep_weights(tmp_path / "kept.npz", WEIGHTS * np.nan, parse_hyperparameters(HYPERPARAMETERS))
    pack(tmp_path / "given", network_npz=(tmp_path / "kept.npz").read_bytes())

    with pytest.raises(TrainingDataError, match="a weight of the earlier network is not a finite number"):
        read(tmp_path)
