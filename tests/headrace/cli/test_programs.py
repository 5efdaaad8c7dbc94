"""Exit codes, signals, pipes and outputs of the commands, as a shell sees them."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from headrace.cli import cli
from tests.conftest import PROJECT
from tests.examples import IS_EXHAUSTIVE
from tests.headrace.cli import samples
from tests.headrace.cli.programs import ForkServer, closed_pipe

pytestmark = pytest.mark.slow

HEADRACE = Path(sys.executable).with_name("headrace")
SIGNALLED = 128
# Enough for the programs to be at it at the same time.
ROWS = 5_000


def list_commands(group: click.Group, *names: str) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from list_commands(command, *names, name)
        else:
            yield (*names, name)


COMMANDS = list(list_commands(cli))


def run_shell(script: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a script of bash in which `headrace` is the installed program."""
    path = f"{HEADRACE.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    command = ["bash", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_ends_with_0_after_its_help_and_with_2_after_an_unknown_option(
    command: tuple[str, ...], tmp_path: Path, headrace: ForkServer
) -> None:
    told = headrace.run(*command, "--help", cwd=tmp_path)
    refused = headrace.run(*command, "--no-such-option", cwd=tmp_path)

    assert (told.code, told.stderr) == (0, "")
    assert told.stdout.startswith(f"Usage: headrace {command[0]} ")
    assert (refused.code, refused.stdout) == (2, "")
    assert "No such option '--no-such-option'" in refused.stderr


@pytest.mark.parametrize("command", sorted({command[:1] for command in COMMANDS}), ids=" ".join)
def test_ends_silently_when_nobody_reads(command: tuple[str, ...], tmp_path: Path, headrace: ForkServer) -> None:
    with closed_pipe() as output:
        ended = headrace.run(*command, "--help", cwd=tmp_path, stdout=output)

    assert (ended.code, ended.stderr) == (SIGNALLED + signal.SIGPIPE, "")


def test_documents_the_exit_codes() -> None:
    page = (PROJECT / "docs" / "command-line.md").read_text(encoding="utf-8")

    codes = {int(code) for row in re.findall(r"^\| ([0-9, ]+) \|", page, re.MULTILINE) for code in row.split(",")}

    stops = {SIGNALLED + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGTERM)}
    assert codes == {0, 1, 2, 3, 4, 5, 6} | stops


def test_ends_with_3_when_listed_objects_are_gone(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "there").touch()
    program = (
        "from dataclasses import replace\n"
        "from headrace import data\n"
        "copy = data.replicate\n"
        "data.replicate = lambda *places, **options: replace(copy(*places, **options), missing=('gone',))\n"
        "from headrace.cli import main\n"
        "main()"
    )
    command = [sys.executable, "-c", program, "data", "copy", "source", "target"]

    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", [("lst", "merge"), ("manifest", "merge")])
def test_stops_waiting_for_a_pipe_that_nobody_writes_to(
    command: tuple[str, ...], number: signal.Signals, tmp_path: Path, headrace: ForkServer
) -> None:
    for name in ("first", "second"):
        os.mkfifo(tmp_path / name)
    running = headrace.start(*command, "first", "second", "-o", "new/all", cwd=tmp_path)
    # Once it has read the first, it is on its way to the second, for which there will be no writer.
    (tmp_path / "first").write_text("")

    os.kill(running.pid, number)

    ended = running.wait()
    assert ended.code == SIGNALLED + number
    assert ended.stderr.strip() == f"stopped by {'Ctrl-C' if number == signal.SIGINT else number.name}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]


def test_keeps_all_rows_of_process_substitutions(tmp_path: Path) -> None:
    (tmp_path / "a.lst").write_text(samples.LIST)
    script = "headrace lst merge <(head -2 a.lst) <(tail -2 a.lst) -o m.lst && headrace lst diff a.lst <(cat m.lst)"

    ended = run_shell(script, tmp_path)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "m.lst").read_text() == samples.LIST
    assert re.search(r"^removed +0$", ended.stdout, re.MULTILINE)


def test_reads_standard_input_and_writes_standard_output(tmp_path: Path) -> None:
    (tmp_path / "a.manifest").write_text(samples.MANIFEST)

    script = "cat a.manifest | headrace manifest filter - --label 1 -o - | headrace manifest stats -"

    ended = run_shell(script, tmp_path)

    assert ended.stdout.splitlines()[2].split() == ["rows", "2"]
    assert ended.stderr == "2\n"


def test_adds_to_what_standard_output_is_added_to(tmp_path: Path) -> None:
    (tmp_path / "a.manifest").write_text(samples.MANIFEST)

    run_shell("echo before > log; headrace manifest filter a.manifest -o - >> log", tmp_path)

    assert (tmp_path / "log").read_text() == f"before\n{samples.MANIFEST}"


