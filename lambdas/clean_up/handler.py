"""The Lambda function: called by state machines whose executions fail, and by EventBridge when executions end."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from . import contract, notices
from .classifiers import clean_classifiers, is_comprehends
from .contract import Variable
from .executions import History
from .file_systems import delete_file_systems, has_made_file_systems
from .log import note
from .names import tag_of
from .notices import End
from .sagemaker import Aftermath, Sweep
from .served import read_noted_config
from .turns import give_up_turns

# What is left for the notice once there is no more time to wait.
_RESERVE_MILLISECONDS: Final = 60_000
_OWN_STATES: Final = ("Failed", "Redriven")
# The names of errors that say that this function did not get to its end, or that the state machine broke off before.
_NOT_RAISED_HERE: Final = ("Lambda.", "States.", "Sandbox.", "Runtime.")


class TooEarlyError(Exception):
    """Something cannot be removed yet: it is being made, or stopped."""


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Clean up after an execution.

    Raises:
        Exception: With the name and the message of what has failed, so that the execution ends with it.
        TooEarlyError: If EventBridge is to call again: Lambda does so after one minute, and after two more.
    """
    give_up = _watch_clock(context)
    if "detail" in event:
        _follow_end(event["detail"], give_up)
        return {}
    failure = event[contract.FAILURE]
    is_redriven = event[contract.REDRIVES] > failure[contract.REDRIVES]
    end = End(
        arn=event[contract.EXECUTION],
        status="FAILED",
        error=failure[contract.ERROR],
        cause=failure[contract.CAUSE],
        state=failure[contract.STATE],
    )
    _work_through(end, give_up, is_notified=not is_redriven)
    if is_redriven:
        return {}
    raise type(end.error, (Exception,), {})(end.cause) from None


def _follow_end(detail: Mapping[str, Any], give_up: Callable[[], bool]) -> None:
    error = detail.get("error") or ""
    if detail["status"] == "FAILED" and not error.startswith(_NOT_RAISED_HERE):
        return
    output = json.loads(detail.get("output") or "{}")
    output = output if isinstance(output, dict) else {}
    end = End(
        arn=detail["executionArn"],
        status=detail["status"],
        outcome=output.get("Outcome", ""),
        reason=output.get("Reason", ""),
        findings=notices.pick_findings(output),
        error=error,
        cause=detail.get("cause") or "",
        stopped_at=detail["stopDate"] / 1000,
    )
    found = _work_through(end, give_up, is_notified=True)
    if found.is_early:
        raise TooEarlyError("; ".join(found.left))


def _work_through(end: End, give_up: Callable[[], bool], *, is_notified: bool) -> Aftermath:
    """Clean up and tell; nothing that goes wrong hides the failure of the execution itself."""
    found = Aftermath()
    state = end.state
    try:
        history = History.read(_client("stepfunctions"), end.arn)
        requests = history.list_requests()
        state = state or history.find_last_state(but=_OWN_STATES)
        sweep = Sweep(
            _client("sagemaker"),
            execution=tag_of(end.name),
            requests=[request for request in requests if not is_comprehends(request)],
            give_up=give_up,
            find_noted=_find_noted,
        )
        found = sweep.found
        # First: each second costs. An execution that was redriven since uses what it has, and comes to another end.
        if any(map(is_comprehends, requests)) and not _find_redrive(end):
            is_over = end.status == "SUCCEEDED"
            clean_classifiers(
                _client("comprehend"),
                execution=end.arn,
                requests=requests,
                found=found,
                give_up=give_up,
                is_over=is_over,
            )
        if end.status == "SUCCEEDED":
            sweep.finish()
        else:
            sweep.clean()
            found.removed += give_up_turns(_client("s3"), requests, end.arn)
        # After the jobs that they are mounted by.
        if has_made_file_systems(requests):
            delete_file_systems(
                _client("fsx"),
                execution=tag_of(end.name),
                requests=requests,
                found=found,
                give_up=give_up,
                find_redrive=lambda: _find_redrive(end),
            )
    except (BotoCoreError, ClientError, LookupError, TypeError, ValueError) as error:
        found.left.append(f"what the execution has made: {type(error).__name__}: {error}")
    notice = notices.describe(End(**{**vars(end), "state": state}), found)
    note("execution_ended", **notice)
    if not is_notified:
        return found
    try:
        notices.publish(
            notice, events=_client("events"), topics=_client("sns"), topic_arn=os.environ.get(Variable.TOPIC)
        )
    except (BotoCoreError, ClientError) as error:
        note("notice_not_sent", error=str(error))
    return found


def _find_noted() -> str | None:
    bucket = os.environ.get(Variable.NOTE_BUCKET)
    return read_noted_config(_client("s3"), bucket, os.environ[Variable.NOTE_KEY]) if bucket else None


def _find_redrive(end: End) -> datetime | None:
    """When the execution was redriven last, if that was after this end of it."""
    if end.stopped_at is None:
        return None
    redriven: datetime | None = _client("stepfunctions").describe_execution(executionArn=end.arn).get("redriveDate")
    return redriven if redriven and redriven.timestamp() > end.stopped_at else None


def _watch_clock(context: Any) -> Callable[[], bool]:
    return lambda: context.get_remaining_time_in_millis() < _RESERVE_MILLISECONDS


@cache
def _client(service: str) -> Any:
    return boto3.client(service)
