"""Templates of settings that no variant has."""

from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Template

from app import build
from tests.stacks.conftest import context_of, set_path


def template_with(stack: str, variant: str, changes: dict[str, Any]) -> Template:
    """One stack's template, of a variant with the values at some dotted paths changed."""
    context = context_of(variant)
    for path, value in changes.items():
        set_path(context["environments"][context["env"]], path, value)
    found = build(cdk.App(context=context)).node.find_child(stack)
    assert isinstance(found, cdk.Stack)
    return Template.from_stack(found)
