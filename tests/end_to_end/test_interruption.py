"""However a run is stopped, nothing of it goes on."""

import re
import signal
import socket
import sys
from pathlib import Path

import pexpect
import pytest

from headrace.local.engine import cloud
from headrace.loopback import find_free_port
from tests.end_to_end.conftest import make_folders
from tests.examples import IS_EXHAUSTIVE
from tests.patience import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow

STAGES = [
    "start the local cloud",
    "synthesize the app",
    "deploy the stacks",
    "Preprocess",
    "Train",
    "Describe Endpoint",
]
# Where a run starts its own process. It is interrupted while it waits for the cloud below, and while it runs a tool by
# the other signal.
INTERRUPTED = STAGES if IS_EXHAUSTIVE else ["start the local cloud"]
# A terminal's Ctrl-C reaches the tool as well, and this signal does not.
TERMINATED = ["deploy the stacks", "Train"] if IS_EXHAUSTIVE else ["deploy the stacks"]


def start_run(folder: Path, port: int, data: Path) -> "pexpect.spawn[str]":
    """`headrace local run` in a terminal, whose stages come when they come."""
    arguments = ["-m", "headrace", "local", "--folder", str(folder), "run", "--port", str(port), "--data", str(data)]
    return pexpect.spawn(sys.executable, arguments, encoding="utf-8", timeout=None, dimensions=(50, 200))


def list_processes_of(folder: Path) -> list[str]:
    """The command lines of processes that know of a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if str(folder).encode() in told:
            found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((cloud.HOST, port)) != 0


@pytest.mark.parametrize("stage", INTERRUPTED)
def test_ctrl_c_stops_everything(stage: str, tmp_path: Path, sales: Path) -> None:
    port = find_free_port()
    folder = make_folders(tmp_path / "local").base
    if stage == "synthesize the app":
        # Where it has been synthesized before, there is nothing to interrupt.
        (folder / "assemblies").unlink()
    run = start_run(folder, port, sales)
    run.expect(re.escape(stage))

    run.sendintr()

    run.expect(pexpect.EOF)
    run.close()
    assert run.exitstatus == 130
    assert list_processes_of(folder) == []
    assert is_free(port)


@pytest.mark.parametrize("stage", TERMINATED)
def test_sigterm_stops_everything(stage: str, tmp_path: Path, sales: Path) -> None:
    port = find_free_port()
    folder = make_folders(tmp_path / "local").base
    run = start_run(folder, port, sales)
    run.expect(re.escape(stage))

    run.kill(signal.SIGTERM)

    run.expect(pexpect.EOF)
    run.close()
    assert run.exitstatus == 143
    assert list_processes_of(folder) == []
    assert is_free(port)


def test_a_killed_run_takes_its_cloud_with_it_and_the_next_one_works_until_it_is_stopped(
    tmp_path: Path, sales: Path
) -> None:
    port = find_free_port()
    folder = make_folders(tmp_path / "local").base
    run = start_run(folder, port, sales)
    run.expect("Train")

    run.kill(signal.SIGKILL)
    run.close()

    assert cloud.wait_until_stopped(folder / "cloud", PATIENCE_SECONDS)
    # Functions notice that their cloud is gone.
    wait_until(lambda: not list_processes_of(folder), "the end of its processes")

    following = start_run(folder, port, sales)
    following.expect("Train")
    following.sendintr()
    following.expect(pexpect.EOF)
    following.close()

    assert following.exitstatus == 130
    assert list_processes_of(folder) == []
