"""Keys that can be files, and keys that cannot; names that can be keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.data.entries import Entry
from headrace.data.names import place_of, settle_files, settle_objects
from headrace.s3.addresses import S3Address


def settle(*names: str, size: int = 1) -> dict[str, str]:
    """The problem of each name."""
    return {entry.name: entry.problem for entry in settle_files(Entry(name, size, 0) for name in names)}


@given(st.text())
def test_takes_only_names_inside_the_folder(name: str) -> None:
    if settle(name)[name]:
        return

    place = place_of(name)
    assert not place.startswith("/")
    assert not {"", ".", ".."} & set(place.split("/"))


@pytest.mark.parametrize("name", ["../a", "a/../../b", "./a", "a/..", "a/", "/", "a\0b", ".headrace-partial/a"])
def test_takes_no_key_that_names_no_file_in_the_folder(name: str) -> None:
    assert settle("fine", name) == {
        "fine": "",
        name: "its key is not the name of a file inside the folder; rename the object",
    }


@pytest.mark.parametrize(("name", "place"), [("a//b", "a/b"), ("/etc/passwd", "etc/passwd"), ("///a", "a")])
def test_drops_empty_segments_as_the_aws_cli_does(name: str, place: str) -> None:
    assert settle(name) == {name: ""}
    assert place_of(name) == place


def test_gives_a_place_to_the_key_that_is_its_own_path() -> None:
    problems = settle("a//b", "a/b", "/a/b")

    assert problems["a/b"] == ""
    assert problems["a//b"] == problems["/a/b"] == "it would be the same file as 'a/b'; rename one of them"


@pytest.mark.parametrize(("file", "below"), [("a", "a/b"), ("a/b", "a/b/c/d"), ("a", "a/b/c"), ("a", "a//b")])
def test_keeps_a_folder_of_objects_and_skips_the_object_of_its_name(file: str, below: str) -> None:
    assert settle(file, below) == {file: "both an object and a folder of objects; rename one of them", below: ""}


def test_keeps_names_that_only_begin_alike() -> None:
    assert set(settle("a", "a.b/c", "ab/c", "ab/d").values()) == {""}


def test_leaves_out_the_empty_objects_that_stand_for_folders() -> None:
    assert settle("a/", size=0) == {}


def test_finds_names_that_cannot_be_keys() -> None:
    entries = [Entry("fine", 1, 0), Entry("\udcff", 1, 0), Entry("é" * 510, 1, 0)]

    problems = [entry.problem for entry in settle_objects(entries, S3Address("raw", "images/"))]

    assert problems == [
        "",
        "its name is not UTF-8, as keys must be; rename the file",
        "its key would have 1,027 bytes; S3 allows 1,024",
    ]
