"""The notebook instance stops once it has not been used for long enough, and never while it is used."""

import json
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stacks.notebook import stop_when_idle
from stacks.notebook.stop_when_idle import is_idle, last_activity
from tests.interpreters import find_python

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:notebook-instance/bench"
# What the system's Python of the instance is: https://docs.aws.amazon.com/linux/al2023/ug/python.html
PYTHON_OF_THE_INSTANCE = "3.9"


def a_kernel(state: str, last: datetime) -> dict[str, Any]:
    """A kernel as Jupyter's API describes it."""
    return {"execution_state": state, "last_activity": last.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}


def a_terminal(last: datetime) -> dict[str, Any]:
    """A terminal as Jupyter's API describes it."""
    return {"name": "1", "last_activity": last.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}


class Instance:
    """A notebook instance with what is open on it, and the commands that were run there."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.open: dict[str, list[dict[str, Any]]] = {"kernels": [], "terminals": []}
        self.commands: list[list[str]] = []
        self._uptime = folder / "uptime"
        metadata = folder / "resource-metadata.json"
        metadata.write_text(json.dumps({"ResourceArn": ARN, "ResourceName": "bench"}))
        patch.setattr(stop_when_idle, "METADATA", metadata)
        patch.setattr(stop_when_idle, "UPTIME", self._uptime)
        patch.setattr(stop_when_idle, "_ask", self.open.__getitem__)
        patch.setattr(subprocess, "run", lambda command, **_: self.commands.append(command))
        patch.setattr(sys, "argv", ["stop_when_idle.py", "--idle-minutes", "60"])

    def look(self, *, up: timedelta) -> list[list[str]]:
        """Run the program on an instance that has been up for so long; the commands it ran."""
        self._uptime.write_text(f"{up.total_seconds()} 0.00\n")
        stop_when_idle.main()
        return self.commands


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    return Instance(tmp_path, monkeypatch)


def test_takes_the_latest_activity_of_kernels_and_terminals() -> None:
    kernels = [a_kernel("idle", NOON - 2 * HOUR), a_kernel("starting", NOON - 3 * HOUR)]

    assert last_activity(kernels, [a_terminal(NOON - HOUR)]) == NOON - HOUR
    assert last_activity(kernels, [a_terminal(NOON - 4 * HOUR)]) == NOON - 2 * HOUR


def test_takes_now_when_a_kernel_is_busy() -> None:
    before = datetime.now(UTC)

    last = last_activity([a_kernel("idle", NOON), a_kernel("busy", NOON - HOUR)], [])

    assert last is not None
    assert before <= last <= datetime.now(UTC)


def test_knows_no_activity_when_nothing_is_open() -> None:
    assert last_activity([], []) is None


@pytest.mark.parametrize(
    ("last", "booted", "idle"),
    [
        (NOON - HOUR - timedelta(seconds=1), NOON - 5 * HOUR, True),
        (NOON - HOUR, NOON - 5 * HOUR, False),
        (None, NOON - 2 * HOUR, True),
        (None, NOON - HOUR / 2, False),
        (NOON - 5 * HOUR, NOON - HOUR / 2, False),
    ],
    ids=["used too long ago", "used just in time", "never used", "just started", "just started again"],
)
def test_is_idle_when_neither_use_nor_start_is_recent(last: datetime | None, booted: datetime, idle: bool) -> None:
    assert is_idle(last, booted, NOON, HOUR) is idle


def test_stops_itself_in_its_own_region_when_nobody_uses_it(instance: Instance) -> None:
    instance.open["kernels"] = [a_kernel("idle", datetime.now(UTC) - 2 * HOUR)]

    (command,) = instance.look(up=5 * HOUR)

    assert command[:3] == ["aws", "sagemaker", "stop-notebook-instance"]
    assert command[3:] == ["--notebook-instance-name", "bench", "--region", "eu-west-1"]


def test_says_since_when_it_was_idle(instance: Instance, capsys: pytest.CaptureFixture[str]) -> None:
    last = datetime.now(UTC) - 2 * HOUR
    instance.open["terminals"] = [a_terminal(last)]

    instance.look(up=5 * HOUR)

    assert capsys.readouterr().out == f"idle since {last}: stopping bench\n"


def test_runs_on_while_a_kernel_is_busy(instance: Instance) -> None:
    instance.open["kernels"] = [a_kernel("busy", datetime.now(UTC) - 2 * HOUR)]

    assert instance.look(up=5 * HOUR) == []


def test_runs_on_while_a_terminal_is_used(instance: Instance) -> None:
    instance.open["terminals"] = [a_terminal(datetime.now(UTC) - HOUR / 2)]

    assert instance.look(up=5 * HOUR) == []


def test_runs_on_when_it_has_just_started(instance: Instance) -> None:
    assert instance.look(up=HOUR / 2) == []


def test_asks_jupyter_on_the_instance_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    def answer(url: str, **_: object) -> Any:
        asked.append(url)
        document = tmp_path / "answer.json"
        document.write_text("[]")
        return document.open()

    monkeypatch.setattr(urllib.request, "urlopen", answer)

    assert stop_when_idle._ask("kernels") == []
    assert asked == ["https://localhost:8443/api/kernels"]


def test_runs_on_the_python_of_the_instance() -> None:
    command = [str(find_python(PYTHON_OF_THE_INSTANCE)), stop_when_idle.__file__, "--help"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
