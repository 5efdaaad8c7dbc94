"""cdk-nag finds nothing, and nothing is acknowledged that it would not find; CDK's own rules find nothing either."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from app import build
from stacks import notebook_stack
from stacks.constructs import (
    execution_role,
    image_access_point,
    normalizer,
    notebook_role,
    persona,
    sagemaker_role,
    state_machine,
)
from tests.stacks.conftest import ENVIRONMENTS, SWITCHES, VARIANTS, context_of, set_path
from tests.tables import mark_full

ACKNOWLEDGING_MODULES = (
    execution_role,
    image_access_point,
    normalizer,
    notebook_role,
    persona,
    sagemaker_role,
    notebook_stack,
    state_machine,
)


def find_violations(variant: str, changes: Mapping[str, Any] | None = None) -> set[tuple[str, str]]:
    """Each finding's id and the construct it was found on."""
    context = context_of(variant)
    for path, value in (changes or {}).items():
        set_path(context["environments"][context["env"]], path, value)
    app = build(cdk.App(context=context))
    # Findings spell references to other stacks as synthesis resolves them.
    app.synth()
    report = AwsSolutionsChecks(app).validate_scope(app)
    return {
        (violation.rule_name, str(resource.construct_path))
        for violation in report.violations
        for resource in violation.violating_resources
    }


# With the environments, every kind of resource once; what the other switches make is in prod or in one of these.
ONE_OF_EACH = ("nat", "notebook", "private-notebook", "people", "object-lambda", "existing", "alarms")
VARIANTS_TO_CHECK = [
    pytest.param(variant, marks=pytest.mark.slow) if variant in ONE_OF_EACH else variant
    for variant in mark_full("nag", VARIANTS, but=(*ENVIRONMENTS, *ONE_OF_EACH))
]


@pytest.mark.parametrize("variant", VARIANTS_TO_CHECK)
def test_finds_nothing(variant: str) -> None:
    assert find_violations(variant) == set()


@pytest.mark.slow
def test_finds_nothing_where_the_settings_choose_a_region() -> None:
    """It then stands in the names of what is the platform's own, and of what exists."""
    changes = {"region": "eu-west-1", "people.enabled": True, "storage.existing_work_bucket": None}

    assert find_violations("existing", changes) == set()


@pytest.mark.parametrize("variant", VARIANTS_TO_CHECK)
def test_would_find_everything_that_is_acknowledged(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    acknowledged: list[tuple[str, IConstruct]] = []

    def record(construct: IConstruct, findings: Mapping[str, str]) -> None:
        acknowledged.extend((finding, construct) for finding in findings)

    for module in ACKNOWLEDGING_MODULES:
        monkeypatch.setattr(module, "acknowledge", record)

    found = find_violations(variant)

    stale = [
        (finding, construct.node.path)
        for finding, construct in acknowledged
        if not any(finding == rule and where.startswith(construct.node.path) for rule, where in found)
    ]
    assert stale == []
    assert len(acknowledged) > 0
    assert not any(isinstance(construct, cdk.Stack) for _, construct in acknowledged)


@pytest.mark.parametrize("variant", VARIANTS_TO_CHECK)
def test_gives_every_acknowledgement_a_reason(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons: list[str] = []
    for module in ACKNOWLEDGING_MODULES:
        monkeypatch.setattr(module, "acknowledge", lambda _, findings: reasons.extend(findings.values()))

    build(cdk.App(context=context_of(variant)))

    assert all(len(reason.split()) > 10 for reason in reasons)


# The environments are synthesized by the command line, which applies these rules, in test_synthesis.py.
@pytest.mark.slow
@pytest.mark.parametrize("switch", mark_full("nag", SWITCHES, but=()))
def test_passes_the_rules_that_cdk_brings(switch: str) -> None:
    app = build(cdk.App(context=context_of(switch)))
    cdk.Validations.of(app).add_plugins(cdk.CloudFormationValidatePlugin())

    app.synth()
