"""Container programs as process groups of this machine: started, recorded, watched, stopped."""

import contextlib
import json
import logging
import math
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import IO, cast

from headrace.local.sagemaker.container_images import RunnableContainerImage
from headrace.local.sagemaker.engine_containers import EngineContainer, remove_container
from headrace.local.sagemaker.errors import AlgorithmError
from headrace.local.sagemaker.launcher_command import can_place, launch_with
from headrace.local.sagemaker.log_shipping import MAX_LINE_BYTES
from headrace.local.sagemaker.trees import ROOT_VARIABLE, ContainerTree, remove_folder

PROC = Path("/proc")
LAST_LINES = 10
KILL_SECONDS = 10.0
STRAY_SECONDS = 5.0
STRAY_INTERVAL_SECONDS = 0.05

logger = logging.getLogger(__name__)


def build_command(
    image: RunnableContainerImage,
    tree: ContainerTree,
    *,
    entrypoint: list[str] | None = None,
    arguments: list[str] | None = None,
    default_arguments: tuple[str, ...] = (),
    linked: Iterable[Path] = (),
) -> tuple[str, ...]:
    """The command line of a container, as Docker would put it together, for this machine.

    A request's entrypoint that calls `python` gets the container image's interpreter, where its packages are; paths
    below /opt/ml become paths in the tree.
    """
    if image.container:
        given = arguments or (() if entrypoint else default_arguments)
        return image.container.build_command(tree, entrypoint=entrypoint, arguments=given, linked=linked)
    if not entrypoint:
        given = tuple(arguments or default_arguments)
        return (*image.entrypoint, *map(tree.translate, given))
    program, *rest = entrypoint
    is_python = PurePath(program).name in {"python", "python3"}
    return (
        image.entrypoint[0] if is_python else tree.translate(program),
        *map(tree.translate, [*rest, *(arguments or [])]),
    )


class ContainerProcess:
    """One running container program and everything it started.

    Where the system allows it (`is_placed`), the program finds its tree at /opt/ml too. Its output arrives line by line
    at `write_line`; `on_exit` is called once when the program has ended, its output is complete and nothing of it runs
    any more.
    """

    def __init__(
        self,
        command: tuple[str, ...],
        *,
        working_directory: Path,
        environment: Mapping[str, str],
        tree: ContainerTree,
        records: Path,
        write_line: Callable[[str], None],
        on_exit: Callable[[], None],
        container: EngineContainer | None = None,
        preparation: tuple[str, ...] = (),
    ) -> None:
        self._tree = tree
        self._removal = container.list_removal(tree) if container else []
        if container:
            container.pass_environment(tree, environment)
        self._write_line = write_line
        self._on_exit = on_exit
        self._exited = threading.Event()
        self.ended_at = math.inf
        """When the program was seen to end, by the monotonic clock."""
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self.is_placed = container is not None or can_place()
        words = preparation if container else ("guard", *preparation, *list_placement(tree))
        self._popen = start_program(
            (*launch_with(words), *command),
            working_directory,
            {**read_own_environment(container), **environment, ROOT_VARIABLE: str(tree.ml)},
        )
        self._record = write_record(records, self._popen.pid, tree, self._removal)
        self._reader = threading.Thread(target=self._forward_output, name=f"output {self._popen.pid}", daemon=True)
        self._waiter = threading.Thread(target=self._await_exit, name=f"exit {self._popen.pid}", daemon=True)
        self._reader.start()
        self._waiter.start()

    @property
    def exited(self) -> bool:
        """Whether the program has ended."""
        return self._exited.is_set()

    @property
    def exit_code(self) -> int:
        """The program's exit code; as in a container, 128 + n after signal n."""
        code = self._popen.returncode
        return code if code >= 0 else 128 - code

    @property
    def end_signal(self) -> str:
        """The name of the signal that ended the program; empty when it ended by itself."""
        code = self._popen.returncode
        return name_signal(-code) if code < 0 else ""

    @property
    def last_lines(self) -> str:
        """What the program printed last."""
        return "\n".join(self._last_lines)

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Whether the program ended within the time."""
        return self._exited.wait(timeout_seconds)

    def stop(self, grace_seconds: float) -> None:
        """Asks the group to end with SIGTERM and kills what is left after the grace."""
        self.ask_to_end()
        if not self.wait(grace_seconds):
            self.kill()

    def ask_to_end(self) -> None:
        """Sends SIGTERM to the group."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the program and everything it started at once and returns when it is gone."""
        # Its guard ends them all when the other end is closed.
        cast(IO[bytes], self._popen.stdin).close()
        if not self.wait(0 if self._removal else KILL_SECONDS):
            self._signal(signal.SIGKILL)
        self._waiter.join()

    def _signal(self, number: signal.Signals) -> None:
        if not self.exited:
            signal_group(self._popen.pid, number)

    def _forward_output(self) -> None:
        with cast(IO[bytes], self._popen.stdout) as stream:
            for line in iter(lambda: stream.readline(MAX_LINE_BYTES), b""):
                text = line.decode("utf-8", errors="replace").rstrip("\r\n")
                if text:
                    self._last_lines.append(text)
                self._write_line(text)

    def _await_exit(self) -> None:
        self._popen.wait()
        self.ended_at = time.monotonic()
        cast(IO[bytes], self._popen.stdin).close()
        # A container ends with its first process; so does everything that process started.
        signal_group(self._popen.pid, signal.SIGKILL)
        self._kill_strays()
        if self._removal:
            remove_container(self._removal)
        self._record.unlink(missing_ok=True)
        self._exited.set()
        self._on_exit()

    def _kill_strays(self) -> None:
        """Ends processes that left the group; one that is just starting shows its environment a moment later."""
        deadline = time.monotonic() + STRAY_SECONDS
        found = True
        while (found or self._reader.is_alive()) and time.monotonic() < deadline:
            found = bool(kill_processes(find_processes(self._tree.ml)))
            self._reader.join(STRAY_INTERVAL_SECONDS)


