"""Which roles requests hand over to services."""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import botocore
import pytest

from headrace.local.engine.access.roles import find_role_members, list_passing_needs

ROLE = "arn:aws:iam::000000000000:role/ml"


@cache
def load_model(name: str) -> Any:
    (file,) = sorted((Path(botocore.__file__).parent / "data" / name).glob("*/service-2.json.gz"))[-1:]
    return json.loads(gzip.decompress(file.read_bytes()))


@pytest.mark.parametrize(
    ("service", "model", "operation", "request_", "principal"),
    [
        ("states", "stepfunctions", "CreateStateMachine", {"roleArn": ROLE}, "states"),
        ("states", "stepfunctions", "TestState", {"roleArn": ROLE}, "states"),
        ("lambda", "lambda", "CreateFunction", {"Role": ROLE}, "lambda"),
        ("events", "events", "PutTargets", {"Targets": [{"Arn": "a", "RoleArn": ROLE}]}, "events"),
        ("scheduler", "scheduler", "CreateSchedule", {"Target": {"RoleArn": ROLE}}, "scheduler"),
        ("pipes", "pipes", "CreatePipe", {"RoleArn": ROLE}, "pipes"),
        ("ecs", "ecs", "RegisterTaskDefinition", {"taskRoleArn": ROLE}, "ecs-tasks"),
        ("codebuild", "codebuild", "CreateProject", {"serviceRole": ROLE}, "codebuild"),
        ("logs", "logs", "PutSubscriptionFilter", {"roleArn": ROLE}, "logs"),
    ],
)
def test_finds_the_role_of_a_request(
    service: str, model: str, operation: str, request_: dict[str, Any], principal: str
) -> None:
    (need,) = list_passing_needs(service, operation, load_model(model), json.dumps(request_).encode())

    assert (need.action, need.resource) == ("iam:PassRole", ROLE)
    assert need.context == {"iam:PassedToService": f"{principal}.amazonaws.com"}


def test_finds_the_role_of_a_form_and_of_a_document() -> None:
    form = urlencode({"Action": "CreateStack", "StackName": "s", "RoleARN": ROLE}).encode()
    profile = urlencode({"Action": "AddRoleToInstanceProfile", "RoleName": "ml"}).encode()
    document = (
        f"<ReplicationConfiguration><Role>{ROLE}</Role><Rule><ID>a</ID></Rule></ReplicationConfiguration>".encode()
    )

    for service, operation, body in (
        ("cloudformation", "CreateStack", form),
        ("iam", "AddRoleToInstanceProfile", profile),
        ("s3", "PutReplicationConfiguration", document),
    ):
        (need,) = list_passing_needs(service, operation, load_model(service), body)
        assert (need.action, need.resource) == ("iam:PassRole", ROLE)


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("lambda", "InvokeFunction", {"Role": ROLE}),
        ("dynamodb", "PutItem", {"Item": {"RoleArn": {"S": ROLE}}}),
        ("iam", "GetRole", {"RoleName": "ml"}),
        ("sts", "AssumeRole", {"RoleArn": ROLE}),
        ("lambda", "CreateFunction", {"Environment": {"Variables": {"Role": ROLE}}}),
        ("lambda", "CreateFunction", {"Role": 1}),
    ],
)
def test_takes_for_a_role_only_what_the_api_calls_one(service: str, operation: str, request_: dict[str, Any]) -> None:
    assert not list(list_passing_needs(service, operation, load_model(service), json.dumps(request_).encode()))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"role", b"<role"])
def test_finds_no_role_in_what_cannot_be_read(body: bytes) -> None:
    assert find_role_members("lambda", "CreateFunction", load_model("lambda")) == {"Role"}
    assert not list(list_passing_needs("lambda", "CreateFunction", load_model("lambda"), body))
