"""Records the executions that the documentation draws: `make drawings` runs it."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headrace.pipeline.executions import read_events
from headrace.pipeline.history import Event, Status, read_history
from tests.conftest import PROJECT
from tests.end_to_end.conftest import Platform

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("HEADRACE_UPDATE_DRAWINGS" not in os.environ, reason="it makes files of the documentation"),
]

FOLDER = PROJECT / "docs" / "drawings"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def record(name: str, events: list[Event]) -> None:
    """Keep what a drawing needs of a history, as the AWS command line prints it."""
    lines = [json.dumps(shorten(event, events[0]["timestamp"])) for event in events]
    (FOLDER / f"{name}.json").write_text('{"events": [\n' + ",\n".join(lines) + "\n]}\n")


def shorten(event: Event, begin: datetime) -> dict[str, Any]:
    kept = {key: event[key] for key in ("id", "previousEventId", "type") if key in event}
    kept["timestamp"] = (BEGIN + (event["timestamp"] - begin)).isoformat(timespec="milliseconds")
    for key in (key for key in event if key.endswith("EventDetails")):
        if details := {
            name: event[key][name] for name in ("name", "index", "error") if event[key].get(name) is not None
        }:
            kept[key] = details
    return kept


def test_records_an_execution_that_succeeds(first_execution: dict[str, Any]) -> None:
    events = read_events(first_execution["executionArn"])

    assert read_history(events).find_statuses()["Done"] is Status.SUCCEEDED
    record("succeeded", events)


def test_records_an_execution_that_fails(
    platform: Platform, with_rows: Callable[[Path], None], sales: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.csv").write_text(sales.read_text() + "not a row of sales\n")
    with_rows(tmp_path / "broken.csv")
    try:
        execution = platform.run()
    finally:
        with_rows(sales)

    events = read_events(execution["executionArn"])
    assert read_history(events).find_statuses()["Preprocess"] is Status.CAUGHT
    record("failed", events)


def test_records_an_execution_that_goes_on(platform: Platform, first_execution: dict[str, Any]) -> None:
    arn = platform.start()
    events: list[Event] = []
    while not any(event["type"] == "TaskScheduled" for event in events) or "Train" not in name_visits(events):
        events = read_events(arn)
    platform.client("stepfunctions").stop_execution(executionArn=arn)

    assert read_history(events).find_statuses()["Train"] is Status.RUNNING
    record("running", events)


def name_visits(events: list[Event]) -> set[str]:
    return {visit.name for visit in read_history(events).visits}
