"""The role of a promotion's target trusts one principal, and may do what a promotion does there and no more."""

import json
import re
import subprocess
from typing import Any

import pytest
import yaml

from headrace import contract
from tests.conftest import PROJECT
from tests.stacks.test_linters import CFN_LINT

FILE = PROJECT / "examples" / "promotion" / "role.yml"
TEMPLATE = yaml.safe_load(FILE.read_text())
ROLE = TEMPLATE["Resources"]["PromotionRole"]["Properties"]
STATEMENTS: list[dict[str, Any]] = [
    statement["Fn::If"][1] if "Fn::If" in statement else statement
    for statement in ROLE["Policies"][0]["PolicyDocument"]["Statement"]
]
BY_SID = {statement["Sid"]: statement for statement in STATEMENTS}


def list_actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return found if isinstance(found, list) else [found]


def list_resources(statement: dict[str, Any]) -> list[str]:
    found = statement["Resource"]
    return [each["Fn::Sub"] for each in (found if isinstance(found, list) else [found])]


def test_trusts_one_principal_that_is_named() -> None:
    (statement,) = ROLE["AssumeRolePolicyDocument"]["Statement"]

    assert statement == {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": {"Ref": "Promoter"}}}
    assert "Default" not in TEMPLATE["Parameters"]["Promoter"]


@pytest.mark.parametrize(
    ("arn", "is_taken"),
    [
        ("arn:aws:iam::111122223333:role/ci/promote", True),
        ("arn:aws:iam::111122223333:user/ana", True),
        ("arn:aws:iam::111122223333:root", False),
        ("arn:aws:iam::111122223333:role/*", False),
        ("111122223333", False),
        ("*", False),
    ],
)
def test_takes_roles_and_users_without_wildcards(arn: str, is_taken: bool) -> None:
    pattern = TEMPLATE["Parameters"]["Promoter"]["AllowedPattern"]

    # CloudFormation compares with the whole value.
    assert bool(re.fullmatch(pattern, arn)) is is_taken


def test_takes_the_environments_that_an_app_may_have() -> None:
    assert TEMPLATE["Parameters"]["Environment"]["AllowedPattern"] == contract.ENVIRONMENT_NAME


def test_may_do_anywhere_only_what_cannot_be_limited() -> None:
    everywhere = [statement["Action"] for statement in STATEMENTS if statement["Resource"] == "*"]

    assert everywhere == ["sagemaker:ListModelPackages"]
    assert not [action for each in STATEMENTS for action in list_actions(each) if "*" in action]


def test_reaches_what_the_environment_has_by_its_names() -> None:
    stack = contract.stack_name("${Environment}", "")
    group = contract.model_package_group_name("${Environment}", "")

    assert list_resources(BY_SID["FindTheEnvironment"])[0].endswith(f":stack/{stack}*")
    assert list_resources(BY_SID["CopyContainerImages"])[0].endswith(f":repository/{stack}registry-*")
    assert [each.rpartition(":")[2] for each in list_resources(BY_SID["MakeVersions"])] == [
        f"model-package-group/{group}*",
        f"model-package/{group}*",
    ]
    assert list_resources(BY_SID["CreateArchives"]) == list_resources(BY_SID["SendPartsOfArchives"])
    assert [each.partition("/")[2] for each in list_resources(BY_SID["CreateArchives"])] == [
        f"{contract.ARCHIVES_PREFIX}*/promoted/*"
    ]
    assert [each.partition("/")[2] for each in list_resources(BY_SID["CopyObjects"])] == [
        f"{contract.ARCHIVES_PREFIX}*/promoted/*",
        f"{contract.GOLDEN_PREFIX}*",
    ]


def test_writes_no_archive_over_another() -> None:
    writing = [each for each in STATEMENTS if "s3:PutObject" in list_actions(each)]

    assert {each["Sid"]: [key for key in each["Condition"] if key != "StringEquals"] for each in writing} == {
        "WriteGoldenRequests": [],
        "CreateArchives": ["Null"],
        "SendPartsOfArchives": ["Bool"],
    }


def test_makes_no_version_that_is_approved() -> None:
    (statement,) = (each for each in STATEMENTS if "sagemaker:CreateModelPackage" in list_actions(each))

    assert statement["Condition"]["StringEquals"]["sagemaker:ModelApprovalStatus"] == "PendingManualApproval"


def test_makes_no_version_that_does_not_note_what_it_is_made_of_or_has_served() -> None:
    condition, facts = BY_SID["MakeVersions"]["Condition"], "sagemaker:CustomerMetadataProperties"
    given, left_out = "false", "true"

    held = {**condition["Null"], **{key: value for key, value in condition["StringEquals"].items() if facts in key}}
    assert held == {
        f"{facts}/{contract.VersionFact.APPROVAL}": "human",
        f"{facts}/{contract.VersionFact.ARCHIVE}": given,
        f"{facts}/{contract.VersionFact.CONTAINER_IMAGE}": given,
        f"{facts}/{contract.VersionFact.SERVED}": left_out,
        f"{facts}/{contract.VersionFact.TRANSFORMED}": left_out,
    }
    # These are the target's own, or brought along, and as free as the choice of the version.
    free = {contract.VersionFact.ENDPOINT, contract.VersionFact.FINGERPRINT, contract.VersionFact.RECORD}
    assert held.keys() == {f"{facts}/{fact}" for fact in contract.BELIEVED_FACTS if fact not in free}


def test_approves_and_deletes_nothing() -> None:
    actions = {action for each in STATEMENTS for action in list_actions(each)}

    assert not {action for action in actions if re.search(r":(Update|Delete|Batch?Delete|Tag)", action)}
    assert {
        each["Condition"]["StringEquals"]["s3:ResourceAccount"]["Ref"]
        for each in STATEMENTS
        if "Condition" in each and "s3:ResourceAccount" in each["Condition"]["StringEquals"]
    } == {"AWS::AccountId"}


@pytest.mark.slow
def test_is_a_template_in_which_cfn_lint_finds_nothing() -> None:
    # The Context block describes a template to those who have nothing else.
    command = [*CFN_LINT, "--ignore-checks", "I4010", "--", str(FILE)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (json.loads(done.stdout), done.returncode) == ([], 0)
