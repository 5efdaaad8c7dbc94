from pathlib import Path

import pytest

from containers.shared.job import free_memory

GIB = 2**30


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 8 GiB left, whose control group's files a test may write."""
    (tmp_path / "meminfo").write_text("MemTotal:  16777216 kB\nMemAvailable:   8388608 kB\n")
    monkeypatch.setattr(free_memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(free_memory, "CGROUP_FILES", ((tmp_path / "max", tmp_path / "current"),))
    return tmp_path


def test_finds_what_the_machine_has_left(machine: Path) -> None:
    assert free_memory.find_free_memory() == 8 * GIB


def test_finds_what_the_container_has_left(machine: Path) -> None:
    (machine / "max").write_text(f"{3 * GIB}\n")
    (machine / "current").write_text(f"{GIB}\n")

    assert free_memory.find_free_memory() == 2 * GIB


def test_takes_the_machine_as_the_limit_of_a_container_without_one(machine: Path) -> None:
    (machine / "max").write_text("max\n")
    (machine / "current").write_text(f"{GIB}\n")

    assert free_memory.find_free_memory() == 8 * GIB


def test_knows_nothing_where_the_system_says_nothing(machine: Path) -> None:
    (machine / "meminfo").unlink()

    assert free_memory.find_free_memory() is None
