import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.shared.job import checkpoints as module
from containers.shared.job.array_files import ArrayLayout, write_arrays
from containers.shared.job.checkpoints import NO_CHECKPOINTS, CheckpointFolder, Checkpoints, Work, parse_interval
from containers.shared.job.last_save import LastSave
from containers.shared.job.training_failures import JobError

WORK = Work(
    "part", "f" * 64, {"numbers": ArrayLayout(np.dtype("int64"), (range(1, 100),))}, lambda part: len(part["numbers"])
)


def open_work(folder: Path, interval_seconds: float | None = 0) -> Checkpoints:
    return CheckpointFolder(folder, interval_seconds, LastSave()).open(WORK)


def dump_array(array: Any, **options: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, array, **options)
    return content.getvalue()


def describe_array(header: str) -> bytes:
    """An array of nothing but a header in version 1.0 of NumPy's format."""
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def spoil(path: Path, numbers: bytes, compression: int = zipfile.ZIP_STORED) -> None:
    """Write a part that is right but for the content of its array."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("fingerprint.npy", dump_array(np.array("f" * 64)))
        archive.writestr("begin.npy", dump_array(np.array(0)))
        archive.writestr("numbers.npy", numbers)


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.mkdir, (self._folder,)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with one part."""
    open_work(tmp_path).save({"numbers": np.arange(3)}, 3)
    return tmp_path


def test_gives_back_what_was_saved(saved: Path) -> None:
    (part,) = open_work(saved).load()

    assert part["numbers"].tolist() == [0, 1, 2]


