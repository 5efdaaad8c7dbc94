"""docs/compliance.md answers every finding of cdk-nag's packs, and nothing that they no longer find."""

import copy
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import aws_cdk as cdk
import pytest
from cdk_nag import HIPAASecurityChecks, NagPack, NIST80053R5Checks, PCIDSS321Checks

from app import build
from stacks.settings.table import list_settings
from tests.conftest import PROJECT
from tests.stacks.conftest import SWITCHES, find_resources, read_context, set_path
from tests.stacks.synthesis import open_app

PACKS: Mapping[str, Callable[[cdk.App], NagPack]] = {
    "HIPAA": HIPAASecurityChecks,
    "NIST": NIST80053R5Checks,
    "PCI": PCIDSS321Checks,
}
ROW = re.compile(r"^\| `(\w+)` \| ([\w, ]+) \| (?:no|by setting `([\w.]+)`) \| (.+) \|$", re.MULTILINE)
PAGE = (PROJECT / "docs" / "compliance.md").read_text()
ANSWERS = {rule: (packs, setting, reason) for rule, packs, setting, reason in ROW.findall(PAGE)}

# The property of each kind that names its security groups.
GROUP_PROPERTIES = {
    "AWS::EC2::VPCEndpoint": "SecurityGroupIds",
    "AWS::EFS::MountTarget": "SecurityGroups",
    "AWS::FSx::FileSystem": "SecurityGroupIds",
    "AWS::SageMaker::NotebookInstance": "SecurityGroupIds",
}
# Everything that settings can make, as cheaply and as safely as they can make it.
CHEAP = ("efs", "fsx", "notebook", "people", "object-lambda")
SAFE = ("private-notebook", "people", "alarms")
EVERYTHING: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "cheap": ("dev", {path: value for switch in CHEAP for path, value in SWITCHES[switch].items()}),
    "safe": (
        "prod",
        {path: value for switch in SAFE for path, value in SWITCHES[switch].items()}
        | {"normalizer.reserved_concurrency": 10},
    ),
}


@cache
def find_packs(name: str) -> Mapping[str, str]:
    """The packs that have a finding, by its rule, on an environment."""
    environment, settings = EVERYTHING[name]
    context = copy.deepcopy(read_context()) | {"env": environment}
    for path, value in settings.items():
        set_path(context["environments"][environment], path, value)
    app = build(open_app(context))
    app.synth()
    found = defaultdict(list)
    for pack, checks in PACKS.items():
        for violation in checks(app).validate_scope(app).violations:
            found[violation.rule_name.rpartition("-")[2]].append(pack)
    return {rule: ", ".join(packs) for rule, packs in found.items()}


@pytest.mark.slow
@pytest.mark.full("compliance")
@pytest.mark.parametrize("environment", EVERYTHING)
def test_finds_only_what_the_page_answers(environment: str) -> None:
    found = find_packs(environment)

    assert found == {rule: ANSWERS.get(rule, ("unanswered",))[0] for rule in found}


@pytest.mark.slow
@pytest.mark.full("compliance")
def test_answers_nothing_that_is_no_longer_found() -> None:
    assert ANSWERS.keys() == find_packs("cheap").keys()


@pytest.mark.slow
@pytest.mark.full("compliance")
def test_settings_end_what_they_answer() -> None:
    stays = {rule for rule, (_, setting, _) in ANSWERS.items() if not setting}

    assert find_packs("safe").keys() == stays


def test_reads_every_row_of_the_page() -> None:
    assert len(ANSWERS) == PAGE.count("\n| `") > 0


@pytest.mark.parametrize("rule", ANSWERS)
def test_answers_with_a_setting_that_exists_and_a_reason(rule: str) -> None:
    _, setting, reason = ANSWERS[rule]
    settings = {".".join(row.path) for row in list_settings()}

    assert len(reason.split()) >= 10
    assert not setting or setting in settings


def test_puts_nothing_into_the_default_security_group(variant: str) -> None:
    for name, resource in find_resources(variant, *GROUP_PROPERTIES).items():
        properties = resource["Properties"]
        is_in_subnets = {"SubnetId", "SubnetIds"} & properties.keys()
        assert not is_in_subnets or properties[GROUP_PROPERTIES[resource["Type"]]], name
