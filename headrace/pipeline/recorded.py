"""Histories in files, as the AWS command line prints them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from headrace.errors import HeadraceError
from headrace.pipeline.causes import read_cause
from headrace.pipeline.definition import Machine
from headrace.pipeline.history import Event, Execution, History, read_history

_STATUSES: Final = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionAborted": "ABORTED",
    "ExecutionTimedOut": "TIMED_OUT",
}


class UnreadableHistoryError(HeadraceError):
    """A file holds no history of an execution, or one of another state machine."""


def read_printed(text: bytes, place: object) -> tuple[Execution, History]:
    """The execution whose history `aws stepfunctions get-execution-history` has printed.

    Args:
        text: What it has printed, in JSON.
        place: Where that is from, for messages.

    Raises:
        UnreadableHistoryError: If it is something else.
    """
    try:
        events = [_read_event(event) for event in json.loads(text)["events"]]
        events.sort(key=lambda event: int(event["id"]))
        history = read_history(events)
        return _summarize(events), history
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableHistoryError(
            f"{place}: is not what 'aws stepfunctions get-execution-history' prints: {error}"
        ) from error


def check_states(machine: Machine, history: History, place: object) -> None:
    """Refuse an execution of another state machine.

    Raises:
        UnreadableHistoryError: If it went through a state that this machine does not have.
    """
    known = {state.name for state in machine.walk()}
    if foreign := [visit.name for visit in history.visits if visit.name not in known]:
        raise UnreadableHistoryError(
            f"the execution is of another state machine: it went through '{foreign[0]}', which {place} does not have"
        )


def _read_event(event: Any) -> Event:
    stamp = event["timestamp"]
    when = datetime.fromisoformat(stamp) if isinstance(stamp, str) else datetime.fromtimestamp(stamp, UTC)
    return {**event, "timestamp": when if when.tzinfo else when.replace(tzinfo=UTC)}


def _summarize(events: list[Event]) -> Execution:
    last = events[-1]
    status = _STATUSES.get(last["type"], "RUNNING")
    details: Mapping[str, Any] = next((last[key] for key in last if key.endswith("EventDetails")), {})
    is_over = status != "RUNNING"
    return Execution(
        arn="",
        name="execution",
        machine_arn="",
        status=status,
        started=events[0]["timestamp"],
        stopped=last["timestamp"] if is_over else None,
        error=str(details.get("error") or "") if is_over else "",
        cause=read_cause(str(details.get("cause") or "")) if is_over else "",
    )
