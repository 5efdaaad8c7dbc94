"""What requests need besides, by the condition keys that they come with."""

from typing import Any

import pytest

from headrace.local.engine.access.further import FURTHER, Further, describe_creation, describe_write, list_further_needs
from headrace.local.engine.ministack.keys import is_unknown_key

OBJECT = "arn:aws:s3:::raw/a"


def test_reads_condition_keys_from_the_headers_of_s3() -> None:
    headers = {"x-amz-acl": "private", "x-amz-object-lock-mode": "GOVERNANCE", "x-amz-tagging": "a=b&c=", "etag": "x"}

    assert describe_write(headers) == {
        "s3:x-amz-acl": "private",
        "s3:object-lock-mode": "GOVERNANCE",
        "s3:RequestObjectTag/a": "b",
        "s3:RequestObjectTag/c": "",
        "s3:RequestObjectTagKeys": ["a", "c"],
    }


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ({}, {"s3:ObjectCreationOperation": "true"}),
        ({"begins": True}, {"s3:ObjectCreationOperation": "false"}),
        ({"part": True}, {"s3:ObjectCreationOperation": "false"}),
        ({"ends": True}, {"s3:ObjectCreationOperation": "true", "s3:if-none-match": "*"}),
    ],
)
def test_tells_what_makes_an_object_from_what_sends_its_parts(way: dict[str, bool], expected: dict[str, str]) -> None:
    asked = {"part": False, "ends": False, "begins": False, **way}

    assert describe_creation({"if-none-match": "*"}, **asked) == expected


@pytest.mark.parametrize(
    ("action", "context", "expected"),
    [
        ("s3:PutObject", {}, []),
        ("s3:GetObject", {"s3:x-amz-acl": "private"}, []),
        ("s3:PutObject", {"s3:x-amz-grant-read": "id=a"}, ["s3:PutObjectAcl"]),
        ("iam:CreateRole", {"aws:TagKeys": ["a"]}, ["iam:TagRole"]),
        ("iam:CreateRole", {"aws:TagKeys": []}, []),
    ],
)
def test_needs_what_a_key_of_the_request_stands_for(action: str, context: dict[str, Any], expected: list[str]) -> None:
    needs = list(list_further_needs(action, OBJECT, context))

    assert [need.action for need in needs] == expected
    assert all((need.resource, need.context) == (OBJECT, context) for need in needs)


def test_tags_what_is_made_where_the_request_has_no_name_for_it() -> None:
    (need,) = list_further_needs("kms:CreateKey", "*", {"aws:TagKeys": ["a"]})

    assert (need.action, need.resource) == ("kms:TagResource", "arn:aws:kms:us-east-1:000000000000:key/new")


@pytest.mark.parametrize("rule", FURTHER, ids=lambda rule: rule.of)
def test_says_where_aws_demands_it(rule: Further) -> None:
    assert rule.source.startswith("https://docs.aws.amazon.com/service-authorization/latest/reference/list_")


@pytest.mark.parametrize(("account", "is_unknown"), [("000000000000", True), ("210987654321", False)])
def test_refuses_a_key_that_there_is_not_unless_another_account_may_have_it(account: str, is_unknown: bool) -> None:
    key = f"arn:aws:kms:us-east-1:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"

    assert is_unknown_key(key, {"kms:ViaService": "s3.us-east-1.amazonaws.com"}) == is_unknown
    assert not is_unknown_key(key, {})