def test_numbers_parts_on(saved: Path) -> None:
    checkpoints = open_work(saved)
    list(checkpoints.load())

    checkpoints.save({"numbers": np.arange(2)}, 2)

    assert [len(part["numbers"]) for part in open_work(saved).load()] == [3, 2]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(dump_array(np.arange(100)), id="too long"),
        pytest.param(dump_array(np.arange(0)), id="empty"),
        pytest.param(dump_array(np.arange(3.0)), id="another type"),
        pytest.param(dump_array(np.arange(4).reshape(2, 2)), id="another shape"),
        pytest.param(dump_array(np.arange(3)) + b"more", id="more than its array"),
        pytest.param(describe_array("{'descr': '<i8', 'fortran_order': False, 'shape': (99,), }"), id="header alone"),
        pytest.param(describe_array("{'descr': '<i8', 'fortran_order': False, 'shape': (10**9,), }"), id="expression"),
        pytest.param(describe_array("-" * 9_000 + "1"), id="deep"),
        pytest.param(describe_array("(" * 9_000), id="brackets"),
        pytest.param(describe_array("{'descr': [('a', " * 700), id="structured"),
        pytest.param(describe_array("{'descr': '<i8', 'fortran_order': False, 'shape': (-1,), }"), id="negative"),
        pytest.param(b"\x93NUMPY\x09\x00", id="another version"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_refuses_a_crafted_array(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(tmp_path / "part-000000.npz", content)

    assert list(open_work(tmp_path).load()) == []
    assert capsys.readouterr().err.count("checkpoint_ignored file=part-000000.npz reason=") == 1


def test_runs_no_code_of_a_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(tmp_path / "part-000000.npz", dump_array(np.array([Trap(tmp_path / "sprung")]), allow_pickle=True))

    assert list(open_work(tmp_path).load()) == []
    assert not (tmp_path / "sprung").exists()
    assert "checkpoint_ignored" in capsys.readouterr().err


def test_refuses_a_part_that_grows_when_it_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(tmp_path / "part-000000.npz", dump_array(np.arange(3)), zipfile.ZIP_DEFLATED)

    assert list(open_work(tmp_path).load()) == []
    assert "is compressed" in capsys.readouterr().err


@pytest.mark.parametrize("flipped", range(0, 900, 7))
def test_survives_a_bit_that_flips(saved: Path, flipped: int) -> None:
    path = saved / "part-000000.npz"
    content = bytearray(path.read_bytes())
    content[flipped % len(content)] ^= 1
    path.write_bytes(content)

    assert [part["numbers"].tolist() for part in open_work(saved).load()] in ([], [[0, 1, 2]])


def test_goes_on_when_a_part_cannot_be_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "part-000000.npz").mkdir()
    checkpoints = open_work(tmp_path)

    checkpoints.save({"numbers": np.arange(3)}, 3)

    assert capsys.readouterr().err.startswith("checkpoint_not_saved file=part-000000.npz reason=")
    assert list(open_work(tmp_path).load()) == []


def test_neither_loads_nor_saves_where_the_job_saves_nothing(saved: Path) -> None:
    checkpoints = open_work(saved, None)
    before = {path.name: path.read_bytes() for path in saved.iterdir()}

    checkpoints.save({"numbers": np.arange(3)}, 3)

    assert list(checkpoints.load()) == []
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert not NO_CHECKPOINTS.is_due


@pytest.mark.parametrize("text", ["-1", "1.5", "86401", "٣", "x"])
def test_refuses_an_interval_that_is_not_a_number_of_seconds(text: str) -> None:
    with pytest.raises(JobError, match="HEADRACE_CHECKPOINT_SECONDS"):
        parse_interval({"HEADRACE_CHECKPOINT_SECONDS": text})


def save_cumulative(folder: Path, *counts: int) -> Checkpoints:
    """Save parts of work that hold so many numbers each, after those that are there."""
    checkpoints = CheckpointFolder(folder, 0, LastSave()).open(replace(WORK, measure=lambda _: 1, is_cumulative=True))
    list(checkpoints.load())
    for count in counts:
        checkpoints.save({"numbers": np.arange(count)}, 1)
    return checkpoints


def load_cumulative(folder: Path) -> list[int]:
    checkpoints = CheckpointFolder(folder, 0, LastSave()).open(replace(WORK, measure=lambda _: 1, is_cumulative=True))
    return [len(part["numbers"]) for part in checkpoints.load()]


@pytest.mark.parametrize("counts", [(1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)])
def test_keeps_two_files_of_cumulative_work_and_goes_on_from_the_newest(
    tmp_path: Path, counts: tuple[int, ...]
) -> None:
    save_cumulative(tmp_path, *counts)

    assert len(list(tmp_path.iterdir())) == min(len(counts), 2)
    assert load_cumulative(tmp_path) == [counts[-1]]


@pytest.mark.parametrize("interrupted", [1, 2, 3])
def test_counts_cumulative_parts_on_after_an_interruption(tmp_path: Path, interrupted: int) -> None:
    save_cumulative(tmp_path, *range(1, interrupted + 1))

    assert save_cumulative(tmp_path, 9).done == interrupted + 1
    assert load_cumulative(tmp_path) == [9]


@pytest.mark.parametrize("damaged", [0, 1])
def test_goes_on_from_the_other_file_of_cumulative_work_and_writes_over_the_damaged_one(
    tmp_path: Path, damaged: int, capsys: pytest.CaptureFixture[str]
) -> None:
    save_cumulative(tmp_path, *([1, 2, 3] if damaged == 0 else [1, 2]))
    path = tmp_path / f"part-{damaged:06}.npz"
    path.write_bytes(path.read_bytes()[:-9])

    before = load_cumulative(tmp_path)
    save_cumulative(tmp_path, 9)

    assert before == [2 - damaged]
    assert load_cumulative(tmp_path) == [9]
    assert f"checkpoint_ignored file={path.name}" in capsys.readouterr().err


def test_writes_under_a_name_that_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, arrays: Any) -> None:
        written.append(path)
        write_arrays(path, arrays)

    written: list[Path] = []
    monkeypatch.setattr(module, "write_arrays", write)

    open_work(tmp_path).save({"numbers": np.arange(3)}, 3)

    assert [(path.parent, path.suffix) for path in written] == [(tmp_path, ".sagemaker-ignore")]
    assert [path.name for path in tmp_path.iterdir()] == ["part-000000.npz"]