def name_signal(number: int) -> str:
    """A signal's name; real-time signals have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def list_placement(tree: ContainerTree) -> tuple[str, ...]:
    """The launcher's words that give a program its tree as /opt/ml; none where the system does not allow it."""
    return ("place", str(tree.ml)) if can_place() else ()


def read_own_environment(container: EngineContainer | None) -> dict[str, str]:
    """What a child process inherits: an engine's client its whole configuration, a program of ours next to nothing."""
    return dict(os.environ) if container else {"PATH": os.environ.get("PATH", os.defpath)}


def start_program(
    command: tuple[str, ...], working_directory: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Starts a program in its own session, with a pipe to it; raises AlgorithmError when that is not possible."""
    try:
        return subprocess.Popen(
            command,
            cwd=working_directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise AlgorithmError(f"the container's program could not be started: {error}") from error


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signals a process group that may be gone."""
    # macOS answers EPERM for a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def write_record(records: Path, pid: int, tree: ContainerTree, removal: Sequence[str]) -> Path:
    """Notes a started group, so that a later start of the local cloud can end it after a crash."""
    records.mkdir(parents=True, exist_ok=True)
    record = records / str(pid)
    record.write_text(json.dumps({"ml_root": str(tree.ml), "removal": list(removal)}), encoding="utf-8")
    return record


def find_processes(ml_root: Path) -> Iterator[int]:
    """The processes that were started for a tree, as their environment says; none on systems without /proc."""
    mark = f"{ROOT_VARIABLE}={ml_root}".encode()
    for entry in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name)


def kill_processes(pids: Iterator[int]) -> list[int]:
    """Kills processes and returns which."""
    killed = []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
    return killed


def stop_leftover_processes(root: Path) -> list[int]:
    """Ends what an earlier run that crashed left behind under a root, and removes its files.

    Call it before anything is started there: it does not tell a crashed run from one that is alive.

    Returns:
        The ids of the processes that were killed.
    """
    killed: list[int] = []
    for record in sorted((root / "processes").glob("[0-9]*")):
        killed += kill_recorded(record)
        record.unlink(missing_ok=True)
    remove_folder(root / "jobs")
    return killed


def kill_recorded(record: Path) -> list[int]:
    """Kills the processes of one record, and only those that still are what the record says."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        ml_root = Path(content["ml_root"])
    except (ValueError, KeyError):
        logger.warning("process_record_unreadable record=%s", record)
        return []
    if content.get("removal"):
        remove_container(content["removal"])
    if not PROC.is_dir():
        logger.warning("leftover_process_not_checked pid=%s", record.name)
        return []
    return kill_processes(find_processes(ml_root))
