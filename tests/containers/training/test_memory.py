from pathlib import Path

import pytest

from containers.shared.training_failures import JobError
from containers.training import memory
from containers.training.hyperparameters import Hyperparameters

GIB = 2**30


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 8 GiB left, whose control group's files a test may write."""
    (tmp_path / "meminfo").write_text("MemTotal:  16777216 kB\nMemAvailable:   8388608 kB\n")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CGROUP_FILES", ((tmp_path / "max", tmp_path / "current"),))
    return tmp_path


def test_finds_what_the_machine_has_left(machine: Path) -> None:
    assert memory.find_free_memory() == 8 * GIB


def test_finds_what_the_container_has_left(machine: Path) -> None:
    (machine / "max").write_text(f"{3 * GIB}\n")
    (machine / "current").write_text(f"{GIB}\n")

    assert memory.find_free_memory() == 2 * GIB


def test_takes_the_machine_as_the_limit_of_a_container_without_one(machine: Path) -> None:
    (machine / "max").write_text("max\n")
    (machine / "current").write_text(f"{GIB}\n")

    assert memory.find_free_memory() == 8 * GIB


def test_knows_nothing_where_the_system_says_nothing(machine: Path) -> None:
    (machine / "meminfo").unlink()

    assert memory.find_free_memory() is None


def test_refuses_channels_that_are_too_large_to_read(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train/train_features.csv").write_bytes(b"1" * 1000)

    memory.check_reading([tmp_path / "train"], 1200)
    with pytest.raises(JobError, match=r"^reading channels train needs about 0\.0 GiB of memory, but"):
        memory.check_reading([tmp_path / "train"], 1199)


def test_refuses_a_forest_that_is_too_large_to_grow() -> None:
    with pytest.raises(JobError) as raised:
        memory.check_fitting(8_500_000, Hyperparameters(min_samples_leaf=1), threads=4, free=16 * GIB)

    assert str(raised.value) == (
        "growing 500 trees of about 5371999500 nodes in all from 8500000 rows needs about 7005.8 GiB of memory, but "
        "16.0 GiB are free; choose an instance type with more memory, raise min_samples_leaf, or lower max_depth or "
        "n_estimators"
    )


@pytest.mark.parametrize(
    "hyperparameters", [Hyperparameters(min_samples_leaf=50_000), Hyperparameters(min_samples_leaf=1, max_depth=8)]
)
def test_accepts_a_smaller_forest_of_the_same_rows(hyperparameters: Hyperparameters) -> None:
    memory.check_fitting(8_500_000, hyperparameters, threads=4, free=16 * GIB)


def test_refuses_nothing_where_the_memory_is_unknown() -> None:
    memory.check_fitting(8_500_000, Hyperparameters(min_samples_leaf=1), threads=4, free=None)
