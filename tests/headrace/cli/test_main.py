"""The program: what it exits with and says, whatever its commands meet."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.headrace.cli.programs import ForkServer, closed_pipe

pytestmark = pytest.mark.slow

HEADRACE = Path(sys.executable).with_name("headrace")


@pytest.mark.parametrize(
    ("command", "content"), [(["manifest", "check"], '{"label":0}\n'), (["lst", "check"], "x\t0\ta.jpg\n")]
)
def test_ends_with_1_when_a_check_finds_a_problem(
    command: list[str], content: str, tmp_path: Path, headrace: ForkServer
) -> None:
    (tmp_path / "bad").write_text(content)

    ended = headrace.run(*command, "bad", cwd=tmp_path)

    assert ended.code == 1
    assert ended.stdout.startswith("bad, line 1: ")


def test_ends_with_0_when_a_check_finds_nothing(tmp_path: Path, headrace: ForkServer) -> None:
    (tmp_path / "good.lst").write_text("0\t0\ta.jpg\n")

    assert headrace.run("lst", "check", "good.lst", cwd=tmp_path).code == 0


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [(["loca"], "local"), (["lst", "chekc"], "check"), (["recordio", "images", "inof"], "info")],
)
def test_suggests_the_command_that_was_meant(
    arguments: list[str], meant: str, tmp_path: Path, headrace: ForkServer
) -> None:
    ended = headrace.run(*arguments, cwd=tmp_path)

    assert ended.code == 2
    assert f"Did you mean '{meant}'?" in ended.stderr


def test_ends_silently_with_141_when_the_reader_of_its_output_has_gone(tmp_path: Path, headrace: ForkServer) -> None:
    (tmp_path / "bad.manifest").write_text('{"label":0}\n' * 2000)

    with closed_pipe() as output:
        ended = headrace.run("manifest", "check", "bad.manifest", cwd=tmp_path, stdout=output)

    assert (ended.code, ended.stderr) == (128 + signal.SIGPIPE, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_says_in_one_sentence_that_standard_output_is_full(tmp_path: Path, headrace: ForkServer) -> None:
    with Path("/dev/full").open("w") as full:
        ended = headrace.run("--help", cwd=tmp_path, stdout=full.fileno())

    assert ended.code == 1
    assert ended.stderr == "Error: standard output: No space left on device; make room there or write elsewhere\n"


def test_says_that_standard_output_is_closed(tmp_path: Path) -> None:
    command = ["sh", "-c", f"exec '{HEADRACE}' --version >&-"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (1, "Error: standard output: Bad file descriptor\n")
