"""What the local cloud decides, example by example of AWS's pages on the logic and the language of policies.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from headrace.local.engine.ministack.policies import UnknownConditionError
from tests.evaluators import ACCOUNT, Document, Question, decide, trusts

OTHER = "111122223333"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ml"
USER = f"arn:aws:iam::{ACCOUNT}:user/ana"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/ml/session"
OBJECT = "arn:aws:s3:::raw/home/ana/a.txt"
READ = Question(action="s3:GetObject", resource=OBJECT)
AS_ANA = replace(READ, principal=USER, of_principal={"aws:username": "ana"})


def document(*statements: Mapping[str, Any], version: str | None = "2012-10-17") -> Document:
    written: dict[str, Any] = {"Statement": list(statements)}
    return {**written, "Version": version} if version else written


def statement(effect: str = "Allow", **members: Any) -> dict[str, Any]:
    given = {"Effect": effect, **members}
    defaults = {"Action": "s3:*"} if "NotAction" not in members else {}
    defaults |= {"Resource": "*"} if "NotResource" not in members else {}
    return {**defaults, **given}


def when(operator: str, **keys: Any) -> Document:
    """A policy whose only statement has one condition; `__` in names of keys is a colon."""
    condition = {operator: {key.replace("__", ":"): value for key, value in keys.items()}}
    return document(statement(Condition=condition))


ALL = document(statement(Action="*"))


@pytest.mark.parametrize(("owner", "decision"), [(ACCOUNT, "Allow"), (OTHER, "ImplicitDeny")])
def test_knows_whose_a_bucket_is(owner: str, decision: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html"""
    point = replace(READ, resource=f"arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/photographs/object/a.jpg")

    for asked in (READ, point):
        assert decide(asked, [when("StringEquals", s3__ResourceAccount=owner)]) == decision


