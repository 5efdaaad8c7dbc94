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
    "fsx-per-run": {
        "file_systems.fsx.enabled": True,
        "file_systems.fsx.per_run": True,
        "images.training.normalized": ...,
        "images.training.channels": [
            {"name": "train", "source": "s3", "path": "images/photographs/"},
            {"name": "validation", "source": "s3", "path": "images/photographs/"},
            {"name": "train_lst", "source": "fsx", "path": "/raw/images/lists/train"},
            {"name": "validation_lst", "source": "fsx", "path": "/raw/images/lists/validation/"},
        ],
    },
    "key": {"encryption.customer_key": True},
    "boundary": {"permissions_boundary": "TeamBoundary"},
    "alarms": {
        "alarms": {
            "email": "ops@example.com",
            "endpoints": {"idle_days": 3, "error_percent": 1.0, "latency_milliseconds": 500},
            "failures": True,
            # Without file systems there is nothing to watch.
            "file_systems": {"efs_io_percent": 95, "fsx_free_percent": 10},
            "budget": {"monthly_usd": 200},
            "dashboard": True,
        }
    },
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
            "capture": {},
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
            "capture": {"percent": 10, "days": 14},
            "update": {
                "wait_seconds": 300,
                "termination_wait_seconds": 60,
                "timeout_seconds": 900,
                "alarms": {"error_percent": 0},
            },
        },
    },
    "drift": {
        "bigmart.endpoint": {
            "capture": {},
            "drift": {"schedule": "cron(0 6 ? * MON *)", "timezone": "Europe/Berlin", "retrain": True},
        }
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
    "hours": {
        "bigmart.endpoint": {
            "hours": {
                "start": "cron(0 7 ? * MON-FRI *)",
                "stop": "cron(0 18 ? * MON-FRI *)",
                "timezone": "Europe/Berlin",
            },
            "keep_versions": 3,
            "scaling": {},
        },
        "images.endpoint": {
            "idle_stop_days": 3,
            "golden": {},
            "update": {"wait_seconds": 120},
        },
    },
    "existing": {
        "encryption.existing_key": "arn:aws:kms:eu-west-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "storage.existing_raw_bucket": "company-photographs",
        "storage.existing_work_bucket": "company-features",
        "registry.existing": "210987654321.dkr.ecr.eu-west-1.amazonaws.com/teams/vision",
    },
    "documents": {
        "documents": {
            "features": ["tables", "forms", "queries"],
            "questions": ["What is the total?"],
            "insights": ["entities", "key_phrases", "sentiment", "syntax"],
            "classifier": {},
        },
    },
    "front-door": {
        "front_door": {
            "workloads": ["bigmart", "images"],
            "authorization": "cognito",
            "largest_body_kb": 64,
            "cloudfront": {
                "domain_name": "predictions.example.com",
                # One of us-east-1, as CloudFront wants it.
                "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/"
                "1234abcd-12ab-34cd-56ef-1234567890ab",
            },
        },
        "alarms": {"front_door": {"error_percent": 1.0, "throttled": 5, "latency_milliseconds": 500}},
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
        # What is set below it later must not be in the switch that it came from.
        settings[key] = copy.deepcopy(value)


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


def read_definition(template: Mapping[str, Any], *, checks: bool = False) -> dict[str, Any]:
    """A state machine's definition out of a template, with `<...>` where CloudFormation fills in.

    Args:
        template: The template.
        checks: Whether the state machine is meant that checks for drift, or the other one. One that trains the
            classifier of documents is never meant.
    """
    (machine,) = (
        resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
        and name.startswith("DriftChecks") == checks
        and not name.startswith("Classifier")
    )
    return parse_definition(machine)


def parse_definition(machine: Mapping[str, Any]) -> dict[str, Any]:
    """The definition of a state machine of a template, with `<...>` where CloudFormation fills in."""
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
