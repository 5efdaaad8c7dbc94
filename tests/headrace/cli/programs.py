"""`headrace` as a program: its real `main()` in a child of a process that has imported everything already.

That takes a twentieth of the time that the installed program takes, and everything else is the same: descriptors,
signals, exit codes.
"""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, Self

import click

from headrace.cli import cli

PATIENCE_SECONDS = 90
MOST_BYTES = 1 << 16
PROJECT = Path(__file__).resolve().parents[3]
MODULES = (
    *(f"headrace.cli.{name}" for name in cli.list_commands(click.Context(cli))),
    *("duckdb", "headrace.data", "headrace.recordio.images", "headrace.recordio.summaries"),
)


@dataclass(frozen=True)
class Ended:
    """What a program ended with, and what it said."""

    code: int
    stdout: str
    stderr: str


class Running:
    """A program that has not been waited for."""

    def __init__(self, server: "ForkServer", pid: int, said: list[Path]) -> None:
        self.pid = pid
        self._server = server
        self._said = said

    def wait(self) -> Ended:
        try:
            code = int(self._server.receive())
        except TimeoutError:
            os.kill(self.pid, signal.SIGKILL)
            self._server.receive()
            raise
        return Ended(code, *(path.read_text(errors="replace") for path in self._said))


class ForkServer:
    """Runs `headrace` in children of its own."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(PATIENCE_SECONDS)
        with other:
            # Not as a module: Click would call the program so.
            program = f"from tests.headrace.cli.programs import serve; serve({other.fileno()})"
            self._process = subprocess.Popen([sys.executable, "-c", program], pass_fds=[other.fileno()], cwd=PROJECT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.wait()

    def run(self, *arguments: object, cwd: Path, **streams: Any) -> Ended:
        return self.start(*arguments, cwd=cwd, **streams).wait()

    def start(
        self,
        *arguments: object,
        cwd: Path,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        largest_file: int | None = None,
    ) -> Running:
        """Start it with these descriptors; what it writes is caught where none is given."""
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        said = [folder / "stdout", folder / "stderr"]
        with said[0].open("wb") as output, said[1].open("wb") as error, Path(os.devnull).open("rb") as nothing:
            request = {"arguments": list(map(str, arguments)), "cwd": str(cwd), "largest_file": largest_file}
            descriptors = [
                nothing.fileno() if stdin is None else stdin,
                output.fileno() if stdout is None else stdout,
                error.fileno() if stderr is None else stderr,
            ]
            socket.send_fds(self._socket, [json.dumps(request).encode()], descriptors)
        return Running(self, int(self.receive()), said)

    def receive(self) -> bytes:
        return self._socket.recv(MOST_BYTES)


@contextmanager
def closed_pipe() -> Iterator[int]:
    """The end to write to of a pipe without a reader."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


def serve(number: int) -> None:
    # The tests may run under nohup or in the background of a script, which ignore these for all their children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for ignored in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_DFL)
    for name in MODULES:
        import_module(name)
    with socket.socket(fileno=number) as server:
        answer(server)


def answer(server: socket.socket) -> None:
    while True:
        message, descriptors, *_ = socket.recv_fds(server, MOST_BYTES, 3)
        if not message:
            return
        child = os.fork()
        if not child:
            server.close()
            run_main(json.loads(message), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        server.send(str(child).encode())
        _, status = os.waitpid(child, 0)
        server.send(str(os.waitstatus_to_exitcode(status)).encode())


def run_main(request: dict[str, Any], descriptors: list[int]) -> NoReturn:
    from headrace.cli import main

    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["cwd"])
    sys.argv = ["headrace", *request["arguments"]]
    if request["largest_file"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"], resource.RLIM_INFINITY))
    code: Any = 1
    try:
        main()
    except SystemExit as ending:
        code = ending.code or 0
    except BaseException:  # noqa: BLE001 (as the interpreter does at its end)
        os.write(2, traceback.format_exc().encode())
    os._exit(code)
