"""Keys that can be files, and keys that cannot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.data.errors import KeyRefusedError
from headrace.data.listing import Entry
from headrace.data.names import keep_files


def entries(*names: str, size: int = 1) -> list[Entry]:
    return [Entry(name, size, 0) for name in names]


@given(st.text())
def test_keeps_only_names_inside_the_folder(name: str) -> None:
    try:
        kept = keep_files(entries(name))
    except KeyRefusedError:
        return

    assert kept[0].name == name
    assert not name.startswith("/")
    assert not {"", ".", ".."} & set(name.split("/"))


def test_names_the_first_refused_keys_and_counts_the_rest() -> None:
    with pytest.raises(KeyRefusedError, match=r"'\.\./0', '\.\./1', '\.\./2' and 7 more: no name of a file"):
        keep_files(entries(*(f"../{number}" for number in range(10))))


def test_refuses_content_under_a_folders_name() -> None:
    with pytest.raises(KeyRefusedError, match="'a/'"):
        keep_files(entries("a/"))


def test_refuses_the_name_of_its_own_folder_for_unfinished_files() -> None:
    with pytest.raises(KeyRefusedError):
        keep_files(entries(".headrace-partial/a"))


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b/c/d", "a/b"), ("a", "a/b/c")])
def test_refuses_a_file_in_the_place_of_a_folder(names: tuple[str, ...]) -> None:
    with pytest.raises(KeyRefusedError, match="both an object and a folder of objects; rename one of them"):
        keep_files(entries(*names))


def test_keeps_names_that_only_begin_alike() -> None:
    assert len(keep_files(entries("a", "a.b/c", "ab/c", "ab/d"))) == 4
