"""The environment that docs/environments.md adds is one that can be deployed, in the Region that it names."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.stacks.conftest import context_of
from tests.stacks.synthesis import synthesize

PAGE = (PROJECT / "docs" / "environments.md").read_text()
[BLOCK] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
ENVIRONMENTS = json.loads(f"{{{BLOCK}}}")


@pytest.fixture(scope="module")
def stacks() -> Mapping[str, Any]:
    context = context_of("dev")
    context["environments"] |= ENVIRONMENTS
    return synthesize({**context, "env": "stage"})


def test_adds_one_environment_that_is_not_there_yet() -> None:
    assert ENVIRONMENTS.keys() == {"stage"}
    assert "stage" not in context_of("dev")["environments"]


def test_names_its_stacks_and_keeps_them_in_its_region(stacks: Mapping[str, Any]) -> None:
    assert {made["region"] for made in stacks.values()} == {"eu-central-1"}
    assert all(made["name"].startswith("headrace-stage-") for made in stacks.values())
    assert {"Alarms", "BigMart", "Images", "People", "Registry", "Storage"} <= stacks.keys()


def test_leaves_the_other_environments_as_they_are(stacks: Mapping[str, Any]) -> None:
    assert "headrace-dev" not in json.dumps({stack: made["template"] for stack, made in stacks.items()})