def test_refuses_standard_input_twice(tmp_path: Path, headrace: ForkServer) -> None:
    reading, writing = os.pipe()
    os.close(writing)
    ended = headrace.run("lst", "diff", "-", "-", cwd=tmp_path, stdin=reading)
    os.close(reading)

    assert ended.code == 2
    assert "can be read only once; give it once" in ended.stderr


@pytest.mark.parametrize(
    ("source", "content", "command"),
    [
        ("a.lst", samples.LIST, ("lst", "split", "a.lst", "--train", "a.lst", "--validation", "./a.lst")),
        ("a.manifest", samples.MANIFEST, ("manifest", "split", "a.manifest", "--train", "t", "--validation", "link")),
        ("a.manifest", samples.MANIFEST, ("manifest", "stats", "a.manifest", "--chart", "a.manifest")),
        ("a.csv", "1,2\n", ("recordio", "write", "a.csv", "./a.csv")),
        ("a.idx", "0\t0\ta.jpg\n", ("recordio", "images", "write", "a.idx", ".", "a.rec")),
    ],
)
def test_refuses_outputs_that_are_one_file_or_the_input(
    source: str, content: str, command: tuple[str, ...], tmp_path: Path, headrace: ForkServer
) -> None:
    (tmp_path / source).write_text(content)
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "link").symlink_to("t")

    ended = headrace.run(*command, cwd=tmp_path)

    assert ended.code == 1
    assert re.fullmatch(r"Error: .* (are the same file|is an input); .*\n", ended.stderr)
    assert (tmp_path / source).read_text() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([source, "a.jpg", "link"])


@pytest.mark.parametrize(
    ("command", "source"),
    [
        (("manifest", "filter", "source", "-o", "current"), samples.MANIFEST),
        (("lst", "merge", "source", "-o", "current"), samples.LIST),
        (("recordio", "write", "source", "current"), "1,2\n"),
    ],
)
def test_keeps_a_link_and_the_mode_of_its_file(
    command: tuple[str, ...], source: str, tmp_path: Path, headrace: ForkServer
) -> None:
    (tmp_path / "source").write_text(source)
    (tmp_path / "v7").touch()
    (tmp_path / "v7").chmod(0o664)
    (tmp_path / "current").symlink_to("v7")

    assert headrace.run(*command, cwd=tmp_path).code == 0
    assert (tmp_path / "current").is_symlink()
    assert (tmp_path / "v7").stat().st_size
    assert (tmp_path / "v7").stat().st_mode & 0o777 == 0o664


@pytest.mark.slow
def test_keeps_what_two_programs_write_to_one_file_apart(tmp_path: Path) -> None:
    lines = (f'{{"source-ref":"s3://raw/{number}.jpg","class":{number % 2}}}\n' for number in range(2 * ROWS))
    (tmp_path / "all.manifest").write_text("".join(lines))
    programs = [
        subprocess.Popen(
            [HEADRACE, "manifest", "filter", "all.manifest", "--label", label, "-o", "out"],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
        )
        for label in ("0", "1", "0")
    ]

    assert [program.wait() for program in programs] == [0, 0, 0]
    written = (tmp_path / "out").read_text().splitlines()
    assert len(written) == ROWS
    assert len({line.rpartition(":")[2] for line in written}) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.manifest", "out"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", ["manifest filter ../a.manifest -o new", "lst merge ../a.lst -o new", "recordio write ../a.csv new"]
)
def test_tells_that_a_disk_is_full_and_leaves_nothing_there(command: str, tmp_path: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("only root mounts its own disk")
    numbers = range(3000)
    (tmp_path / "a.manifest").write_text("".join(f'{{"source-ref":"s3://raw/{number}.jpg"}}\n' for number in numbers))
    (tmp_path / "a.lst").write_text("".join(f"{number}\t0\t{number}.jpg\n" for number in numbers))
    (tmp_path / "a.csv").write_text("".join(f"{number},1,2\n" for number in numbers))
    (tmp_path / "disk").mkdir()
    inside = f"mount -t tmpfs -o size=8k none disk || exit 99; cd disk; '{HEADRACE}' {command}; echo $?; ls -A"

    ended = run_shell(f"unshare --mount --propagation private sh -c {shlex.quote(inside)}", tmp_path)
    if ended.returncode == 99 or not ended.stdout:
        pytest.skip("mounts are not allowed here")

    assert ended.stdout == "1\n"
    assert ended.stderr == "Error: new: No space left on device; make room there or write elsewhere\n"


READING = [name for name in samples.COMMANDS if name != "local invoke"]
ONE_OF_EACH_GROUP = list({name.split()[0]: name for name in READING}.values())


# Only the start differs from what test_input_kinds.py does with each, and a group starts with one module.
@pytest.mark.slow
@pytest.mark.parametrize("command", READING if IS_EXHAUSTIVE else ONE_OF_EACH_GROUP)
def test_ends_with_0_as_the_installed_program(command: str, tmp_path: Path) -> None:
    samples.make_files(tmp_path)
    line = samples.fill_in(command, samples.find_good(command))

    ended = subprocess.run([HEADRACE, *line], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
