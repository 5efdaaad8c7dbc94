"""The local cloud seen from outside: is it running, where, and how to start, reach and stop it."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import boto3

from headrace.errors import HeadraceError
from headrace.files import whole_file
from headrace.local.engine import credentials
from headrace.local.engine.credentials import AccessKey
from headrace.local.limits import Limits

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 4566
REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"

START_SECONDS: Final = 60
# A training job gets a moment to end by itself before it is killed.
STOP_SECONDS: Final = 20
_POLL_SECONDS: Final = 0.05
_LOOK_SECONDS: Final = 1

# What the command that started a server sends it, so that it goes on after that command.
KEEP: Final = b"keep"

_STATE_FILE: Final = "cloud.json"
_LOCK_FILE: Final = "lock"
_LOG_FILE: Final = "server.log"

# What would lead AWS clients elsewhere than the variables given to them do, or spoil the key.
_MISLEADING_VARIABLES: Final = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
_ENDPOINT_OF_A_SERVICE: Final = "AWS_ENDPOINT_URL_"


class CloudError(HeadraceError):
    """The local cloud cannot be started, reached or stopped."""


@dataclass(frozen=True, kw_only=True)
class LocalCloud:
    """A running local cloud.

    Args:
        root: The folder it keeps its state in.
        port: Where it listens on 127.0.0.1.
        pid: Its server's process.
        key: What its owner signs requests with.
        is_kept: Whether it goes on when the command that started it ends.
        evaluates_iam: Whether policies decide who may do what.
        limits: What its account and Region do not have.
        process: That process, when this one started it; its standard input stays open as long as this one lives.
    """

    root: Path
    port: int
    pid: int
    key: AccessKey
    is_kept: bool = False
    evaluates_iam: bool = True
    limits: Limits = field(default_factory=Limits)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)

    @property
    def endpoint_url(self) -> str:
        """What `AWS_ENDPOINT_URL` must be for AWS clients to reach it."""
        return f"http://{HOST}:{self.port}"

    @property
    def client_environment(self) -> dict[str, str]:
        """The environment variables that make AWS clients use it, and never a real account."""
        return client_environment(self.port, self.key)

    def keep(self) -> None:
        """Let a cloud that this process started with `stop_with_caller` go on after this process.

        Raises:
            CloudError: If it has ended.
        """
        if self.process and self.process.stdin:
            with contextlib.suppress(BrokenPipeError), self.process.stdin as pipe:
                pipe.write(KEEP)
        if not _wait_until(lambda: _is_kept(self.root) or not is_running(self.root), STOP_SECONDS) or not is_running(
            self.root
        ):
            raise CloudError(f"the local cloud's server has ended; its log: {log_file(self.root)}")

    def stop(self) -> None:
        """Stop it and every process it started.

        Raises:
            CloudError: If it does not end even when killed.
        """
        for signum in (signal.SIGTERM, signal.SIGKILL):
            if not is_running(self.root):
                break
            _send(self.pid, signum)
            wait_until_stopped(self.root, STOP_SECONDS)
        if self.process:
            _reap(self.process)
        if is_running(self.root):
            raise CloudError(
                f"the local cloud's server, process {self.pid}, does not stop; its log: {log_file(self.root)}"
            )


def client_environment(port: int, key: AccessKey) -> dict[str, str]:
    """The environment variables that make AWS clients use the local cloud on a port, and never a real account."""
    return {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_ACCESS_KEY_ID": key.key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": f"{HOST},localhost",
        "no_proxy": f"{HOST},localhost",
    }


def list_misleading_variables(present: Iterable[str]) -> list[str]:
    """The environment variables that must not be set beside a client environment.

    Args:
        present: What is set; it may name endpoints of any service.
    """
    return [*_MISLEADING_VARIABLES, *(name for name in present if name.startswith(_ENDPOINT_OF_A_SERVICE))]


def point_clients(environment: Mapping[str, str]) -> None:
    """Make the AWS clients of this process use a client environment."""
    for name in list_misleading_variables(os.environ):
        os.environ.pop(name, None)
    os.environ.update(environment)
    # The session that there was may have read another key.
    boto3.setup_default_session()


def make_private(folder: Path) -> None:
    """Make a folder that only its owner can enter, also where it was there before.

    Raises:
        CloudError: If it is somebody else's.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid != os.geteuid():
        raise CloudError(f"{folder} belongs to another user; choose another folder with --folder")
    folder.chmod(0o700)


def log_file(root: Path) -> Path:
    """The server's own log."""
    return root / _LOG_FILE


