"""Commands that meet on one local cloud: one works, the others say why they do not."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headrace.local.engine import cloud as local_cloud
from tests.end_to_end.conftest import make_folders
from tests.end_to_end.test_interruption import list_processes_of
from tests.end_to_end.test_kills import PATIENCE_SECONDS, wait_until_gone
from tests.local_clouds import find_free_port
from tests.patience import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * PATIENCE_SECONDS)]


@contextmanager
def started(folder: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """A command of `headrace local`, which ends with the block if it has not before."""
    command = [sys.executable, "-m", "headrace", "local", "--folder", str(folder), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """The exit code of a command of `headrace local` and what it printed on each stream."""
    with started(folder, *arguments) as process:
        return finish(process)


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """A command's exit code and what it printed on each stream."""
    stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, stdout, stderr


def wait_for_cloud(folder: Path, process: "subprocess.Popen[str]") -> None:
    """Wait until the command's cloud is up; what it printed says why, if it never is."""
    wait_until(lambda: local_cloud.find(folder / "cloud") or process.poll() is not None, "the cloud")
    if process.returncode is not None:
        pytest.fail(f"the command ended with {process.returncode}: {process.communicate()}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folders(tmp_path_factory.mktemp("meeting") / "local").base


@contextmanager
def with_cloud(folder: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """A command of `headrace local` whose cloud is up."""
    with started(folder, *arguments, "--port", str(find_free_port())) as process:
        wait_for_cloud(folder, process)
        yield process


def test_one_of_two_runs_says_why_it_does_not_run(folder: Path) -> None:
    with with_cloud(folder, "up") as deploying:
        code, stdout, stderr = run(folder, "run", "--port", str(find_free_port()))
        deployed = finish(deploying)
    stopped = run(folder, "down")

    assert (code, stdout) == (1, "")
    reason = f"process {deploying.pid}, uses {folder}; wait for its end, or give this one its own folder and port"
    assert reason in stderr
    assert len(stderr.splitlines()) == 1
    assert (deployed[0], stopped[0]) == (0, 0)


def test_down_leaves_a_run_its_cloud_unless_forced_to(folder: Path, sales: Path) -> None:
    with with_cloud(folder, "run", "--data", str(sales)) as running:
        refused = run(folder, "down")
        forced = run(folder, "down", "--force")
        code, _, stderr = finish(running)

    assert refused[0] == 1
    assert "or stop both with 'headrace local down --force'" in refused[2]
    assert forced[0] == 0
    assert code == 1
    # It depends on the machine how far the run has come.
    assert stderr in (
        "Error: the local cloud has ended while this command used it; run it again\n",
        "Error: the local cloud was stopped before it had started; run it again\n",
    )
    assert wait_until_gone(folder), list_processes_of(folder)


def test_keeps_a_cloud_only_once_it_is_deployed(folder: Path) -> None:
    with with_cloud(folder, "up") as process:
        process.kill()

    assert wait_until_gone(folder), list_processes_of(folder)
    assert local_cloud.find(folder / "cloud") is None
