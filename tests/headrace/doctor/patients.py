"""Apps and accounts in which nothing is wrong, for tests that plant one problem in them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from headrace.assemblies import Assembly
from headrace.doctor.account import Account, Concurrency, Identity, Quota
from headrace.doctor.needs import Bootstrap, Needs
from headrace.doctor.tasks import Use
from headrace.quotas import Usage

REGION = "eu-west-1"
ZONES = (f"{REGION}a", f"{REGION}b", f"{REGION}c")
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/training:new"

Resources = Mapping[str, Mapping[str, Any]]


def make_needs(
    resources: Resources | None = None, *uses: Use, outputs: Mapping[str, Any] | None = None, connections: int = 0
) -> Needs:
    """What an app of one stack needs."""
    template = {
        "Resources": resources or {},
        "Outputs": {name: {"Value": value} for name, value in (outputs or {}).items()},
    }
    return Needs(
        Assembly({"Main": "headrace-dev-main"}, {"Main": template}),
        Bootstrap("/cdk-bootstrap/hnb659fds/version", 6),
        uses,
        connections,
    )


def train(count: int = 1, **changes: Any) -> Use:
    """A training job."""
    use = Use(place="Main: Train", usage=Usage.TRAINING, instance_type="ml.m5.large", count=count)
    return replace(use, **changes)


def serve(count: int = 1, **changes: Any) -> Use:
    """An endpoint."""
    return train(count, **{"place": "Main: Serve", "usage": Usage.ENDPOINT, **changes})


def make_account(**facts: Any) -> Account:
    """A healthy account; some facts may be others."""
    healthy: dict[str, Any] = {
        "identity": Identity("123456789012", "arn:aws:iam::123456789012:user/ops", REGION),
        "stacks": {},
        "quotas": {
            "ml.m5.large for training job usage": Quota("L-1", 4),
            "ml.m5.large for endpoint usage": Quota("L-2", 4),
        },
        "bootstrap": 30,
        "concurrency": Concurrency(1_000, 1_000),
        "zones": frozenset(ZONES),
        "default_zones": ZONES,
        "offers": {"m5.large": frozenset(ZONES)},
        "has_object_lambda": True,
        "writes_api_logs": True,
        "existing": {},
        "container_images": {},
    }
    return Account(**{**healthy, **facts})


def write_app(folder: Path, resources: Resources, outputs: Mapping[str, Any] | None = None) -> Path:
    """A folder as `cdk synth` writes it, with one stack; the folder."""
    folder.mkdir()
    values = {name: {"Value": value} for name, value in (outputs or {}).items()}
    (folder / "Main.template.json").write_text(json.dumps({"Resources": resources, "Outputs": values}))
    properties = {
        "templateFile": "Main.template.json",
        "stackName": "headrace-dev-main",
        "requiresBootstrapStackVersion": 6,
        "bootstrapStackVersionSsmParameter": "/cdk-bootstrap/hnb659fds/version",
    }
    environment = "aws://unknown-account/unknown-region"
    artifact = {"type": "aws:cloudformation:stack", "environment": environment, "properties": properties}
    (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": {"Main": artifact}}))
    return folder


def run_states(**states: Any) -> dict[str, Any]:
    """A state machine as a template has it: with places in its definition that a deployment fills in."""
    start, end = json.dumps({"StartAt": next(iter(states)), "States": states}).split("ROLE")
    definition = {"Fn::Join": ["", [start, {"Fn::GetAtt": ["Role", "Arn"]}, end]]}
    return {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": definition}}


def call(operation: str, **arguments: Any) -> dict[str, Any]:
    """A state that calls an operation of SageMaker."""
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::sagemaker:{operation}",
        "Arguments": {"RoleArn": "ROLE", **arguments},
        "End": True,
    }
