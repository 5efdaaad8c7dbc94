"""A command or a server that is killed leaves nothing behind, and the next run works."""

import os
import random
import re
import signal
import time
from pathlib import Path

import pexpect
import pytest

from headrace.local.engine import cloud
from tests.end_to_end.conftest import make_folders
from tests.end_to_end.test_interruption import STAGES, list_processes_of, start_run
from tests.examples import only_exhaustive
from tests.local_clouds import find_free_port

# How many runs to kill.
KILLS = int(os.environ.get("HEADRACE_KILLS", "6"))
PATIENCE_SECONDS = 300

pytestmark = [pytest.mark.slow, pytest.mark.timeout(KILLS * 120 + 2 * PATIENCE_SECONDS)]


def wait_until_gone(folder: Path) -> bool:
    """Whether everything that knows of a folder has ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while list_processes_of(folder) and time.monotonic() < deadline:
        time.sleep(0.2)
    return not list_processes_of(folder)


@only_exhaustive("test_interruption.py kills one run and starts another")
def test_runs_after_others_were_killed_at_any_moment(tmp_path: Path, sales: Path) -> None:
    chance = random.Random(KILLS)  # noqa: S311 (the same moments each time)
    port = find_free_port()
    folder = make_folders(tmp_path / "local").base
    for _ in range(KILLS):
        run = start_run(folder, port, sales)
        run.expect(re.escape(chance.choice(STAGES)), timeout=PATIENCE_SECONDS)
        # Somewhere in that stage or the next ones; how far it gets depends on the machine, and need not be known.
        time.sleep(chance.uniform(0, 2))
        run.kill(signal.SIGKILL)
        run.close()
        assert wait_until_gone(folder), list_processes_of(folder)

    last = start_run(folder, port, sales)
    last.expect(pexpect.EOF, timeout=PATIENCE_SECONDS)
    last.close()
    assert last.exitstatus == 0, last.before
    assert list_processes_of(folder) == []


def test_a_killed_server_takes_its_jobs_with_it(tmp_path: Path, sales: Path) -> None:
    folder = make_folders(tmp_path / "local").base
    run = start_run(folder, find_free_port(), sales)
    run.expect("Train", timeout=PATIENCE_SECONDS)
    found = cloud.find(folder / "cloud")
    assert found

    os.kill(found.pid, signal.SIGKILL)

    run.expect("the local cloud has ended while this command used it", timeout=PATIENCE_SECONDS)
    run.expect(pexpect.EOF)
    run.close()
    assert run.exitstatus == 1
    assert wait_until_gone(folder), list_processes_of(folder)
