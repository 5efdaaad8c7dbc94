"""Looks at what runs on the local cloud, with the API calls a user would make on AWS."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
from botocore import xform_name

from headrace.errors import HeadraceError
from headrace.local.engine.file_systems import list_folders
from headrace.local.sagemaker.kind import ResourceKind
from headrace.local.sagemaker.kinds import KINDS

# What runs, and so logs, by the word of its log.
LOG_KINDS: Final = {kind.log.word: kind for kind in KINDS if issubclass(kind, ResourceKind) and kind.log}


class NothingLoggedError(HeadraceError):
    """There is no log of this kind or name."""


def look_around(root: Path | None = None) -> dict[str, list[dict[str, str]]]:
    """Stacks, executions, jobs and endpoints: name and status of each, the latest first.

    Args:
        root: The local cloud's folder; with it file systems are listed too, and for status the folder of each.
    """
    return {
        "stacks": _stacks(),
        "executions": _executions(),
        **{f"{kind.noun}s": _resources(kind) for kind in LOG_KINDS.values()},
    } | ({"file systems": _file_systems(root)} if root else {})


def read_log(kind: str, name: str | None) -> Iterator[str]:
    """The lines that a job or an endpoint has logged; the latest one of its kind when no name is given.

    Raises:
        NothingLoggedError: If there is none.
    """
    logs: Any = boto3.client("logs")
    chosen = name or _latest(kind)
    group, beginning = LOG_KINDS[kind].locate_log(chosen)
    prefix = {"logStreamNamePrefix": beginning} if beginning else {}
    try:
        pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, **prefix)
        streams = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
    except logs.exceptions.ResourceNotFoundException:
        streams = []
    if not streams:
        raise NothingLoggedError(f"nothing has been logged for {kind} '{chosen}'")
    for stream in streams:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, logStreamNames=[stream])
        yield from (event["message"] for page in pages for event in page["events"])


def _latest(kind: str) -> str:
    rows = _resources(LOG_KINDS[kind])
    if not rows:
        raise NothingLoggedError(f"no {kind} has run yet; start a run with 'headrace local run'")
    return rows[0]["name"]


def _stacks() -> list[dict[str, str]]:
    cloudformation: Any = boto3.client("cloudformation")
    return [
        {"name": stack["StackName"], "status": stack["StackStatus"]}
        for stack in cloudformation.describe_stacks()["Stacks"]
    ]


def _executions() -> list[dict[str, str]]:
    states: Any = boto3.client("stepfunctions")
    return [
        {"name": execution["name"], "status": execution["status"]}
        for machine in states.list_state_machines()["stateMachines"]
        for execution in states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
    ]


def _file_systems(root: Path) -> list[dict[str, str]]:
    return [{"name": name, "status": str(folder)} for name, folder in list_folders(root).items()]


def _resources(kind: type[ResourceKind[Any]]) -> list[dict[str, str]]:
    client: Any = boto3.client("sagemaker")
    list_newest_first = getattr(client, xform_name(f"List{kind.name}s"))
    # Jobs come oldest first by default.
    answer = list_newest_first(SortBy="CreationTime", SortOrder="Descending")
    return [
        {"name": summary[f"{kind.name}Name"], "status": summary[f"{kind.name}Status"]}
        for summary in answer[kind.listed_as]
    ]
