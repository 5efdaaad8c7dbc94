"""What executions in an account, or on the local cloud, have used."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from headrace import contract
from headrace.cost.recorded import Recorded, RecordedJob, count_states, read_job
from headrace.inventory.jobs import JOB_KINDS, JobKind
from headrace.pipeline.executions import read_events, read_execution
from headrace.pipeline.history import Execution, read_history

# The clocks of the services may differ.
_AROUND: Final = timedelta(minutes=1)


def read_used(session: Any, arn: str) -> Recorded:
    """What an execution has used so far: the jobs that bear its tag, and the states it went through.

    Args:
        session: boto3's, which leads to the account and the Region; nothing but reading is asked of it.
        arn: The execution.

    Raises:
        NoSuchExecutionError: If there is none.
        RecordingError: If one of its jobs does not have machines of one type.
    """
    execution = read_execution(arn)
    history = read_history(read_events(arn))
    sagemaker = session.client("sagemaker")
    jobs = [job for kind in JOB_KINDS for job in _find_jobs(sagemaker, kind, execution)]
    return Recorded(execution.name, tuple(jobs), count_states(history))


def _find_jobs(sagemaker: Any, kind: JobKind, execution: Execution) -> Iterator[RecordedJob]:
    """The jobs of a kind that an execution has made, the first of them first."""
    word = kind.word.replace(" ", "_")
    described = getattr(sagemaker, f"describe_{word}")
    when = {"CreationTimeAfter": execution.started - _AROUND}
    if execution.stopped:
        when["CreationTimeBefore"] = execution.stopped + _AROUND
    pages = sagemaker.get_paginator(f"list_{word}s").paginate(SortBy="CreationTime", SortOrder="Ascending", **when)
    for summary in (summary for page in pages for summary in page[f"{kind.entity}Summaries"]):
        tags = sagemaker.list_tags(ResourceArn=summary[f"{kind.entity}Arn"])["Tags"]
        if {"Key": contract.EXECUTION_TAG, "Value": execution.name} in tags and (
            job := read_job(described(**{kind.name: summary[kind.name]}))
        ):
            yield job
