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
from headrace.cli import cli
from headrace.cli.data import data
from tests.headrace.cli.programs import ForkServer

PROGRAM = "from headrace.cli import main; main()"


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["data", *map(str, arguments)])


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
        "skipped": [],
        "deleted": [],
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
    assert "missing: gone was listed, but no longer exists\n" in answer.stderr


@pytest.fixture
def untidy(images: Path) -> Path:
    """A folder with a file, a linked folder, a broken link and a pipe."""
    (images.parent / "linked").mkdir()
    (images.parent / "linked" / "in.txt").write_bytes(b"2")
    (images / "linkdir").symlink_to("../linked")
    (images / "broken").symlink_to("nowhere")
    os.mkfifo(images / "pipe")
    return images


SKIPPED = "skipped: broken: a link to nothing (nowhere)\nskipped: pipe: a named pipe, not a file\n"


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_copy_skips_what_is_not_a_file_and_ends_with_3(untidy: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    answer = invoke("copy", untidy, tmp_path / "copy", *options)

    assert answer.exit_code == 3
    assert answer.stdout == "a.jpg\ncats/1.jpg\nlinkdir/in.txt\n"
    assert answer.stderr.startswith(SKIPPED)
    assert answer.stderr.endswith(" (5 bytes), 0 unchanged, 0 missing, 2 skipped\n")


@pytest.mark.parametrize(
    ("command", "printed"),
    [(("du",), "5\t3\n"), (("ls",), "1\t1970-01-01T00:00:00Z\ta.jpg\n\t\tcats/\n\t\tlinkdir/\n")],
)
def test_tells_what_is_not_a_file_and_ends_with_3(untidy: Path, command: tuple[str, ...], printed: str) -> None:
    answer = invoke(*command, untidy)

    assert (answer.exit_code, answer.stdout, answer.stderr) == (3, printed, SKIPPED)


@pytest.mark.parametrize(
    ("patterns", "copied"),
    [
        (("--exclude", "*.jpg"), ["notes.txt"]),
        (("--exclude", "*", "--include", "*.jpg"), ["a.jpg", "cats/1.jpg"]),
        (("--include", "*.jpg", "--exclude", "*", "--include=n*"), ["notes.txt"]),
        (("--exclude", "cats/*"), ["a.jpg", "notes.txt"]),
        (("--include", "*.jpg"), ["a.jpg", "cats/1.jpg", "notes.txt"]),
    ],
)
def test_copy_lets_the_last_pattern_decide(
    images: Path, tmp_path: Path, patterns: tuple[str, ...], copied: list[str]
) -> None:
    (images / "notes.txt").touch()

    assert invoke("copy", *patterns, images, tmp_path / "copy").stdout.split() == copied


@pytest.mark.parametrize(("excluded", "told"), [((), True), (("--exclude", "*"), False)])
def test_copy_tells_that_include_leaves_nothing_out_by_itself(
    images: Path, tmp_path: Path, excluded: tuple[str, ...], told: bool
) -> None:
    answer = invoke("copy", *excluded, "--include", "*.jpg", images, tmp_path / "copy")

    assert ("--include excludes nothing by itself" in answer.stderr) == told


def test_copy_refuses_patterns_that_leave_nothing(images: Path, tmp_path: Path) -> None:
    answer = invoke("copy", "--exclude", "*", "--include", "*.jpgg", images, tmp_path / "copy")

    assert answer.exit_code == 1
    assert f"{images} has 2 files, and none of them matches the patterns" in answer.stderr


def test_copy_deletes_what_the_source_has_not(images: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    (target / "old").mkdir(parents=True)
    (target / "old" / "2.jpg").touch()
    (target / "keep.txt").touch()

    options = ("--delete", "--exclude", "*.txt", images, target)
    shown = invoke("copy", "--dry-run", *options)
    assert (target / "old" / "2.jpg").exists()
    answer = invoke("copy", *options)

    assert shown.stderr == "to delete: old/2.jpg\n2 to copy (4 bytes), 0 unchanged, 0 missing, 1 to delete\n"
    assert answer.stderr == "deleted: old/2.jpg\n2 copied (4 bytes), 0 unchanged, 0 missing, 1 deleted\n"
    assert sorted(path.name for path in target.iterdir()) == ["a.jpg", "cats", "keep.txt"]


def test_copy_deletes_nothing_when_something_was_skipped(untidy: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "old").touch()

    answer = invoke("copy", "--delete", untidy, tmp_path / "copy")

    assert answer.exit_code == 3
    assert "nothing was deleted because not everything could be copied\n" in answer.stderr
    assert (tmp_path / "copy" / "old").exists()


@pytest.mark.slow
def test_copy_takes_standard_input_and_pipes(tmp_path: Path, headrace: ForkServer) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "given").write_bytes(b"1")

    with (tmp_path / "given").open("rb") as given:
        headrace.run("data", "copy", "-", "one", cwd=tmp_path, stdin=given.fileno())
    reader = headrace.start("data", "copy", "pipe", "two", cwd=tmp_path)
    (tmp_path / "pipe").write_bytes(b"2")

    assert reader.wait().code == 0
    assert (tmp_path / "one").read_bytes() == b"1"
    assert (tmp_path / "two").read_bytes() == b"2"


@pytest.mark.slow
@pytest.mark.parametrize("command", [("cat", "-"), ("copy", "-", "-"), ("copy", "/dev/stdin", "-")])
def test_prints_standard_input(command: tuple[str, ...], tmp_path: Path, headrace: ForkServer) -> None:
    (tmp_path / "given").write_bytes(b"\x00\xff")

    with (tmp_path / "given").open("rb") as given, (tmp_path / "printed").open("wb") as printed:
        done = headrace.run("data", *command, cwd=tmp_path, stdin=given.fileno(), stdout=printed.fileno())

    assert done.code == 0
    assert (tmp_path / "printed").read_bytes() == b"\x00\xff"


@pytest.mark.slow
@pytest.mark.parametrize("target", ["/dev/stdout", "/dev/null"])
def test_copy_writes_through_devices(images: Path, target: str, headrace: ForkServer) -> None:
    reading, writing = os.pipe()
    done = headrace.run("data", "copy", "a.jpg", target, cwd=images, stdout=writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as printed:
        said = printed.read()

    assert done.code == 0
    assert said.startswith(b"a" if target == "/dev/stdout" else b"")
    assert not Path("/dev/null").is_file()


def test_copy_keeps_a_link_in_the_place_of_a_file(images: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("v7")

    invoke("copy", images / "a.jpg", tmp_path / "link")

    assert (tmp_path / "v7").read_bytes() == b"a"
    assert (tmp_path / "link").is_symlink()


def test_copy_prints_to_standard_output(images: Path) -> None:
    answer = invoke("copy", images / "a.jpg", "-")

    assert (answer.stdout_bytes, answer.stderr) == (b"a", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("-", "."),
        ("-", "s3://raw/"),
        ("-", "new", "--delete"),
        ("-", "new", "--include", "*"),
        ("file", "-", "--json"),
        (".", "new", "--content-type", "text/csv"),
    ],
)
def test_copy_refuses_what_cannot_be_meant(
    tmp_path: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()

    assert invoke("copy", *arguments).exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_prints_odd_names_on_one_line(tmp_path: Path) -> None:
    (tmp_path / "a\r\x1b[31m\nb").touch()

    assert invoke("ls", tmp_path).stdout.endswith("\ta\\r\\x1b[31m\\nb\n")


def test_ls_prints_bytes_times_and_names(images: Path) -> None:
    assert invoke("ls", images).stdout == "1\t1970-01-01T00:00:00Z\ta.jpg\n\t\tcats/\n"


def test_ls_goes_into_folders_when_told_to(images: Path) -> None:
    lines = invoke("ls", "--recursive", "--json", images).stdout.splitlines()

    assert [json.loads(line)["name"] for line in lines] == ["a.jpg", "cats/1.jpg"]


def test_cat_prints_bytes_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\x00\xff\n")

    assert invoke("cat", tmp_path / "file").stdout_bytes == b"\x00\xff\n"


@pytest.mark.slow
@pytest.mark.parametrize("command", ["cat", "ls"])
def test_ends_quietly_when_its_reader_has_enough(tmp_path: Path, command: str, headrace: ForkServer) -> None:
    for number in range(3_000):
        (tmp_path / f"{number:0100}").touch()
    (tmp_path / "file").write_bytes(bytes(5_000_000))
    address = tmp_path / "file" if command == "cat" else tmp_path

    reading, writing = os.pipe()
    program = headrace.start("data", command, address, cwd=tmp_path, stdout=writing)
    os.close(writing)
    os.read(reading, 10)
    os.close(reading)
    ended = program.wait()

    assert (ended.code, ended.stderr) == (128 + signal.SIGPIPE, "")


def test_du_prints_bytes_and_number(images: Path) -> None:
    assert invoke("du", images).stdout == "4\t2\n"
    assert json.loads(invoke("du", "--json", images).stdout) == {"objects": 2, "bytes": 4}


@pytest.mark.parametrize("command", [["ls"], ["cat"], ["du"], ["copy", "nothing"]])
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


@pytest.mark.slow
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
    # Linux answers with an error once the other end is closed.
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


@pytest.mark.slow
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