@pytest.mark.parametrize(
    ("said", "decision"), [({}, "Allow"), ({"sagemaker:modelapprovalstatus": "Approved"}, "ImplicitDeny")]
)
def test_knows_whether_an_update_of_a_version_approves_it(said: dict[str, str], decision: str) -> None:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html"""
    update = replace(READ, action="sagemaker:UpdateModelPackage", resource="*", context=said)
    facts = document(statement(Action=update.action, Condition={"Null": {"sagemaker:ModelApprovalStatus": "true"}}))

    assert decide(update, [facts]) == decision


def test_denies_what_nothing_allows() -> None:
    assert decide(READ, []) == "ImplicitDeny"
    assert decide(READ, [document(statement(Action="s3:PutObject"))]) == "ImplicitDeny"


@pytest.mark.parametrize("order", [1, -1])
def test_a_denial_wins_wherever_it_stands(order: int) -> None:
    denial = document(statement("Deny", Action="s3:Get*"))

    assert decide(READ, [ALL, denial][::order]) == "Deny"
    assert decide(READ, [ALL], [denial, ALL]) == "Deny"
    assert decide(READ, [ALL], resource=document(statement("Deny", Principal="*"))) == "Deny"


def test_a_boundary_and_a_session_allow_no_more_than_they_say() -> None:
    reading, writing = document(statement(Action="s3:Get*")), document(statement(Action="s3:Put*"))

    assert decide(READ, [ALL], [reading]) == "Allow"
    assert decide(READ, [ALL], [writing]) == "ImplicitDeny"
    assert decide(READ, [ALL], [reading], [writing]) == "ImplicitDeny"
    assert decide(READ, [], [ALL]) == "ImplicitDeny"
    assert decide(READ, [ALL], []) == "ImplicitDeny"


def test_in_one_account_the_policy_of_the_resource_is_enough_and_a_session_it_names_passes_by_limits() -> None:
    of_role = document(statement(Principal={"AWS": ROLE}))
    of_session = document(statement(Principal={"AWS": SESSION}))
    of_account = document(statement(Principal={"AWS": ROOT}))

    assert decide(READ, [], resource=of_role) == "Allow"
    assert decide(READ, [], [], resource=of_role) == "ImplicitDeny"
    assert decide(READ, [], [], resource=of_session) == "Allow"
    assert decide(READ, [], resource=of_account) == "ImplicitDeny"


def test_across_accounts_both_must_allow() -> None:
    of_role = document(statement(Principal={"AWS": ROLE}))

    assert decide(READ, [ALL], resource=of_role, owner=OTHER) == "Allow"
    assert decide(READ, [], resource=of_role, owner=OTHER) == "ImplicitDeny"
    assert decide(READ, [ALL], resource=document(), owner=OTHER) == "ImplicitDeny"


def test_a_keys_policy_leaves_it_to_the_account_or_names_who_may() -> None:
    """https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"""
    decrypt = Question(action="kms:Decrypt", resource=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k")
    to_account = document(statement(Action="kms:*", Principal={"AWS": ROOT}))
    to_role = document(statement(Action="kms:*", Principal={"AWS": ROLE}))
    to_other = document(statement(Action="kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}))

    assert decide(decrypt, [ALL], resource=to_account, is_required=True) == "Allow"
    assert decide(decrypt, [], resource=to_account, is_required=True) == "ImplicitDeny"
    assert decide(decrypt, [], resource=to_role, is_required=True) == "Allow"
    assert decide(decrypt, [ALL], resource=to_other, is_required=True) == "ImplicitDeny"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"NotAction": ["s3:Put*", "iam:*"]}, "Allow"),
        ({"NotAction": "s3:g*"}, "ImplicitDeny"),
        ({"NotResource": "arn:aws:s3:::work/*"}, "Allow"),
        ({"NotResource": ["arn:aws:s3:::raw/*"]}, "ImplicitDeny"),
        ({"Action": "S3:GETOBJECT"}, "Allow"),
        ({"Resource": "arn:aws:s3:::RAW/*"}, "ImplicitDeny"),
        ({"Resource": "arn:aws:s3:::raw/home/???/*"}, "Allow"),
        ({"Action": []}, "ImplicitDeny"),
    ],
)
def test_takes_what_a_statement_names_or_leaves_out(members: dict[str, Any], expected: str) -> None:
    assert decide(READ, [document(statement(**members))]) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("arn:aws:s3:::raw/home/${aws:username}/*", "Allow"),
        ("arn:aws:s3:::raw/home/${aws:userid}/*", "ImplicitDeny"),
        ("arn:aws:s3:::raw/home/${aws:userid, 'ana'}/*", "Allow"),
        ("arn:aws:s3:::raw/home/${*}/*", "ImplicitDeny"),
    ],
)
def test_writes_variables_out(pattern: str, expected: str) -> None:
    assert decide(AS_ANA, [document(statement(Resource=pattern))]) == expected
    denied = decide(AS_ANA, [ALL, document(statement("Deny", Resource=pattern))])
    assert denied == ("Deny" if expected == "Allow" else "Allow")


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_has_no_variables_in_documents_of_the_old_version(version: str | None) -> None:
    of_ana = statement(Resource="arn:aws:s3:::raw/home/${aws:username}/*")
    plain = replace(AS_ANA, resource="arn:aws:s3:::raw/home/${aws:username}/a.txt")

    assert decide(AS_ANA, [document(of_ana, version=version)]) == "ImplicitDeny"
    assert decide(plain, [document(of_ana, version=version)]) == "Allow"
    of_ana["Principal"] = "*"
    assert decide(AS_ANA, [], resource=document(of_ana, version=version)) == "ImplicitDeny"
    assert decide(AS_ANA, [], resource=document(of_ana)) == "Allow"


def test_takes_a_variable_without_a_value_for_the_worse_where_something_must_differ_from_it() -> None:
    differs = {"StringNotEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    asked = replace(READ, context={"aws:ResourceTag/team": "blue"})

    assert decide(asked, [document(statement(Condition=differs))]) == "ImplicitDeny"
    assert decide(asked, [ALL, document(statement("Deny", Condition=differs))]) == "Deny"
    of_red = replace(asked, of_principal={"aws:PrincipalTag/team": "red"})
    assert decide(of_red, [document(statement(Condition=differs))]) == "Allow"


def test_a_tag_of_who_calls_stands_for_itself_alone() -> None:
    policy = document(statement(Resource="arn:aws:s3:::raw/${aws:PrincipalTag/team}/*"))

    def ask(team: str) -> str:
        question = replace(READ, resource="arn:aws:s3:::raw/blue/a", of_principal={"aws:PrincipalTag/team": team})
        return decide(question, [policy])

    assert (ask("blue"), ask("*"), ask("bl?e"), ask("red")) == ("Allow", *["ImplicitDeny"] * 3)


def test_compares_tags_of_who_calls_with_those_of_the_resource() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    policy = document(statement(Condition=condition))

    def ask(context: Mapping[str, str], of_principal: Mapping[str, str]) -> str:
        return decide(replace(READ, context=context, of_principal=of_principal), [policy])

    blue, red = {"aws:ResourceTag/team": "blue"}, {"aws:PrincipalTag/team": "red"}
    assert ask(blue, {"aws:PrincipalTag/team": "blue"}) == "Allow"
    assert ask(blue, red) == "ImplicitDeny"
    assert ask(blue, {}) == "ImplicitDeny"
    assert ask({}, red) == "ImplicitDeny"


@pytest.mark.parametrize(
    ("operator", "expected", "value", "decision"),
    [
        ("StringEquals", "a", "a", "Allow"),
        ("StringEquals", ["b", "a"], "a", "Allow"),
        ("StringEquals", "a*", "abc", "ImplicitDeny"),
        ("StringNotEquals", ["b", "a"], "a", "ImplicitDeny"),
        ("StringNotEquals", "a", None, "Allow"),
        ("StringEqualsIgnoreCase", "A", "a", "Allow"),
        ("StringLike", "a*", "abc", "Allow"),
        ("StringLike", "A*", "abc", "ImplicitDeny"),
        ("StringNotLike", "a*", "abc", "ImplicitDeny"),
        ("StringEqualsIfExists", "a", None, "Allow"),
        ("StringEqualsIfExists", "a", "b", "ImplicitDeny"),
        ("NumericLessThanEquals", "10", "10", "Allow"),
        ("NumericGreaterThan", "10", "9.5", "ImplicitDeny"),
        ("NumericEquals", "10", "ten", "ImplicitDeny"),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "Allow"),
        ("DateLessThan", "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "ImplicitDeny"),
        ("DateEquals", "1767225600", "2026-01-01T00:00:00Z", "Allow"),
        ("Bool", "true", "true", "Allow"),
        ("Bool", "false", "true", "ImplicitDeny"),
        ("Bool", "true", None, "ImplicitDeny"),
        ("BoolIfExists", "true", None, "Allow"),
        ("BinaryEquals", "QQ==", "QQ==", "Allow"),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", "Allow"),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", "Allow"),
        ("NotIpAddress", "10.0.0.0/8", "10.1.2.3", "ImplicitDeny"),
        ("ArnLike", "arn:aws:iam::*:role/*", ROLE, "Allow"),
        ("ArnEquals", "arn:aws:iam::*:role/m?", ROLE, "Allow"),
        ("ArnLike", "arn:aws:*:role/ml", ROLE, "ImplicitDeny"),
        ("ArnNotLike", "arn:aws:iam::*:role/*", ROLE, "ImplicitDeny"),
        ("Null", "true", None, "Allow"),
        ("Null", "true", "a", "ImplicitDeny"),
        ("Null", "false", "a", "Allow"),
        ("ForAnyValue:StringEquals", ["a", "b"], ["b", "z"], "Allow"),
        ("ForAnyValue:StringEquals", ["a", "b"], ["y", "z"], "ImplicitDeny"),
        ("ForAnyValue:StringEquals", ["a"], None, "ImplicitDeny"),
        ("ForAllValues:StringEquals", ["a", "b"], ["b", "a"], "Allow"),
        ("ForAllValues:StringEquals", ["a", "b"], ["b", "z"], "ImplicitDeny"),
        ("ForAllValues:StringEquals", ["a"], None, "Allow"),
        ("ForAllValues:StringLike", ["a*"], ["ab", "ac"], "Allow"),
    ],
)
def test_compares_as_each_operator_does(operator: str, expected: Any, value: Any, decision: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""
    context = {} if value is None else {"aws:ResourceTag/of": value}

    assert decide(replace(READ, context=context), [when(operator, **{"aws:ResourceTag/of": expected})]) == decision


UNKNOWN = {"StringEquals": {"s3:Unheard": "of"}}


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "Null"])
def test_allows_nothing_by_a_condition_key_that_it_does_not_know(operator: str) -> None:
    assert decide(READ, [when(operator, s3__Unheard="true")]) == "ImplicitDeny"
    assert decide(READ, [when(operator, s3__Unheard="true"), ALL]) == "Allow"


def test_refuses_what_a_denial_with_a_condition_key_that_it_does_not_know_is_about() -> None:
    denial = statement("Deny", Action="s3:Get*", Condition=UNKNOWN)
    of_others = {**UNKNOWN, "ArnEquals": {"aws:PrincipalArn": USER}}

    with pytest.raises(UnknownConditionError, match="condition key s3:Unheard"):
        decide(READ, [ALL, document(denial)])
    assert decide(replace(READ, action="s3:PutObject"), [ALL, document(denial)]) == "Allow"
    assert decide(READ, [ALL, document({**denial, "Condition": of_others})]) == "Allow"
    assert decide(replace(READ, context={"s3:Unheard": "of"}), [ALL, document(denial)]) == "Deny"
    assert decide(replace(READ, context={"s3:Unheard": "by"}), [ALL, document(denial)]) == "Allow"


def test_refuses_to_compare_by_an_operator_that_it_does_not_know() -> None:
    with pytest.raises(UnknownConditionError, match="StringNearly"):
        decide(replace(READ, context={"aws:Of": "a"}), [when("StringNearly", aws__Of="a")])


def test_all_conditions_must_hold() -> None:
    both = {"StringEquals": {"aws:A": "1", "aws:B": "2"}, "Bool": {"aws:C": "true"}}
    policy = document(statement(Condition=both))
    full = {"aws:A": "1", "aws:B": "2", "aws:C": "true"}

    assert decide(replace(READ, context=full), [policy]) == "Allow"
    for key in full:
        assert decide(replace(READ, context=full | {key: "0"}), [policy]) == "ImplicitDeny"


def test_a_session_is_its_role_to_conditions() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html, aws:PrincipalArn."""
    assert decide(READ, [when("ArnEquals", aws__PrincipalArn=ROLE)]) == "Allow"
    assert decide(READ, [when("ArnEquals", aws__PrincipalArn=SESSION)]) == "ImplicitDeny"
    assert decide(AS_ANA, [when("StringEquals", aws__PrincipalArn=USER)]) == "Allow"


