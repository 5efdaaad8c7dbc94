"""Deletes the stacks of an environment, each once what uses it is gone."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from headrace.deletion import buckets
from headrace.deletion.clients import make_client
from headrace.deletion.data import BUCKET, KEY, find_pending
from headrace.deletion.ledger import Entry, Ledger
from headrace.deletion.standing import GONE, StandingStack, list_used
from headrace.deletion.waiting import wait_until
from headrace.errors import HeadraceError

STACK: Final = "AWS::CloudFormation::Stack"
_DELETING: Final = "DELETE_IN_PROGRESS"
_FAILED: Final = "DELETE_FAILED"

Progress = Callable[[str], AbstractContextManager[None]]


class StackDeletionError(HeadraceError):
    """CloudFormation has not deleted a stack."""


def delete_stacks(stacks: Sequence[StandingStack], held: Mapping[str, str], ledger: Ledger, progress: Progress) -> None:
    """Delete stacks, their buckets emptied just before, and note how each ended.

    One that cannot be deleted, or that something which stays needs, stays, and so does what it uses.

    Args:
        stacks: In the order in which they can go.
        held: What could not be deleted, by the stack that it needs.
        ledger: What has been done.
        progress: Shows which stack is being deleted.
    """
    stay = dict(held)
    for stack in stacks:
        if user := stay.get(stack.name):
            ledger.failed.append(Entry(STACK, stack.name, f"{user} needs it and stays"))
        else:
            with progress(stack.name):
                _delete_whole(stack, ledger)
        if ledger.has_failed(stack.name):
            stay |= dict.fromkeys(list_used(stack, stacks), stack.name)


def delete_stack(stack: StandingStack) -> None:
    """Delete a stack and wait until it is gone; what it is to keep stays.

    Raises:
        StackDeletionError: With the reason of the first resource that could not be deleted.
    """
    cloudformation = make_client("cloudformation")

    def read_status() -> str:
        (described,) = cloudformation.describe_stacks(StackName=stack.id)["Stacks"]
        return str(described["StackStatus"])

    # What is being made or changed cannot be deleted; of one that awaits a change set, nothing is there.
    wait_until(
        lambda: not read_status().endswith("_IN_PROGRESS") or read_status().startswith(("DELETE", "REVIEW")),
        f"{stack.name} to be made or changed",
    )
    cloudformation.delete_stack(StackName=stack.id)
    wait_until(lambda: read_status() in (GONE, _FAILED), f"{stack.name} to be deleted")
    if read_status() != GONE:
        raise StackDeletionError(
            f"CloudFormation could not delete {stack.name}: {_find_reason(cloudformation, stack)}; "
            "mend that and run the command again: it resumes"
        )


def _delete_whole(stack: StandingStack, ledger: Ledger) -> None:
    going = [resource for resource in stack.resources if not stack.keeps(resource)]
    with ledger.deleting(STACK, stack.name):
        # Only now: what writes to the buckets of a stack is in those before it.
        for resource in going:
            if resource.kind == BUCKET:
                buckets.empty(resource.id)
        if stack.is_protected:
            make_client("cloudformation").update_termination_protection(
                StackName=stack.id, EnableTerminationProtection=False
            )
        delete_stack(stack)
    if not ledger.has_failed(stack.name):
        _note_resources(stack, ledger)


def _note_resources(stack: StandingStack, ledger: Ledger) -> None:
    """Note what has gone with a stack, and what goes later."""
    for resource in stack.resources:
        if stack.keeps(resource) or not resource.id:
            continue
        with ledger.trying(resource.kind, resource.id):
            if due := find_pending(resource.id) if resource.kind == KEY else None:
                ledger.pending.append(Entry(resource.kind, resource.id, f"until {due:%Y-%m-%d}"))
            else:
                ledger.deleted.append(Entry(resource.kind, resource.id, f"with {stack.name}"))


def _find_reason(cloudformation: Any, stack: StandingStack) -> str:
    """What the first resource that stayed says, of those of the latest attempt."""
    reason = "no reason is given"
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack.id):
        for event in page["StackEvents"]:
            is_stack = event["PhysicalResourceId"] == stack.id
            if is_stack and event["ResourceStatus"] == _DELETING:
                return reason
            if event["ResourceStatus"] == _FAILED and not is_stack:
                reason = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
    return reason
