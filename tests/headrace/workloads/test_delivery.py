"""What a run brings takes the place of what runs have brought, and of nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.workloads.delivery import Delivery, Folder, ForeignDataError, Place, refuse_foreign


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty place; those of a bucket are tried on a local cloud."""
    return Folder(tmp_path / "file-system")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Makes files of some content."""

    def make(content: str) -> Path:
        path = tmp_path / f"made-{content}"
        path.write_text(content)
        return path

    return make


def test_replaces_what_an_earlier_run_brought(place: Place, write: Callable[[str], Path], tmp_path: Path) -> None:
    Delivery(tmp_path).bring(place, {"a.csv": write("1"), "b.csv": write("2")})

    Delivery(tmp_path).bring(place, {"b.csv": write("3"), "sub/c.csv": write("4")})

    assert sorted(place.list_files()) == ["b.csv", "sub/c.csv"]
    assert place.read("b.csv") == b"3"
    assert Delivery(tmp_path).find_foreign([place]) == {}


def test_never_removes_what_somebody_else_has_put_there(
    place: Place, write: Callable[[str], Path], tmp_path: Path
) -> None:
    place.put("mine.csv", write("mine"))
    Delivery(tmp_path).bring(place, {"a.csv": write("1")})
    place.put("a.csv", write("changed"))

    Delivery(tmp_path).bring(place, {"b.csv": write("2")})

    assert {name: place.read(name) for name in place.list_files()} == {
        "a.csv": b"changed",
        "b.csv": b"2",
        "mine.csv": b"mine",
    }
    assert Delivery(tmp_path).find_foreign([place]) == {place: ["a.csv", "mine.csv"]}


def test_overwrites_nothing_of_somebody_else(place: Place, write: Callable[[str], Path], tmp_path: Path) -> None:
    place.put("a.csv", write("mine"))

    with pytest.raises(ForeignDataError, match=r"has a\.csv, which"):
        Delivery(tmp_path).bring(place, {"a.csv": write("1")})

    assert place.read("a.csv") == b"mine"


def test_overlooks_what_no_job_reads(place: Place, write: Callable[[str], Path], tmp_path: Path) -> None:
    place.put("notes.txt", write("1"))

    assert Delivery(tmp_path).find_foreign([place], matters=lambda name: name.endswith(".csv")) == {}


def test_names_a_few_of_many(tmp_path: Path) -> None:
    with pytest.raises(ForeignDataError) as refused:
        refuse_foreign({Folder(tmp_path): ["a", "b", "c", "d", "e"]})

    assert str(refused.value) == (
        f"{tmp_path} has a, b, c and 2 more, which 'headrace local run' did not put there and the job would read too; "
        "leave --data out to train on what is there, or remove it first"
    )
