"""What is said about the end of an execution: on the event bus, and to the topic of alarms if there is one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.contract import NOTICE_SOURCE, NOTICE_TYPE, OUTCOME_OUTPUT

from .log import note
from .sagemaker import Aftermath

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html allows 256 KiB for an entry.
_LONGEST_CAUSE: Final = 8_000
_LONGEST_SUBJECT: Final = 99


@dataclass(frozen=True, kw_only=True)
class End:
    """How an execution has ended.

    Args:
        arn: The execution.
        status: Its status.
        outcome: What it has come to, if it succeeded.
        error: The error's name, if it failed.
        cause: Its cause.
        state: The state that failed, or that it was in.
    """

    arn: str
    status: str
    outcome: str = ""
    error: str = ""
    cause: str = ""
    state: str = ""

    @property
    def machine(self) -> str:
        """The state machine's name."""
        return self.arn.split(":")[6]

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.arn.split(":")[7]


def describe(end: End, found: Aftermath) -> dict[str, Any]:
    """The notice, as the event has it."""
    jobs = [
        {"Kind": job.kind, "Name": job.name, "Log": job.log, "BilledSeconds": job.billed_seconds} for job in found.jobs
    ]
    failure = {"Error": end.error, "Cause": end.cause[:_LONGEST_CAUSE], "State": end.state}
    return {
        "Execution": end.name,
        "ExecutionArn": end.arn,
        "StateMachine": end.machine,
        "Status": end.status,
        **({OUTCOME_OUTPUT: end.outcome} if end.outcome else {}),
        **(failure if end.status != "SUCCEEDED" else {}),
        "Log": jobs[-1]["Log"] if jobs else f"the history of execution {end.name}",
        "BilledSeconds": sum(job.billed_seconds for job in found.jobs),
        "Jobs": jobs,
        "Removed": found.removed,
        "NotRemoved": found.left,
    }


def write_text(notice: Mapping[str, Any]) -> str:
    """The same for people."""
    what = notice.get(OUTCOME_OUTPUT) or notice["Status"]
    lines = [f"Execution {notice['Execution']} of {notice['StateMachine']}: {what}"]
    if notice["Status"] != "SUCCEEDED":
        lines += [f"State: {notice['State']}", f"{notice['Error']}: {notice['Cause']}" if notice["Error"] else ""]
    lines += [f"Log: {notice['Log']}", f"Billed: {notice['BilledSeconds']} s in {len(notice['Jobs'])} jobs"]
    lines += [f"Removed: {what}" for what in notice["Removed"]]
    lines += [f"NOT removed, look at it: {what}" for what in notice["NotRemoved"]]
    return "\n".join(line for line in lines if line)


def publish(notice: Mapping[str, Any], *, events: Any, topics: Any, topic_arn: str | None) -> None:
    """Send it."""
    entry = {"Source": NOTICE_SOURCE, "DetailType": NOTICE_TYPE, "Detail": json.dumps(notice)}
    answer = events.put_events(Entries=[{**entry, "Resources": [notice["ExecutionArn"]]}])
    if answer.get("FailedEntryCount"):
        note("notice_refused", answer=answer["Entries"])
    if topic_arn:
        subject = f"Headrace: {notice['StateMachine']} {notice.get(OUTCOME_OUTPUT) or notice['Status']}"
        topics.publish(TopicArn=topic_arn, Subject=subject[:_LONGEST_SUBJECT], Message=write_text(notice))
