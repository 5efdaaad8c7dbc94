"""The synthesized app, once per environment."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from app import build
from tests.conftest import PROJECT

IMAGE_TAG = re.compile(r":[0-9a-f]{16}\b")


def read_context() -> dict[str, Any]:
    """The context of cdk.json, without asset bundling."""
    context: dict[str, Any] = json.loads((PROJECT / "cdk.json").read_text())["context"]
    return context | {"aws:cdk:bundling-stacks": []}


@cache
def build_app(environment: str) -> cdk.App:
    """The app of one environment."""
    return build(cdk.App(context=read_context() | {"env": environment}))


@cache
def template_of(stack: str, environment: str = "dev") -> Template:
    """One stack's template."""
    found = build_app(environment).node.find_child(stack)
    assert isinstance(found, cdk.Stack)
    return Template.from_stack(found)


def read_definition(template: Mapping[str, Any]) -> dict[str, Any]:
    """The state machine's definition out of a template, with `<...>` where CloudFormation fills in."""
    (machine,) = (r for r in template["Resources"].values() if r["Type"] == "AWS::StepFunctions::StateMachine")
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    definition: dict[str, Any] = json.loads(
        "".join(part if isinstance(part, str) else _placeholder(part) for part in parts)
    )
    return definition


def _placeholder(token: Mapping[str, Any]) -> str:
    return f"<{json.dumps(token)}>".replace('"', "'")


@pytest.fixture(scope="session", params=["dev", "prod"])
def environment(request: pytest.FixtureRequest) -> str:
    """Each environment of cdk.json."""
    return str(request.param)
