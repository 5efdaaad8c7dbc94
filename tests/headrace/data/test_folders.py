"""What listings of folders find: files, links, and what is neither."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from headrace import data
from headrace.data.folders import list_files


def find(folder: Path) -> dict[str, str]:
    """The problem of each name."""
    return {entry.name: entry.problem for entry in list_files(folder)}


def test_follows_links_to_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "1.jpg").touch()
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "cats").symlink_to("../real")
    (tmp_path / "set" / "one.jpg").symlink_to("../real/1.jpg")

    assert find(tmp_path / "set") == {"one.jpg": "", "cats/1.jpg": ""}


def test_says_what_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "self").symlink_to("self")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))

        found = find(tmp_path)

    assert found == {
        "broken": "a link to nothing (nowhere)",
        "device": "a device, not a file",
        "pipe": "a named pipe, not a file",
        "self": "a link that leads back to itself",
        "socket": "a socket, not a file",
    }


def test_ends_where_links_lead_in_circles(tmp_path: Path) -> None:
    for name, other in (("x", "y"), ("y", "x")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1").touch()
        (tmp_path / name / other).symlink_to(tmp_path / other)
    (tmp_path / "x" / "up").symlink_to("..")

    found = find(tmp_path / "x")

    assert {name for name, problem in found.items() if not problem} == {"1", "y/1", "up/y/1"}
    assert found["y/x/"] == "a link to a folder that it is in"
    assert all("a link to a folder" in problem for name, problem in found.items() if name.count("/") > 3)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_says_what_it_may_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").touch(0o000)
    (tmp_path / "folder").mkdir(0o000)

    assert find(tmp_path) == {"file": "no permission to read it", "folder/": "no permission to read it"}


def test_finds_names_that_are_not_text(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.jpg")).touch()

    assert find(tmp_path) == {"\udcff.jpg": ""}


def test_goes_into_folders_deeper_than_python_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Paths longer than the system takes at once must be made step by step.
    monkeypatch.chdir(tmp_path)
    for _ in range(1_200):
        Path("d").mkdir()
        os.chdir("d")
    os.chdir(tmp_path)

    try:
        assert find(tmp_path) == {}
    finally:
        # Python's own removal of trees goes no deeper than it calls, and would fail in the clean-up.
        subprocess.run(["rm", "-rf", "d"], check=True)


def test_lists_measures_and_copies_the_same(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "1").write_bytes(b"12")
    source.mkdir()
    (source / "a").write_bytes(b"1")
    (source / "folder").symlink_to("../linked")
    (source / "broken").symlink_to("nowhere")

    with pytest.raises(data.IncompleteError) as stopped:
        data.replicate(source, tmp_path / "target")
    report = stopped.value.report
    listed = [entry for entry in data.list_objects(source, recursive=True) if not entry.problem]

    assert report.copied == ("a", "folder/1") == tuple(entry.name for entry in listed)
    assert data.measure_usage(source) == data.Usage(objects=2, bytes=3)
    assert [file.name for file in report.skipped] == ["broken"]
    assert {entry.name for entry in data.list_objects(source)} == {"a", "broken", "folder/"}
