"""Which stacks go, and which stay because something that could not be deleted needs them."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from headrace.deletion import phases, stacks
from headrace.deletion.ledger import Entry, Ledger
from headrace.deletion.phases import KeyInUseError
from headrace.deletion.stacks import STACK, StackDeletionError, delete_stack, delete_stacks
from headrace.deletion.standing import Resource, StandingStack
from headrace.inventory import Item, Maker

ROLE = "headrace-dev-bigmart-Role"


def make_stack(name: str, *resources: Resource, uses: str = "", is_protected: bool = False) -> StandingStack:
    user = {"Type": "AWS::IAM::Role", "Properties": {"Of": {"Fn::GetStackOutput": {"StackName": uses}}}}
    return StandingStack(
        name=name,
        id=f"arn:{name}",
        is_protected=is_protected,
        outputs={},
        exports=frozenset(),
        template={"Resources": {"User": user}},
        resources=resources,
    )


def name_stacks() -> list[StandingStack]:
    """Three that use each other, and one that none of them uses, in the order in which they can go."""
    role = Resource("Role", "AWS::IAM::Role", ROLE)
    return [
        make_stack("bigmart", role, uses="storage"),
        make_stack("people"),
        make_stack("storage", uses="encryption"),
        make_stack("encryption"),
    ]


class CloudFormation:
    """Stacks with these statuses, one at each look; what is asked of them besides."""

    def __init__(self, *statuses: str) -> None:
        self._statuses: Iterator[str] = iter(statuses)
        self._last = ""
        self.calls: list[str] = []

    def describe_stacks(self, **_request: str) -> Any:
        self._last = next(self._statuses, self._last)
        return {"Stacks": [{"StackStatus": self._last}]}

    def delete_stack(self, **_request: str) -> None:
        self.calls.append(f"delete in {self._last}")

    def update_termination_protection(self, **request: Any) -> None:
        self.calls.append(f"protection {request['EnableTerminationProtection']}")

    def get_paginator(self, _operation: str) -> "CloudFormation":
        return self

    def paginate(self, **_request: str) -> Any:
        failed = {
            "PhysicalResourceId": "raw",
            "ResourceStatus": "DELETE_FAILED",
            "LogicalResourceId": "Raw",
            "ResourceStatusReason": "not empty",
        }
        return [{"StackEvents": [failed]}]


def install(monkeypatch: pytest.MonkeyPatch, cloudformation: CloudFormation) -> None:
    monkeypatch.setattr(stacks, "make_client", lambda _: cloudformation)
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.mark.parametrize(
    ("statuses", "deleted_in"),
    [
        pytest.param(["CREATE_COMPLETE", "CREATE_COMPLETE"], "CREATE_COMPLETE", id="deployed"),
        pytest.param(["ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE"], "ROLLBACK_COMPLETE", id="could not be made"),
        pytest.param(["DELETE_FAILED", "DELETE_FAILED"], "DELETE_FAILED", id="could not be deleted"),
        pytest.param(["DELETE_IN_PROGRESS"] * 2, "DELETE_IN_PROGRESS", id="being deleted"),
        pytest.param(["REVIEW_IN_PROGRESS"] * 2, "REVIEW_IN_PROGRESS", id="awaits a change set"),
        pytest.param(
            ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"],
            "UPDATE_COMPLETE",
            id="being updated",
        ),
    ],
)
def test_deletes_a_stack_in_any_status(monkeypatch: pytest.MonkeyPatch, statuses: list[str], deleted_in: str) -> None:
    cloudformation = CloudFormation(*statuses, "DELETE_COMPLETE")
    install(monkeypatch, cloudformation)

    delete_stack(make_stack("storage"))

    assert cloudformation.calls == [f"delete in {deleted_in}"]


def test_says_why_a_stack_could_not_be_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, CloudFormation("CREATE_COMPLETE", "CREATE_COMPLETE", "DELETE_FAILED"))

    with pytest.raises(StackDeletionError, match="could not delete storage: Raw: not empty; mend that"):
        delete_stack(make_stack("storage"))


def test_takes_the_protection_off_a_stack_just_before_it_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    cloudformation = CloudFormation("CREATE_COMPLETE", "CREATE_COMPLETE", "DELETE_COMPLETE")
    install(monkeypatch, cloudformation)

    delete_stacks([make_stack("storage", is_protected=True)], {}, Ledger(), lambda _: nullcontext())

    assert cloudformation.calls == ["protection False", "delete in CREATE_COMPLETE"]


def test_keeps_what_a_stack_uses_that_could_not_be_deleted_and_deletes_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def delete(stack: StandingStack) -> None:
        if stack.name == "storage":
            raise StackDeletionError("storage is full")

    monkeypatch.setattr(stacks, "delete_stack", delete)
    ledger = Ledger()

    delete_stacks(name_stacks(), {}, ledger, lambda _: nullcontext())

    assert [entry.name for entry in ledger.deleted if entry.kind == STACK] == ["bigmart", "people"]
    assert ledger.failed == [
        Entry(STACK, "storage", "storage is full"),
        Entry(STACK, "encryption", "storage needs it and stays"),
    ]


def test_keeps_the_stack_whose_role_an_endpoint_needs_that_could_not_be_deleted() -> None:
    serves = {"ProductionVariants": [{"ModelName": "m"}]}
    model = {"ExecutionRoleArn": f"arn:aws:iam::1:role/{ROLE}"}
    made = [
        Item(kind="AWS::SageMaker::Endpoint", name="sales", maker=Maker.RUN, properties=serves),
        Item(kind="AWS::SageMaker::Model", name="m", maker=Maker.RUN, properties=model),
    ]
    ledger = Ledger(failed=[Entry("AWS::SageMaker::Endpoint", "sales", "denied")])

    assert phases._find_users(name_stacks(), made, ledger) == {"bigmart": "sales"}


def test_keeps_no_stack_for_a_configuration_whose_model_of_the_same_name_is_gone() -> None:
    serves = {"ProductionVariants": [{"ModelName": "run-1"}]}
    made = [Item(kind="AWS::SageMaker::EndpointConfig", name="run-1", maker=Maker.RUN, properties=serves)]
    ledger = Ledger(failed=[Entry("AWS::SageMaker::EndpointConfig", "run-1", "denied")])

    assert phases._find_users(name_stacks(), made, ledger) == {}


def test_keeps_a_key_while_data_stays_that_it_may_have_encrypted() -> None:
    raw = Item(kind="AWS::S3::Bucket", name="raw", maker=Maker.STACK, policy="Retain")

    with pytest.raises(KeyInUseError, match="raw may be encrypted with it, and stays"):
        phases._check_unused([raw], Ledger())
    phases._check_unused([raw], Ledger(deleted=[Entry("AWS::S3::Bucket", "raw")]))
