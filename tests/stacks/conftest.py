"""The synthesized app, once per environment and per switch of the settings."""

import copy
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from aws_cdk.assertions import Template

from tests.conftest import PROJECT
from tests.stacks.synthesis import synthesize

ENVIRONMENTS = ("dev", "prod")

# Each switch of the settings, turned on in dev.
SWITCHES: dict[str, dict[str, Any]] = {
    "efs": {"file_systems.efs.enabled": True},
    "fsx": {"file_systems.fsx.enabled": True},
    "key": {"encryption.customer_key": True},
    "boundary": {"permissions_boundary": "TeamBoundary"},
    "alarms": {"alarms": {"email": "ops@example.com"}},
    "nat": {"network.nat_gateways": 1},
    "endpoints": {"network.interface_endpoints": ["sagemaker.api", "logs"]},
    "existing-network": {
        "network.existing": {
            "vpc_id": "vpc-0123456789abcdef0",
            "cidr": "10.0.0.0/16",
            "availability_zones": ["eu-west-1a", "eu-west-1b"],
            "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            "route_table_ids": ["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"],
        }
    },
    "notebook": {"notebook.enabled": True, "notebook.repository_url": "https://github.com/example/notebooks.git"},
    "private-notebook": {
        "notebook.enabled": True,
        "notebook.direct_internet": False,
        "notebook.repository_url": "https://github.com/example/notebooks.git",
        "notebook.repository_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:git-a1b2c3",
        "network.interface_endpoints": ["sagemaker.api"],
        "encryption.customer_key": True,
    },
    "people": {"people.enabled": True},
    "spot": {"bigmart.training.spot": {}, "images.training.spot": {}},
    "starts": {
        "bigmart.start.schedule": "cron(0 3 ? * MON *)",
        "bigmart.start.on_new_data": True,
        "images.start.on_new_data": True,
    },
    "gate": {
        "bigmart.gate.rules": [],
        "images.gate.rules": [
            {"metric": "validation:f1", "direction": "at_least", "threshold": 0.75},
            {
                "metric": "validation:accuracy",
                "direction": "at_least",
                "threshold": "baseline:accuracy",
                "margin": -0.1,
            },
        ],
    },
    "guard": {
        "bigmart.endpoint": {
            "keep_versions": 3,
            "instance_count": 4,
            "metrics_seconds": 10,
            "update": {
                "traffic": "canary",
                "canary_percent": 25,
                "wait_seconds": 120,
                "alarms": {"error_percent": 2.5, "latency_milliseconds": 250},
            },
        },
        "images.endpoint": {
            "golden": {"requests": "photographs.jsonl"},
            "update": {
                "wait_seconds": 300,
                "termination_wait_seconds": 60,
                "timeout_seconds": 900,
                "alarms": {"error_percent": 0},
            },
        },
    },
    # The local cloud has no PromQL, so that these alarms are not deployed there.
    "container-alarms": {"bigmart.endpoint.update": {"wait_seconds": 120, "alarms": {"container_errors": True}}},
    "batch": {
        "bigmart.deploy": "batch",
        "images.deploy": "batch",
        "images.transform": {"input": "new/", "instance_type": "ml.g5.xlarge", "instance_count": 2},
    },
    "serverless": {
        "bigmart.endpoint": {
            "serverless": {"memory_mb": 3072, "max_concurrency": 20, "provisioned_concurrency": 2},
            "golden": {},
            "update": {"wait_seconds": 120},
        },
        "images.endpoint.serverless": {},
    },
    "scaling": {
        "bigmart.endpoint.scaling": {
            "min_instances": 1,
            "max_instances": 4,
            "invocations_per_minute": 600,
            "schedules": [
                {"at": "cron(0 8 ? * MON-FRI *)", "timezone": "Europe/Berlin", "min_instances": 2, "max_instances": 8},
                {"at": "cron(0 20 ? * MON-FRI *)", "timezone": "Europe/Berlin", "min_instances": 1, "max_instances": 2},
            ],
        },
        "images.endpoint.scaling": {"enabled": False},
    },
    "existing": {
        "encryption.existing_key": "arn:aws:kms:eu-west-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "storage.existing_raw_bucket": "company-photographs",
        "storage.existing_work_bucket": "company-features",
        "registry.existing": "210987654321.dkr.ecr.eu-west-1.amazonaws.com/teams/vision",
    },
    "object-lambda": {
        "normalizer.object_lambda": True,
        "images.training.normalized.through": "object_lambda",
        "normalizer.cache": True,
        "normalizer.consumers": [
            {"name": "training", "options": {}},
            {"name": "labelling-team", "options": {"colour": "rgb", "width": "512", "height": "512"}},
        ],
    },
}
VARIANTS = (*ENVIRONMENTS, *SWITCHES)


def read_context() -> dict[str, Any]:
    """The context of cdk.json, without asset bundling."""
    context: dict[str, Any] = json.loads((PROJECT / "cdk.json").read_text())["context"]
    return context | {"aws:cdk:bundling-stacks": []}


def context_of(variant: str) -> dict[str, Any]:
    """The context of an environment, or of dev with one switch turned on."""
    context = copy.deepcopy(read_context())
    for path, value in SWITCHES.get(variant, {}).items():
        set_path(context["environments"]["dev"], path, value)
    return context | {"env": "dev" if variant in SWITCHES else variant}


def set_path(settings: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path, or leave it to its default when it is `...`."""
    *sections, key = path.split(".")
    for section in sections:
        settings = settings.setdefault(section, {})
    if value is ...:
        settings.pop(key, None)
    else:
        settings[key] = value


@cache
def read_stacks(variant: str) -> Mapping[str, Any]:
    """The name and the template of each stack that a variant deploys, by the stack's id."""
    return {stack: made for stack, made in synthesize(context_of(variant)).items() if "Resources" in made["template"]}


def list_stacks(variant: str) -> tuple[str, ...]:
    """The ids of a variant's stacks."""
    return tuple(read_stacks(variant))


@cache
def template_of(stack: str, variant: str = "dev") -> Template:
    """One stack's template."""
    return Template.from_json(read_stacks(variant)[stack]["template"])


def find_resources(variant: str, *kinds: str) -> dict[str, dict[str, Any]]:
    """The resources of some kinds in all stacks of a variant, by `Stack/LogicalId`."""
    return {
        f"{stack}/{name}": resource
        for stack, made in read_stacks(variant).items()
        for name, resource in made["template"]["Resources"].items()
        if resource["Type"] in kinds
    }


def name_output(value: Mapping[str, Any]) -> str:
    """The output of another stack that a value reads, as `stack:output`."""
    read = value["Fn::GetStackOutput"]
    return f"{read['StackName']}:{read['OutputName']}"


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


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest) -> str:
    """Each environment of cdk.json."""
    return str(request.param)


@pytest.fixture(scope="session", params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    """Each environment, and dev with each switch turned on."""
    return str(request.param)
