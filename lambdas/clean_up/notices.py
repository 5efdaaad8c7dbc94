"""What is said about the end of an execution: on the event bus, and to the topic of alarms if there is one.

People are not written to when nothing has happened that they could do anything about: a check each day that finds no
drift would teach them not to read what comes. The bus has these ends, too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from headrace.contract import NOTICE_SOURCE, NOTICE_TYPE, OUTCOME_OUTPUT, REASON_OUTPUT, Outcome
from headrace.drift.contract import Finding, Verdict

from .log import note
from .sagemaker import Aftermath

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html allows 256 KiB for an entry.
_LONGEST_CAUSE: Final = 8_000
_LONGEST_SUBJECT: Final = 99
# What a check for drift says besides its reason.
_FINDINGS: Final = (Finding.VERDICT, Finding.COLUMNS, Finding.REPORT, Finding.RETRAINING)
# Ends that people are not written to about.
_UNEVENTFUL: Final = (Outcome.NOTHING_TO_STOP, Verdict.STEADY, Verdict.TOO_FEW)


@dataclass(frozen=True, kw_only=True)
class End:
    """How an execution has ended.

    Args:
        arn: The execution.
        status: Its status.
        outcome: What it has come to, if it succeeded.
        reason: Why it has stopped or started an endpoint, or what it has found in words, if it did.
        findings: What it has found, by keys of `Finding`, if it has checked for drift.
        error: The error's name, if it failed.
        cause: Its cause.
        state: The state that failed, or that it was in.
        stopped_at: When, in seconds since 1970; nothing of an execution that ends with what it is told now.
    """

    arn: str
    status: str
    outcome: str = ""
    reason: str = ""
    findings: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    cause: str = ""
    state: str = ""
    stopped_at: float | None = None

    @property
    def machine(self) -> str:
        """The state machine's name."""
        return self.arn.split(":")[6]

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.arn.split(":")[7]


def pick_findings(output: Mapping[str, Any]) -> dict[str, Any]:
    """What an execution's output says of a check for drift; nothing of other executions."""
    return {str(key): output[key] for key in _FINDINGS if output.get(key)} if Finding.VERDICT in output else {}


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
        **({REASON_OUTPUT: end.reason} if end.reason else {}),
        **end.findings,
        **(failure if end.status != "SUCCEEDED" else {}),
        "Log": jobs[-1]["Log"] if jobs else f"the history of execution {end.name}",
        "BilledSeconds": sum(job.billed_seconds for job in found.jobs),
        "Jobs": jobs,
        "Removed": found.removed,
        "NotRemoved": found.left,
    }


def write_text(notice: Mapping[str, Any]) -> str:
    """The same for people."""
    lines = [f"Execution {notice['Execution']} of {notice['StateMachine']}: {_name_end(notice)}"]
    if REASON_OUTPUT in notice:
        lines.append(f"Why: {notice[REASON_OUTPUT]}")
    lines += [f"{key}: {notice[key]}" for key in (Finding.REPORT, Finding.RETRAINING) if key in notice]
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
    if topic_arn and _name_end(notice) not in _UNEVENTFUL:
        subject = f"Headrace: {notice['StateMachine']} {_name_end(notice)}"
        topics.publish(TopicArn=topic_arn, Subject=subject[:_LONGEST_SUBJECT], Message=write_text(notice))


def _name_end(notice: Mapping[str, Any]) -> str:
    """What an execution has come to, in a word."""
    return str(notice.get(OUTCOME_OUTPUT) or notice.get(Finding.VERDICT) or notice["Status"])
