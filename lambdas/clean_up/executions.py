"""What Step Functions has noted about an execution: what its tasks asked for, and where it has been."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_PAGE: Final = 1000
_ENTERED: Final = "StateEntered"
_ANSWERED: Final = ("TaskSucceeded", "TaskFailed")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a task has asked a service for.

    Args:
        operation: The operation, as tasks spell it.
        arguments: What with.
        result: What came of it; nothing if it failed or has not ended.
        service: The service, as events spell it: of the SDK's integrations `aws-sdk:comprehend`.
        is_answered: Whether the service has answered; what it has not may be done all the same.
    """

    operation: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any]
    service: str = ""
    is_answered: bool = True


class History:
    """The events of an execution.

    Args:
        events: As GetExecutionHistory returns them.
    """

    def __init__(self, events: Sequence[Mapping[str, Any]]) -> None:
        self._events = events

    @classmethod
    def read(cls, states: Any, execution_arn: str) -> "History":
        """Read it with a client of Step Functions."""
        pages = states.get_paginator("get_execution_history").paginate(
            executionArn=execution_arn, PaginationConfig={"PageSize": _PAGE}
        )
        return cls([event for page in pages for event in page["events"]])

    def list_requests(self) -> list[Request]:
        """What its tasks have asked for, one after the other; a retry is another request."""
        results = {event.get("previousEventId"): event for event in self._events if event["type"] in _ANSWERED}
        started = {
            event.get("previousEventId"): event["id"] for event in self._events if event["type"] == "TaskStarted"
        }
        return list(self._list_requests(results, started))

    def find_last_state(self, *, but: Sequence[str]) -> str:
        """The state that was entered last, apart from some."""
        for event in reversed(self._events):
            if event["type"].endswith(_ENTERED) and event["stateEnteredEventDetails"]["name"] not in but:
                return str(event["stateEnteredEventDetails"]["name"])
        return ""

    def _list_requests(self, results: Mapping[Any, Mapping[str, Any]], started: Mapping[Any, int]) -> Iterator[Request]:
        for event in self._events:
            if event["type"] != "TaskScheduled":
                continue
            details = event["taskScheduledEventDetails"]
            last = started.get(event["id"], event["id"])
            # A job that is waited for has an event for its submission in between.
            ended = results.get(last) or results.get(last + 1) or {}
            yield Request(
                operation=details.get("resource", "").split(".")[0],
                arguments=_read(details.get("parameters")),
                service=details.get("resourceType", ""),
                result=_read(ended.get("taskSucceededEventDetails", {}).get("output")),
                is_answered=bool(ended),
            )


def _read(text: str | None) -> Mapping[str, Any]:
    """An object in JSON; what is none, or was cut off, has no members."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
