"""Programs on a leash end with the process that holds it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from headrace.leash import LeashedProcess

# A program with its own child. Both hold the pipe's other end, so that reading to its end waits for both.
PROGRAM = (
    "import subprocess, sys; alive = open(sys.argv[1], 'w'); alive.write('started\\n'); alive.flush();"
    "subprocess.run(['sleep', '600'], pass_fds=[alive.fileno()])"
)
HOLDER = (
    "import sys, threading; from headrace.leash import LeashedProcess;"
    f"process = LeashedProcess([sys.executable, '-c', {PROGRAM!r}, sys.argv[1]]); process.wait()"
)


@contextmanager
def alive_pipe(path: Path, process: "subprocess.Popen[bytes]") -> Iterator[IO[str]]:
    """The pipe of a program that has started."""
    with path.open() as pipe:
        assert pipe.readline() == "started\n"
        yield pipe
        assert pipe.read() == ""
    process.wait()


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "alive"
    os.mkfifo(path)
    return path


def test_ends_with_all_it_started_when_its_holder_is_killed(fifo: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(fifo)])

    with alive_pipe(fifo, holder):
        holder.kill()


def test_ends_with_all_it_started_when_the_block_ends(fifo: Path) -> None:
    with LeashedProcess([sys.executable, "-c", PROGRAM, str(fifo)]) as process:
        pipe = fifo.open()
        assert pipe.readline() == "started\n"

    assert pipe.read() == ""
    assert process.returncode is not None
    pipe.close()


@pytest.mark.parametrize(("program", "code"), [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 137)])
def test_exits_as_the_program_does(program: str, code: int) -> None:
    with LeashedProcess([sys.executable, "-c", program]) as process:
        assert process.wait() == code


def test_passes_input_output_and_environment_on() -> None:
    program = "import os, sys; print(os.environ['COLOUR'], sys.stdin.read())"
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}

    with LeashedProcess([sys.executable, "-c", program], env={**os.environ, "COLOUR": "green"}, **options) as process:
        assert process.communicate("leaf")[0] == "green leaf\n"


def test_says_when_there_is_no_such_program(tmp_path: Path) -> None:
    with LeashedProcess([str(tmp_path / "none")], stderr=subprocess.PIPE, text=True) as process:
        assert process.communicate()[1] == f"{tmp_path}/none: No such file or directory\n"
        assert process.returncode == 127


def test_leaves_no_open_files() -> None:
    before = len(list(Path("/dev/fd").iterdir()))

    for _ in range(3):
        with LeashedProcess([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
            process.wait()

    assert len(list(Path("/dev/fd").iterdir())) == before
