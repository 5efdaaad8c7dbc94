"""Deletes an environment whole: what executions have made, what its buckets hold, and its stacks."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

import boto3

from headrace.deletion import buckets
from headrace.deletion.executions import Made, delete_made, delete_versions, find_made, stop_executions
from headrace.deletion.standing import GONE, StandingStack, find_stacks
from headrace.deletion.waiting import wait_until
from headrace.errors import HeadraceError

BUCKET: Final = "AWS::S3::Bucket"
MODEL_PACKAGE_GROUP: Final = "AWS::SageMaker::ModelPackageGroup"
# What holds data besides buckets, in words.
HOLDERS: Final = {
    "AWS::ECR::Repository": "repository",
    "AWS::EFS::FileSystem": "file system",
    "AWS::FSx::FileSystem": "file system",
    "AWS::KMS::Key": "key",
    MODEL_PACKAGE_GROUP: "model package group",
    "AWS::SageMaker::NotebookInstance": "notebook",
}

Progress = Callable[[str], AbstractContextManager[None]]


class KeptEnvironmentError(HeadraceError):
    """An environment is to keep its data, so it is not deleted whole."""


class StackDeletionError(HeadraceError):
    """CloudFormation has not deleted a stack."""


@dataclass(frozen=True)
class Doomed:
    """What stands of an environment, and would go.

    Args:
        stacks: Its stacks, in the order in which they can go.
        made: What its executions have made outside of them.
    """

    stacks: tuple[StandingStack, ...]
    made: Made

    def describe(self) -> Iterator[tuple[str, str, str]]:
        """Everything that holds data or answers requests: what it is, its name, and how much it holds."""
        for stack in self.stacks:
            for bucket in stack.list_ids(BUCKET):
                yield "bucket", bucket, str(buckets.measure(bucket))
            for kind, word in HOLDERS.items():
                yield from ((word, name, "") for name in stack.list_ids(kind))
        for word, names in (
            ("endpoint", self.made.endpoints),
            ("endpoint configuration", self.made.configurations),
            ("model", self.made.models),
        ):
            yield from ((word, name, "") for name in names)


def find_doomed(environment: str) -> Doomed:
    """What would be deleted with an environment; no stacks if nothing of it stands.

    Raises:
        KeptEnvironmentError: If it is to keep its data.
    """
    stacks = find_stacks(environment)
    kept = [stack for stack in stacks if stack.is_protected or any(map(stack.keeps, stack.resources))]
    if kept:
        raise KeptEnvironmentError(
            f"the environment '{environment}' keeps its data ({', '.join(stack.name for stack in kept)}), so it is not "
            "deleted whole; docs/deleting.md says how to delete its stacks and find the data again, and how to give "
            "the data up: deploy it with retain_data false"
        )
    return Doomed(tuple(stacks), find_made(stacks) if stacks else Made())


def delete_environment(doomed: Doomed, progress: Progress) -> None:
    """Delete all of it; an interrupted deletion resumes when it is done again.

    Args:
        doomed: What to delete.
        progress: Shows what is being done.

    Raises:
        NotEmptiedError: If something in a bucket cannot be deleted.
        StackDeletionError: If a stack cannot.
    """
    with progress("stop executions"):
        stop_executions(doomed.stacks)
    with progress("delete endpoints and models"):
        delete_made(doomed.made, doomed.stacks)
    for stack in doomed.stacks:
        with progress(f"delete {stack.name}"):
            # Only now: what writes to the buckets of a stack is in those before it.
            for bucket in stack.list_ids(BUCKET):
                buckets.empty(bucket)
            for group in stack.list_ids(MODEL_PACKAGE_GROUP):
                delete_versions(group)
            delete_stack(stack)


def delete_stack(stack: StandingStack) -> None:
    """Delete a stack and wait until it is gone; what it is to keep stays.

    Raises:
        StackDeletionError: With the reason of the first resource that could not be deleted.
    """
    cloudformation: Any = boto3.client("cloudformation")

    def read_status() -> str:
        (described,) = cloudformation.describe_stacks(StackName=stack.id)["Stacks"]
        return str(described["StackStatus"])

    cloudformation.delete_stack(StackName=stack.id)
    wait_until(lambda: read_status() in (GONE, "DELETE_FAILED"))
    if read_status() != GONE:
        raise StackDeletionError(
            f"CloudFormation could not delete {stack.name}: {_find_reason(cloudformation, stack)}; "
            "mend that and run the command again: it resumes"
        )


def _find_reason(cloudformation: Any, stack: StandingStack) -> str:
    """What the first resource that stayed says, of those of the latest attempt."""
    reason = "no reason is given"
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack.id):
        for event in page["StackEvents"]:
            is_stack = event["PhysicalResourceId"] == stack.id
            if is_stack and event["ResourceStatus"] == "DELETE_IN_PROGRESS":
                return reason
            if event["ResourceStatus"] == "DELETE_FAILED" and not is_stack:
                reason = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
    return reason
