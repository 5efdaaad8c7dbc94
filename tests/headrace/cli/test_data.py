"""`headrace data`: what it prints where, and its exit codes."""

import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from headrace import data as library
from headrace.cli.data import data

PROGRAM = "from headrace.cli import main; main()"


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(data, [str(argument) for argument in arguments])


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "cats").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"a")
    (folder / "cats" / "1.jpg").write_bytes(b"cat")
    os.utime(folder / "a.jpg", (0, 0))
    return folder


def test_copy_prints_names_and_counts_apart(images: Path, tmp_path: Path) -> None:
    answer = invoke("copy", images, tmp_path / "copy")

    assert answer.exit_code == 0
    assert answer.stdout == "a.jpg\ncats/1.jpg\n"
    assert answer.stderr == "2 copied (4 bytes), 0 unchanged, 0 missing\n"


def test_copy_prints_a_report_as_json(images: Path, tmp_path: Path) -> None:
    invoke("copy", images, tmp_path / "copy")

    report = json.loads(invoke("copy", images, tmp_path / "copy", "--json").stdout)

    assert report == {
        "dry_run": False,
        "source": str(images),
        "target": str(tmp_path / "copy"),
        "copied": [],
        "unchanged": ["a.jpg", "cats/1.jpg"],
        "missing": [],
        "bytes_copied": 0,
    }


def test_copy_shows_what_it_would_do(images: Path, tmp_path: Path) -> None:
    answer = invoke("copy", "--dry-run", images, tmp_path / "copy")

    assert answer.stdout == "a.jpg\ncats/1.jpg\n"
    assert answer.stderr.startswith("2 to copy (4 bytes)")
    assert not (tmp_path / "copy").exists()


def test_copy_exits_with_3_when_objects_are_missing(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [*library.list_objects(images, recursive=True), library.Entry("gone", 1, 0)]
    monkeypatch.setattr("headrace.data.replication.find_entries", lambda _: (images, listed))

    answer = invoke("copy", images, tmp_path / "copy")

    assert answer.exit_code == 3
    assert "missing: gone was listed, but is gone\n" in answer.stderr


def test_ls_prints_bytes_times_and_names(images: Path) -> None:
    assert invoke("ls", images).stdout == "1\t1970-01-01T00:00:00Z\ta.jpg\n\t\tcats/\n"


def test_ls_goes_into_folders_when_told_to(images: Path) -> None:
    lines = invoke("ls", "--recursive", "--json", images).stdout.splitlines()

    assert [json.loads(line)["name"] for line in lines] == ["a.jpg", "cats/1.jpg"]


def test_cat_prints_bytes_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\x00\xff\n")

    assert invoke("cat", tmp_path / "file").stdout_bytes == b"\x00\xff\n"


@pytest.mark.parametrize("command", ["cat", "ls"])
def test_ends_quietly_when_its_reader_has_enough(tmp_path: Path, command: str) -> None:
    for number in range(3_000):
        (tmp_path / f"{number:0100}").touch()
    (tmp_path / "file").write_bytes(bytes(5_000_000))
    address = tmp_path / "file" if command == "cat" else tmp_path

    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "data", command, str(address)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert program.stdout
    assert program.stderr
    program.stdout.read(10)
    program.stdout.close()

    assert program.stderr.read() == b""
    program.stderr.close()
    assert program.wait() == 128 + signal.SIGPIPE


def test_du_prints_bytes_and_number(images: Path) -> None:
    assert invoke("du", images).stdout == "4\t2\n"
    assert json.loads(invoke("du", "--json", images).stdout) == {"objects": 2, "bytes": 4}


@pytest.mark.parametrize("command", [["ls"], ["cat"], ["du"], ["copy", "."]])
def test_exits_with_2_when_an_address_is_none(command: list[str]) -> None:
    answer = invoke(*command, "ftp://raw")

    assert answer.exit_code == 2
    assert "'ftp://raw' is not an address of data; write s3://bucket/key or a path" in answer.stderr


@pytest.mark.parametrize("command", ["ls", "cat", "du"])
def test_exits_with_1_when_there_is_nothing(command: str, tmp_path: Path) -> None:
    answer = invoke(command, tmp_path / "nothing")

    assert answer.exit_code == 1
    assert answer.stdout == ""
    assert "nothing" in answer.stderr


@pytest.mark.parametrize("command", list(data.commands))
def test_shows_an_example_in_the_help(command: str) -> None:
    assert f"Example: headrace data {command} " in invoke(command, "--help").stdout


def test_shows_progress_only_where_a_person_watches(images: Path, tmp_path: Path) -> None:
    terminal, inside = pty.openpty()
    command = [sys.executable, "-c", PROGRAM, "data", "copy", str(images), str(tmp_path / "copy")]
    environment = os.environ | {"TERM": "xterm"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=inside, env=environment) as process:
        os.close(inside)
        shown = read_to_the_end(terminal)
    os.close(terminal)

    assert process.returncode == 0
    assert "2 of 2 files" in shown


def read_to_the_end(terminal: int) -> str:
    """All that a program writes to a terminal, which holds little of it at a time."""
    shown = b""
    # Linux answers with an error once nobody has the other end any more.
    with suppress(OSError):
        while part := os.read(terminal, 4096):
            shown += part
    return shown.decode()


INTERRUPTED = """
import os, sys
from headrace import data as library
from headrace.cli import cli, main
from headrace.cli.data import data
signum, *sys.argv[1:] = sys.argv[1:]
def interrupt(now):
    if now.files == 20:
        os.kill(os.getpid(), int(signum))
replicate = library.replicate
library.replicate = lambda *places, **options: replicate(*places, **(options | {"progress": interrupt, "workers": 2}))
cli.add_command(data)
main()
"""


@pytest.mark.parametrize(("signum", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_leaves_no_half_file_when_stopped(tmp_path: Path, signum: signal.Signals, exit_code: int) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    for number in range(100):
        (source / str(number)).write_bytes(bytes(10_000))

    command = [sys.executable, "-c", INTERRUPTED, str(signum.value), "data", "copy", str(source), str(target)]
    stopped = subprocess.run(command, capture_output=True, check=False)

    assert stopped.returncode == exit_code, stopped.stderr
    assert 20 <= len(list(target.iterdir())) < 100
    assert {path.stat().st_size for path in target.iterdir()} == {10_000}
