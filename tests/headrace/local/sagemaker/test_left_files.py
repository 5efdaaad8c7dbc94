import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.local.sagemaker.left_files import LeftFileError, LeftFolder, open_left_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "root" / "model"
    folder.mkdir(parents=True)
    (tmp_path / "secret").write_text("shh")
    return folder


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        # The whole path can be longer than a socket's address may be.
        here = Path.cwd()
        os.chdir(path.parent)
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


def link_out(path: Path) -> None:
    path.symlink_to(path.parent.parent.parent / "secret")


SPECIAL: list[tuple[Callable[[Path], None], str]] = [
    (os.mkfifo, "is a named pipe"),
    (link_out, "is a link"),
    (make_socket, "is a socket"),
    (Path.mkdir, "is a folder"),
    (lambda path: path.symlink_to("/dev/zero"), "is a link"),
    (lambda path: path.symlink_to(path.name), "is a link"),
]


@pytest.mark.parametrize(("make", "kind"), SPECIAL)
def test_opens_nothing_but_files(folder: Path, make: Callable[[Path], None], kind: str) -> None:
    make(folder / "failure")

    with pytest.raises(LeftFileError, match=f"model/failure {kind}, not a file"):
        open_left_file(folder.parent, "model/failure")


def test_opens_no_device(tmp_path: Path) -> None:
    with pytest.raises(LeftFileError, match="null is a device, not a file"):
        open_left_file(Path("/dev"), "null")


def test_opens_nothing_through_a_linked_folder(folder: Path, tmp_path: Path) -> None:
    (folder.parent / "output").symlink_to(tmp_path)

    with pytest.raises(LeftFileError, match="output/secret cannot be read: Not a directory"):
        open_left_file(folder.parent, "output/secret")


def test_lists_files_and_folders_parents_first(folder: Path) -> None:
    (folder / "b" / "empty").mkdir(parents=True)
    (folder / "b" / "c.txt").write_text("12")
    (folder / "a.txt").write_text("1")

    entries = LeftFolder(folder.parent, "model", note=pytest.fail).list_entries()

    assert [(entry.name, entry.is_folder, entry.size_bytes) for entry in entries] == [
        ("a.txt", False, 1),
        ("b", True, 0),
        ("b/c.txt", False, 2),
        ("b/empty", True, 0),
    ]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (os.mkfifo, "is a named pipe"),
        (link_out, "is a link that does not lead to a file of its folder"),
        (make_socket, "is a socket"),
        (lambda path: path.symlink_to("/"), "is a link that does not lead to a file of its folder"),
        (lambda path: path.symlink_to("."), "is a link that does not lead to a file of its folder"),
        (lambda path: path.symlink_to("absent"), "is a link that does not lead to a file of its folder"),
        (lambda path: path.symlink_to(path.name), "is a link that does not lead to a file of its folder"),
    ],
)
def test_leaves_out_with_a_line_what_is_no_file(folder: Path, make: Callable[[Path], None], reason: str) -> None:
    (folder / "kept.txt").write_text("1")
    make(folder / "odd")
    notes: list[str] = []

    entries = LeftFolder(folder.parent, "model", notes.append).list_entries()

    assert [entry.name for entry in entries] == ["kept.txt"]
    assert notes == [f"model/odd {reason}: not stored"]


def test_takes_a_link_to_a_file_of_the_same_folder_for_that_file(folder: Path) -> None:
    (folder / "step-2").mkdir()
    (folder / "step-2" / "weights").write_text("trained")
    (folder / "last").symlink_to("step-2/weights")
    results = LeftFolder(folder.parent, "model", note=pytest.fail)

    (last,) = [entry for entry in results.list_entries() if entry.name == "last"]

    with results.open(last) as file:
        assert file.read() == b"trained"


def test_leaves_out_names_that_are_not_utf_8(folder: Path) -> None:
    try:
        (folder / os.fsdecode(b"\xff.txt")).touch()
    except OSError:
        pytest.skip("this file system allows no such names")
    notes: list[str] = []

    assert LeftFolder(folder.parent, "model", notes.append).list_entries() == []
    assert notes == ["model/?.txt has a name that is not UTF-8: not stored"]


def test_refuses_a_folder_that_became_a_link(folder: Path, tmp_path: Path) -> None:
    folder.rmdir()
    folder.symlink_to(tmp_path)

    with pytest.raises(LeftFileError, match="model cannot be read as a folder"):
        LeftFolder(folder.parent, "model", note=pytest.fail).list_entries()


def test_lists_nothing_where_the_folder_is_gone(folder: Path) -> None:
    folder.rmdir()

    assert LeftFolder(folder.parent, "model", note=pytest.fail).list_entries() == []


@pytest.mark.slow
def test_reads_folders_deeper_than_any_path_may_be_long(folder: Path) -> None:
    depth, here = 1500, os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("deep", dir_fd=here)
        inner = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)

    try:
        assert len(LeftFolder(folder.parent, "model", note=pytest.fail).list_entries()) == depth
    finally:
        # Python's own removal of trees goes no deeper than it calls, and would fail in the clean-up.
        subprocess.run(["rm", "-rf", folder / "deep"], check=True)
