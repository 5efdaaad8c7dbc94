"""Whose something is that no stack has any more."""

from typing import Any

import pytest

from headrace import contract
from headrace.deletion import kept
from headrace.deletion.data import BUCKET
from headrace.deletion.kept import find_kept
from tests.headrace.deletion.accounts import refuse

ENVIRONMENT_TAGS = {"project": "headrace", "environment": "mine"}
RAW = "arn:aws:s3:::raw"
OWN, FOREIGN, FORGOTTEN = "arn:own", "arn:foreign", "arn:forgotten"


class Account:
    """An account in which a deleted stack of `mine` has let a bucket go, and things have tags.

    Args:
        tags: The tags of what is there, by ARN.
        skipped: The buckets that the deleted stack has kept.
    """

    def __init__(self, tags: dict[str, dict[str, str]], *skipped: str) -> None:
        self._tags = tags
        self._skipped = skipped
        self._operation = ""

    def get_template(self, *, StackName: str) -> Any:  # noqa: N803 (CloudFormation's spelling)
        if StackName == FORGOTTEN:
            refuse("ValidationError", "Stack arn:forgotten does not exist")()
        owner = {OWN: "mine", FOREIGN: "other"}[StackName]
        return {"TemplateBody": {"Metadata": {contract.ENVIRONMENT_METADATA: owner}}}

    def get_paginator(self, operation: str) -> "Account":
        self._operation = operation
        return self

    def paginate(self, **request: Any) -> Any:
        return getattr(self, f"_{self._operation}")(**request)

    def _list_stacks(self, **_request: Any) -> Any:
        return [{"StackSummaries": [{"StackName": "headrace-mine-storage", "StackId": OWN}] if self._skipped else []}]

    def _describe_stack_events(self, **_request: Any) -> Any:
        events = [
            {
                "ResourceStatus": "DELETE_SKIPPED",
                "LogicalResourceId": name,
                "ResourceType": BUCKET,
                "PhysicalResourceId": name,
            }
            for name in self._skipped
        ]
        return [{"StackEvents": events}]

    def _get_resources(self, *, TagFilters: list[dict[str, Any]], **_request: Any) -> Any:  # noqa: N803
        found = [
            {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            for arn, tags in self._tags.items()
            if all(
                each["Key"] in tags and tags[each["Key"]] in each.get("Values", [*tags.values()]) for each in TagFilters
            )
        ]
        return [{"ResourceTagMappingList": found}]


def find(monkeypatch: pytest.MonkeyPatch, account: Account, *taken: str) -> list[str]:
    monkeypatch.setattr(kept, "make_client", lambda _: account)
    monkeypatch.setattr(kept, "is_there", lambda *_: True)
    return [item.name for item in find_kept("mine", taken)]


@pytest.mark.parametrize(
    ("arn", "stack", "found"),
    [
        pytest.param(RAW, OWN, ["raw"], id="of a stack of the environment"),
        pytest.param(RAW, FORGOTTEN, ["raw"], id="of a stack that CloudFormation knows no more"),
        pytest.param(RAW, FOREIGN, [], id="of a stack of another environment"),
        pytest.param(RAW, "", [], id="a bucket of no stack"),
        pytest.param("arn:aws:kms:eu-west-1:1:key/k", "", [], id="a key of no stack"),
        pytest.param("arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_A", OWN, ["eu-west-1_A"], id="a user pool"),
    ],
)
def test_takes_for_kept_only_what_a_stack_has_made(
    monkeypatch: pytest.MonkeyPatch, arn: str, stack: str, found: list[str]
) -> None:
    tags = {**ENVIRONMENT_TAGS, **({"aws:cloudformation:stack-id": stack} if stack else {})}

    assert find(monkeypatch, Account({arn: tags})) == found


@pytest.mark.parametrize(
    ("owner", "found"),
    [
        pytest.param(OWN, ["raw"], id="of the stack that let it go"),
        pytest.param("", ["raw"], id="without tags"),
        pytest.param(FORGOTTEN, ["raw"], id="of an earlier stack"),
        pytest.param(FOREIGN, [], id="taken over by a stack of another environment"),
    ],
)
def test_takes_for_kept_only_what_no_other_stack_has_taken_over(
    monkeypatch: pytest.MonkeyPatch, owner: str, found: list[str]
) -> None:
    tags = {RAW: {"aws:cloudformation:stack-id": owner}} if owner else {}

    assert find(monkeypatch, Account(tags, "raw")) == found


def test_takes_nothing_for_kept_that_stacks_have_or_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find(monkeypatch, Account({}, "raw", "work"), "raw") == ["work"]
