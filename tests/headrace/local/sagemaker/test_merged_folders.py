from io import BytesIO
from typing import BinaryIO

from headrace.local.sagemaker.left_files import LeftEntry
from headrace.local.sagemaker.merged_folders import MergedFolder


class FakeFolder:
    """Files by path; a name with a slash at its end is a folder."""

    def __init__(self, owner: str, *names: str) -> None:
        self._owner = owner
        self._names = names

    def list_entries(self) -> list[LeftEntry]:
        return [LeftEntry(name.rstrip("/"), name, 1, is_folder=name.endswith("/")) for name in self._names]

    def open(self, entry: LeftEntry) -> BinaryIO:
        return BytesIO(f"{entry.source} of {self._owner}".encode())


def merge(*folders: FakeFolder) -> tuple[dict[str, str], list[str]]:
    notes: list[str] = []
    merged = MergedFolder(folders, notes.append)
    entries = merged.list_entries()
    return {each.name: "folder" if each.is_folder else merged.open(each).read().decode() for each in entries}, notes


def test_has_what_each_instance_left() -> None:
    merged, notes = merge(FakeFolder("one", "parts/", "parts/1"), FakeFolder("two", "parts/", "parts/2"))

    assert merged == {"parts": "folder", "parts/1": "parts/1 of one", "parts/2": "parts/2 of two"}
    assert notes == []


def test_keeps_the_file_of_the_first_instance_and_says_so() -> None:
    merged, notes = merge(FakeFolder("one", "model"), FakeFolder("two", "model"))

    assert merged == {"model": "model of one"}
    assert notes == ["model of algo-2: not stored, because an instance before it left model"]


def test_keeps_a_file_where_another_instance_left_a_folder_of_the_name() -> None:
    merged, notes = merge(FakeFolder("one", "model"), FakeFolder("two", "model/", "model/deep/", "model/deep/a"))

    assert merged == {"model": "model of one"}
    assert len(notes) == 3


def test_keeps_a_folder_where_another_instance_left_a_file_of_the_name() -> None:
    merged, notes = merge(FakeFolder("one", "model/", "model/a"), FakeFolder("two", "model"))

    assert merged == {"model": "folder", "model/a": "model/a of one"}
    assert len(notes) == 1