def test_knows_what_comes_by_way_of_a_service() -> None:
    direct, via = when("Bool", aws__ViaAWSService="false"), when("Bool", aws__ViaAWSService="true")
    by_service = replace(READ, context={"aws:CalledVia": ["s3-object-lambda.amazonaws.com"]})

    assert (decide(READ, [direct]), decide(READ, [via])) == ("Allow", "ImplicitDeny")
    assert (decide(by_service, [direct]), decide(by_service, [via])) == ("ImplicitDeny", "Allow")
    assert decide(READ, [when("Bool", aws__PrincipalIsAWSService="false")]) == "Allow"


@pytest.mark.parametrize(
    ("spared", "asked", "decision"),
    [
        ({"AWS": [ROLE, SESSION, ROOT]}, READ, "Allow"),
        ({"AWS": [ROLE, ROOT]}, READ, "Deny"),
        ({"AWS": [ROLE, SESSION]}, READ, "Deny"),
        ({"AWS": [USER, ACCOUNT]}, AS_ANA, "Allow"),
        ({"AWS": USER}, AS_ANA, "Deny"),
        ({"AWS": ROOT}, AS_ANA, "Deny"),
        ({"Service": "lambda.amazonaws.com"}, READ, "Deny"),
    ],
)
def test_denies_all_but_those_whom_a_denial_spares(spared: Any, asked: Question, decision: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"""
    denial = document(statement("Deny", NotPrincipal=spared))

    assert decide(asked, [ALL], resource=denial) == decision


def test_allows_nothing_by_leaving_others_out() -> None:
    assert decide(READ, [], resource=document(statement(NotPrincipal={"AWS": USER}))) == "ImplicitDeny"


def test_a_role_trusts_whom_its_policy_names_and_no_denial_does() -> None:
    assume = replace(AS_ANA, action="sts:AssumeRole", resource=ROLE)
    trusting = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ROOT}}
    but_for_ana = {"Effect": "Deny", "Action": "sts:AssumeRole", "NotPrincipal": {"AWS": f"{USER}-maria"}}
    named = {"StringEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"}}

    assert trusts(assume, document(trusting))
    assert not trusts(assume, document({**trusting, "Condition": UNKNOWN}))
    assert not trusts(assume, document(trusting, {**trusting, "Effect": "Deny", "Condition": UNKNOWN}))
    assert not trusts(assume, document(trusting, but_for_ana))
    assert trusts(assume, document({**trusting, "Condition": named}))
    assert not trusts(assume, document({**trusting, "Condition": named}, version=None))


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ({"AWS": USER}, "Allow"),
        ("*", "Allow"),
        ({"AWS": "*"}, "Allow"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/*"}, "ImplicitDeny"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/an?"}, "ImplicitDeny"),
        ({"AWS": USER.replace("ana", "Ana")}, "ImplicitDeny"),
        ({"AWS": USER.replace(ACCOUNT, OTHER)}, "ImplicitDeny"),
        ({"Service": "s3.amazonaws.com"}, "ImplicitDeny"),
    ],
)
def test_names_principals_without_wildcards_and_in_their_own_letters(principal: Any, expected: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"""
    assert decide(AS_ANA, [], resource=document(statement(Principal=principal))) == expected
