"""A deployment that lacks Object Lambda alone is distinguished from one that lacks more."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace import contract
from headrace.assemblies import read_folder
from headrace.object_lambda import ObjectLambdaAttempt

STACK = "headrace-prod-objectlambda"
REFUSED = "AWS::S3ObjectLambda::AccessPoint"
CREATE = "s3:CreateAccessPointForObjectLambda"


class Account:
    """CloudFormation of an account, as far as it is asked here."""

    exceptions = boto3.client("cloudformation", region_name="eu-west-1").exceptions

    def __init__(self) -> None:
        self.stack: dict[str, Any] | None = None
        self.events: list[dict[str, str]] = []
        self.error = {"Code": "ValidationError", "Message": f"Stack with id {STACK} does not exist"}

    def describe_stacks(self, StackName: str) -> Any:  # noqa: N803 (boto3's word)
        assert StackName == STACK
        if self.stack is None:
            raise self.exceptions.ClientError({"Error": self.error}, "DescribeStacks")
        return {"Stacks": [self.stack]}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, StackName: str) -> Any:  # noqa: N803
        assert self.stack
        assert StackName == self.stack["StackId"]
        return [{"StackEvents": self.events}]

    def try_stack(self, identifier: str, status: str, *failed: tuple[str, str]) -> None:
        self.stack = {"StackId": identifier, "StackStatus": status}
        self.events = [
            {"ResourceType": kind, "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": reason}
            for kind, reason in reversed(failed)
        ]


@pytest.fixture
def account() -> Account:
    return Account()


def test_says_what_was_left_out_and_why(account: Account) -> None:
    attempt = ObjectLambdaAttempt(account, STACK)
    account.try_stack("1", "ROLLBACK_COMPLETE", (REFUSED, "closed to new customers"))

    refusal = attempt.find_refusal()

    assert refusal.startswith(
        f"left out: the stack {STACK}. AWS refuses S3 Object Lambda to accounts that had not used"
    )
    assert "here CloudFormation says: closed to new customers. That this is the refusal is a guess" in refusal
    assert "Everything else stands" in refusal
    assert "set normalizer.object_lambda to false" in refusal
    assert "\n" not in refusal


def test_says_why_the_first_access_point_was_refused(account: Account) -> None:
    attempt = ObjectLambdaAttempt(account, STACK)
    account.try_stack("1", "ROLLBACK_COMPLETE", (REFUSED, "closed"), (REFUSED, "Resource creation cancelled"))

    assert "CloudFormation says: closed." in attempt.find_refusal()


@pytest.mark.parametrize(
    "failure",
    [
        ("AWS::IAM::Policy", "no"),
        (REFUSED, 'Resource handler returned message: "taken" (RequestToken: 1, HandlerErrorCode: AlreadyExists)'),
        (REFUSED, 'Resource handler returned message: "wait" (RequestToken: 1, HandlerErrorCode: Throttling)'),
        (REFUSED, 'Resource handler returned message: "ARN" (RequestToken: 1, HandlerErrorCode: InvalidRequest)'),
        (REFUSED, 'Resource handler returned message: "none" (RequestToken: 1, HandlerErrorCode: NotFound)'),
        (REFUSED, f"User: me is not authorized to perform: {CREATE} (HandlerErrorCode: AccessDenied)"),
        (REFUSED, f"User: me is not\nauthorized to perform: {CREATE} (HandlerErrorCode: GeneralServiceException)"),
    ],
)
def test_does_not_excuse_another_failure_of_its_stack(account: Account, failure: tuple[str, str]) -> None:
    attempt = ObjectLambdaAttempt(account, STACK)
    account.try_stack("1", "ROLLBACK_COMPLETE", failure)

    assert attempt.find_refusal() == ""
    assert ("normalizer.object_lambda to false" in attempt.find_hint()) == (
        "not authorized" in " ".join(failure[1].split())
    )


def test_does_not_excuse_a_failure_of_what_comes_before_its_stack(account: Account) -> None:
    """What an earlier deployment left behind says nothing of this one."""
    account.try_stack("1", "ROLLBACK_COMPLETE", (REFUSED, "closed"))

    assert ObjectLambdaAttempt(account, STACK).find_refusal() == ""


def test_excuses_it_again_when_it_was_tried_again(account: Account) -> None:
    account.try_stack("1", "ROLLBACK_COMPLETE", (REFUSED, "closed"))
    attempt = ObjectLambdaAttempt(account, STACK)
    account.try_stack("2", "ROLLBACK_COMPLETE", (REFUSED, "closed"))

    assert attempt.find_refusal()


@pytest.mark.parametrize(
    "error",
    [
        {"Code": "Throttling", "Message": "Rate exceeded"},
        {"Code": "AccessDenied", "Message": "you are not authorized to perform: cloudformation:DescribeStacks"},
        {"Code": "ValidationError", "Message": "1 validation error detected"},
    ],
)
def test_does_not_take_a_look_that_failed_for_no_stack(account: Account, error: dict[str, str]) -> None:
    account.error = error

    with pytest.raises(account.exceptions.ClientError, match=error["Code"]):
        ObjectLambdaAttempt(account, STACK)


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_finds_no_refusal_where_it_stands(account: Account, status: str) -> None:
    attempt = ObjectLambdaAttempt(account, STACK)
    account.try_stack("1", status)

    assert attempt.find_refusal() == ""


def test_finds_no_refusal_where_there_is_no_such_stack(account: Account) -> None:
    assert ObjectLambdaAttempt(account, STACK).find_refusal() == ""
    assert ObjectLambdaAttempt(account, None).find_refusal() == ""


@pytest.mark.parametrize(
    ("artifacts", "name"), [({"ObjectLambda": {"properties": {"stackName": STACK}}}, STACK), ({}, None)]
)
def test_reads_the_stacks_name_from_the_assembly(tmp_path: Path, artifacts: dict[str, Any], name: str | None) -> None:
    for artifact in artifacts.values():
        artifact["type"] = "aws:cloudformation:stack"
        artifact["properties"]["templateFile"] = "template.json"
    (tmp_path / "template.json").write_text("{}")
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))

    assert read_folder(tmp_path).stack_names.get(contract.OBJECT_LAMBDA_STACK) == name
