"""cdk-nag finds nothing, and nothing is acknowledged that it would not find; CDK's own rules find nothing either."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest.mock import patch

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from app import build
from stacks import front_door_stack, notebook_stack
from stacks.constructs import (
    callers,
    delivery,
    execution_role,
    image_access_point,
    normalizer,
    notebook_role,
    persona,
    sagemaker_role,
    state_machine,
)
from tests.examples import IS_EXHAUSTIVE
from tests.stacks.conftest import ENVIRONMENTS, SWITCHES, VARIANTS, context_of, set_path
from tests.stacks.synthesis import open_app
from tests.tables import mark_full

ACKNOWLEDGING_MODULES = (
    callers,
    delivery,
    front_door_stack,
    execution_role,
    image_access_point,
    normalizer,
    notebook_role,
    persona,
    sagemaker_role,
    notebook_stack,
    state_machine,
)
# With the environments, every kind of resource once; what the other switches make is in prod or in one of these.
TOGETHER = "together"
ALL_TOGETHER: Mapping[str, Any] = {
    **{
        path: value
        for switch in ("nat", "notebook", "people", "object-lambda", "documents", "front-door")
        for path, value in SWITCHES[switch].items()
    },
    "alarms": {**SWITCHES["alarms"]["alarms"], **SWITCHES["front-door"]["alarms"]},
}
# Those that cannot be beside the others.
APART = ("private-notebook", "existing")

Violations = set[tuple[str, str]]


@dataclass(frozen=True)
class Unacknowledged:
    """What is found where nothing is acknowledged, and what would be.

    Args:
        found: Each finding's id and the construct it was found on.
        acknowledged: The id of each finding, the path of the construct it is acknowledged on, and the reason.
        stacks: The paths of whole stacks on which something is acknowledged.
    """

    found: Violations
    acknowledged: tuple[tuple[str, str, str], ...]
    stacks: tuple[str, ...]

    def list_matches(self, finding: str, path: str) -> Violations:
        """What is found of what is acknowledged on a construct."""
        return {(rule, where) for rule, where in self.found if rule == finding and f"{where}/".startswith(f"{path}/")}


def find_violations(variant: str, changes: Mapping[str, Any] | None = None) -> Violations:
    """Each finding's id and the construct it was found on."""
    context = context_of("dev" if variant == TOGETHER else variant)
    for path, value in (changes or (ALL_TOGETHER if variant == TOGETHER else {})).items():
        set_path(context["environments"][context["env"]], path, value)
    app = build(open_app(context))
    # Findings spell references to other stacks as synthesis resolves them.
    app.synth()
    report = AwsSolutionsChecks(app).validate_scope(app)
    return {
        (violation.rule_name, str(resource.construct_path))
        for violation in report.violations
        for resource in violation.violating_resources
    }


@cache
def find_without_acknowledging(variant: str) -> Unacknowledged:
    """What would be found, and what would be acknowledged: several tests ask, and it takes seconds."""
    acknowledged: list[tuple[str, IConstruct, str]] = []

    def record(construct: IConstruct, findings: Mapping[str, str]) -> None:
        acknowledged.extend((finding, construct, reason) for finding, reason in findings.items())

    with ExitStack() as stack:
        for module in ACKNOWLEDGING_MODULES:
            stack.enter_context(patch.object(module, "acknowledge", record))
        found = find_violations(variant)
    return Unacknowledged(
        found,
        tuple((finding, construct.node.path, reason) for finding, construct, reason in acknowledged),
        tuple(construct.node.path for _, construct, _ in acknowledged if isinstance(construct, cdk.Stack)),
    )


VARIANTS_TO_CHECK = [
    *(pytest.param(variant, marks=pytest.mark.slow) for variant in (TOGETHER, *APART)),
    *mark_full("nag", [variant for variant in VARIANTS if variant not in APART], but=ENVIRONMENTS),
]


# Elsewhere, what is found and what is acknowledged are compared without cdk-nag's own handling of acknowledgements.
@pytest.mark.parametrize("variant", mark_full("nag", VARIANTS, but=ENVIRONMENTS))
def test_finds_nothing(variant: str) -> None:
    assert find_violations(variant) == set()


@pytest.mark.slow
def test_finds_nothing_where_the_settings_choose_a_region() -> None:
    """It then stands in the names of what is the platform's own, and of what exists."""
    changes = {"region": "eu-west-1", "people.enabled": True, "storage.existing_work_bucket": None}

    assert find_violations("existing", changes) == set()


@pytest.mark.slow
@pytest.mark.parametrize("web_acl", [False, True] if IS_EXHAUSTIVE else [False])
def test_finds_nothing_where_iam_knows_the_callers_of_the_front_door(web_acl: bool) -> None:
    changes = {"front_door": {"workloads": ["bigmart"], "web_acl": web_acl}}

    assert find_violations("dev", changes) == set()


@pytest.mark.parametrize("variant", VARIANTS_TO_CHECK)
def test_acknowledges_everything_that_it_would_find(variant: str) -> None:
    checked = find_without_acknowledging(variant)

    matched = [checked.list_matches(finding, path) for finding, path, _ in checked.acknowledged]
    assert checked.found - set().union(*matched) == set()


@pytest.mark.parametrize("variant", VARIANTS_TO_CHECK)
def test_would_find_everything_that_is_acknowledged(variant: str) -> None:
    checked = find_without_acknowledging(variant)

    stale = [(finding, path) for finding, path, _ in checked.acknowledged if not checked.list_matches(finding, path)]
    assert stale == []
    assert len(checked.acknowledged) > 0
    assert checked.stacks == ()


@pytest.mark.parametrize("variant", VARIANTS_TO_CHECK)
def test_gives_every_acknowledgement_a_reason(variant: str) -> None:
    assert all(len(reason.split()) > 10 for _, _, reason in find_without_acknowledging(variant).acknowledged)


# The environments are synthesized by the command line, which applies these rules, in test_synthesis.py.
@pytest.mark.slow
@pytest.mark.parametrize("switch", mark_full("nag", SWITCHES, but=()))
def test_passes_the_rules_that_cdk_brings(switch: str) -> None:
    app = build(open_app(context_of(switch)))
    cdk.Validations.of(app).add_plugins(cdk.CloudFormationValidatePlugin())

    app.synth()
