"""Templates of settings that no variant has."""

from typing import Any

from aws_cdk.assertions import Template

from headrace.recipes import list_recipes
from tests.stacks.conftest import context_of, set_path
from tests.stacks.synthesis import synthesize

# The workloads whose stacks decide what is in a stack, where not all of them do.
WORKLOADS = {
    **{recipe.stack_id: (recipe.name,) for recipe in list_recipes()},
    **dict.fromkeys(("Documents", "FileSystems", "Network"), ()),
}


def template_with(stack: str, variant: str, changes: dict[str, Any]) -> Template:
    """One stack's template, of a variant with the values at some dotted paths changed."""
    context = context_of(variant)
    for path, value in changes.items():
        set_path(context["environments"][context["env"]], path, value)
    return Template.from_json(synthesize(context, WORKLOADS.get(stack))[stack]["template"])
