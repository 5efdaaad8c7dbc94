"""The events that say that an execution, or a resource of SageMaker, has another status."""

import importlib
import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

from headrace.local.sagemaker.events import SOURCE

logger = logging.getLogger(__name__)

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
    _put("aws.states", "Step Functions Execution Status Change", detail, detail["executionArn"])


class SageMakerEvents:
    """Puts SageMaker's events on the default bus, one after the other: what they lead to may call SageMaker again."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sagemaker-events")

    def publish(self, detail_type: str, detail: Mapping[str, Any], arn: str) -> None:
        """Put an event on the bus in the background.

        Args:
            detail_type: What it is called.
            detail: What it says.
            arn: The resource that it is about.
        """
        self._pool.submit(self._put, detail_type, detail, arn)

    def _put(self, detail_type: str, detail: Mapping[str, Any], arn: str) -> None:
        try:
            _put(SOURCE, detail_type, detail, arn)
        except Exception:
            logger.exception("sagemaker_event_not_published arn=%s", arn)


def _put(source: str, detail_type: str, detail: Mapping[str, Any], arn: str) -> None:
    events: Any = importlib.import_module("ministack.services.eventbridge")
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail), "Resources": [arn]}
    events._put_events({"Entries": [entry]}, allow_aws_source=True)


def _to_milliseconds(stamp: str | None) -> int | None:
    return None if stamp is None else round(datetime.fromisoformat(stamp).timestamp() * 1000)
