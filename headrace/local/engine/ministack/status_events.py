"""The events that say that an execution has another status."""

import importlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

# https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
_MOST_BYTES: Final = 248 * 1024
_TEXTS: Final = ("input", "output")


def describe_change(record: Mapping[str, Any], redrives: Mapping[str, Any]) -> dict[str, Any]:
    """The detail of the event.

    Args:
        record: What DescribeExecution answers about the execution.
        redrives: What it answers about redriving it.
    """
    names = ("executionArn", "stateMachineArn", "name", "status", "input", "output", "error", "cause")
    detail: dict[str, Any] = {name: record.get(name) for name in names}
    detail |= {"stateMachineVersionArn": None, "stateMachineAliasArn": None, "redriveStatusReason": None, **redrives}
    for name in ("startDate", "stopDate", "redriveDate"):
        detail[name] = _to_milliseconds({**record, **redrives}.get(name))
    for name in _TEXTS:
        is_included = detail[name] is not None and len(detail[name].encode()) <= _MOST_BYTES
        detail[f"{name}Details"] = {"included": is_included} if detail[name] is not None else None
        detail[name] = detail[name] if is_included else None
    return detail


def publish_change(detail: Mapping[str, Any]) -> None:
    """Put the event on the default bus, as Step Functions does."""
    events: Any = importlib.import_module("ministack.services.eventbridge")
    entry = {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Detail": json.dumps(detail),
        "Resources": [detail["executionArn"]],
    }
    events._put_events({"Entries": [entry]}, allow_aws_source=True)


def _to_milliseconds(stamp: str | None) -> int | None:
    return None if stamp is None else round(datetime.fromisoformat(stamp).timestamp() * 1000)