def claim(root: Path, port: int, *, evaluates_iam: bool = True, limits: Limits | None = None) -> IO[str]:
    """Make this process the server of a root, with a new key: the lock is held as long as the returned file is open.

    Raises:
        CloudError: If another server holds it.
    """
    make_private(root)
    lock = (root / _LOCK_FILE).open("w")
    # Who only looks, as is_running does, holds the lock for an instant: that is no other server.
    if not _wait_until(lambda: _lock(lock, fcntl.LOCK_EX), _LOOK_SECONDS):
        lock.close()
        raise CloudError(f"another local cloud is running on {root}")
    # What an earlier server wrote must not be taken for this one's before it has its port and its key.
    (root / _STATE_FILE).unlink(missing_ok=True)
    credentials.renew_owner_key(root)
    state = {"port": port, "pid": os.getpid(), "is_kept": False, "evaluates_iam": evaluates_iam}
    _write_state(root, {**state, "limits": (limits or Limits()).write()})
    return lock


def mark_kept(root: Path) -> None:
    """Note that the cloud of a root goes on when the command that started it ends; for its server."""
    _write_state(root, _read_state(root) | {"is_kept": True})


def _is_kept(root: Path) -> bool:
    return bool(_read_state(root)["is_kept"])


def _read_state(root: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((root / _STATE_FILE).read_text())
    return state


def _write_state(root: Path, state: Mapping[str, Any]) -> None:
    with whole_file(root / _STATE_FILE) as file:
        file.write_text(json.dumps(state))


def is_running(root: Path) -> bool:
    """Whether a server holds the root."""
    try:
        with (root / _LOCK_FILE).open() as lock:
            return not _lock(lock, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def _lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_until_stopped(root: Path, seconds: float) -> bool:
    """Whether no server holds the root within a time."""
    return _wait_until(lambda: not is_running(root), seconds)


def find(root: Path) -> LocalCloud | None:
    """The local cloud that runs on a root, if one does."""
    if not is_running(root):
        return None
    try:
        state = _read_state(root)
    except FileNotFoundError:
        # It holds the root, and is about to say where it listens.
        return None
    key = credentials.read_owner_key(root)
    return LocalCloud(root=root, key=key, **{**state, "limits": Limits.parse(state.get("limits", "{}"))})


def start(
    root: Path,
    port: int,
    *,
    stop_with_caller: bool = False,
    evaluates_iam: bool = True,
    limits: Limits | None = None,
) -> LocalCloud:
    """Start a local cloud and wait until it answers.

    Args:
        root: The folder it keeps its state in.
        port: Where it is to listen on 127.0.0.1.
        stop_with_caller: Whether it stops by itself when this process ends, however it ends, unless it is to be kept.
        evaluates_iam: Whether policies are to decide who may do what.
        limits: What its account and Region do not have.

    Raises:
        CloudError: If one runs there already, the port is taken, or it does not come up.
    """
    if running := find(root):
        raise CloudError(f"a local cloud is already running on port {running.port}; stop it with 'headrace local down'")
    check_port(port)
    make_private(root)
    command = [sys.executable, "-m", "headrace.local.engine.server", "--root", str(root), "--port", str(port)]
    limits = limits or Limits()
    command += ["--limits", limits.write()]
    if stop_with_caller:
        command.append("--stop-with-caller")
    if not evaluates_iam:
        command.append("--no-iam")
    with log_file(root).open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if stop_with_caller else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(root, port, process)
        key = credentials.read_owner_key(root)
    except BaseException:
        process.kill()
        _reap(process)
        raise
    return LocalCloud(
        root=root,
        port=port,
        pid=process.pid,
        key=key,
        evaluates_iam=evaluates_iam,
        limits=limits,
        process=process,
    )


def check_port(port: int) -> None:
    """Make sure that nothing listens on a port of this machine.

    Raises:
        CloudError: Naming the port and what to do.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CloudError(f"port {port} cannot be used ({error.strerror}); choose another with --port") from None


def _wait_until_ready(root: Path, port: int, process: subprocess.Popen[bytes]) -> None:
    def is_ready_or_gone() -> bool:
        return process.poll() is not None or _answers(port)

    if not _wait_until(is_ready_or_gone, START_SECONDS):
        raise CloudError(f"the local cloud does not answer after {START_SECONDS} s; its log: {log_file(root)}")
    if process.returncode is not None:
        last_lines = "\n".join(log_file(root).read_text(errors="replace").splitlines()[-5:])
        # What cannot start fails; what is asked to end before it answers ends well, or by the signal.
        if not last_lines or process.returncode in (0, -signal.SIGTERM, -signal.SIGKILL):
            raise CloudError("the local cloud was stopped before it had started; run it again")
        raise CloudError(f"the local cloud did not start:\n{last_lines}")


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/_ministack/health", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _reap(process: subprocess.Popen[bytes]) -> None:
    process.wait()
    if process.stdin and not process.stdin.closed:
        process.stdin.close()


def _send(pid: int, signum: int) -> None:
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return
