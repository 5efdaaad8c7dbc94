"""Ten permissions, drawn by chance, are taken away for real: calls are denied where the recorded ones say so."""

import json
import os
import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from headrace.images import NormalizedImageError
from headrace.local.calls import Call, read_calls
from headrace.local.engine.access.matching import match_wildcards
from headrace.local.platform.pipeline import PipelineError
from headrace.policies import as_list
from headrace.recipes import big_mart, images
from headrace.workloads import big_mart as big_mart_workload
from headrace.workloads import images as images_workload
from tests.deploying import push_container_images, running_with_app
from tests.end_to_end.conftest import Platform
from tests.end_to_end.test_recording_calls import (
    describe_roles,
    is_answered_without,
    normalize,
    read_normalized_image,
    run,
)
from tests.examples import only_exhaustive
from tests.local_clouds import clients_of
from tests.stacks.conftest import context_of
from tests.stacks.synthesis import assemble
from tests.stacks.test_used_permissions import Taken, is_missed, take_away

ENVIRONMENT = "dev"
DRAWN = 10
SEED = "HEADRACE_SEED"
# What a task that fails for want of a permission, and a call, end with.
FAILURES = (PipelineError, ClientError, NormalizedImageError)

pytestmark = [
    pytest.mark.slow,
    only_exhaustive("ten runs of a workload"),
]


@dataclass(frozen=True)
class Scene:
    """The deployed platform, and what is done there for the sake of each role.

    Args:
        platform: It.
        sales: Rows to train with.
        photographs: Photographs to train with.
        folder: Where runs keep their files.
    """

    platform: Platform
    sales: Path
    photographs: Path
    folder: Path

    def act(self, taken: Taken) -> None:
        """Do all that a role has a permission for."""
        stack, _, role = taken.role.partition("/")
        workload = stack.rpartition("-")[2]
        if "WorkflowRole" in role and taken.action.startswith(("logs:", "xray:")):
            self._deploy_machine(workload)
        elif role.startswith("NormalizerRole"):
            self._restart_function(stack)
            read_normalized_image(self.platform, ENVIRONMENT)
        elif role.startswith("Bulk"):
            normalize(self.platform, next(self.photographs.rglob("*.jpg")), f"taken-{uuid.uuid4().hex[:8]}")
        elif workload in RUNS:
            self._prepare_endpoint(workload, taken.action)
            RUNS[workload](self)

    def _deploy_machine(self, workload: str) -> None:
        outputs = self.platform.deployment.outputs
        (arn,) = (a for name, a in outputs.items() if name.endswith("StateMachineArn") and workload in name.lower())
        states: Any = boto3.client("stepfunctions")
        described = states.describe_state_machine(stateMachineArn=arn)
        states.update_state_machine(
            stateMachineArn=arn,
            roleArn=described["roleArn"],
            loggingConfiguration=described["loggingConfiguration"],
            tracingConfiguration={"enabled": True},
        )

    def _restart_function(self, stack: str) -> None:
        formation: Any = boto3.client("cloudformation")
        resources = formation.describe_stack_resources(StackName=stack)["StackResources"]
        (function,) = (
            r
            for r in resources
            if r["LogicalResourceId"].startswith("NormalizerFunction") and r["ResourceType"] == "AWS::Lambda::Function"
        )
        functions: Any = boto3.client("lambda")
        name = function["PhysicalResourceId"]
        functions.update_function_configuration(FunctionName=name, Description=uuid.uuid4().hex)

    def _prepare_endpoint(self, workload: str, action: str) -> None:
        """See that the endpoint stands where an update is asked for, and does not where it is to be created."""
        sagemaker: Any = boto3.client("sagemaker")
        name = f"headrace-{ENVIRONMENT}-{workload}"
        stands = bool(sagemaker.list_endpoints(NameContains=name)["Endpoints"])
        if action in {"sagemaker:CreateEndpoint", "sagemaker:AddTags"} and stands:
            sagemaker.delete_endpoint(EndpointName=name)
        if action == "sagemaker:UpdateEndpoint" and not stands:
            RUNS[workload](self)


def run_big_mart(scene: Scene) -> None:
    run(scene.platform, big_mart.RECIPE, big_mart_workload.Run(scene.sales, scene.folder))


def run_images(scene: Scene) -> None:
    run(scene.platform, images.RECIPE, images_workload.Run(scene.photographs, scene.folder))


RUNS: dict[str, Callable[[Scene], None]] = {"bigmart": run_big_mart, "images": run_images}


@contextmanager
def taken_away(taken: Taken, role: str) -> Iterator[None]:
    """The deployed role without a permission, for a while."""
    iam: Any = boto3.client("iam")
    inline = iam.list_role_policies(RoleName=role)["PolicyNames"]
    at, number = taken.place
    if at < len(inline):
        named = {"RoleName": role, "PolicyName": inline[at]}
        document = iam.get_role_policy(**named)["PolicyDocument"]
        iam.put_role_policy(**named, PolicyDocument=json.dumps(without(document, number, taken.action)))
        try:
            yield
        finally:
            iam.put_role_policy(**named, PolicyDocument=json.dumps(document))
        return
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    arn = [policy["PolicyArn"] for policy in attached if policy["PolicyArn"]][at - len(inline)]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    changed = json.dumps(without(document, number, taken.action))
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=changed, SetAsDefault=True)
    try:
        yield
    finally:
        iam.set_default_policy_version(PolicyArn=arn, VersionId=version)


def without(document: dict[str, Any], number: int, action: str) -> dict[str, Any]:
    """A policy's document whose statement allows an action no more."""
    changed: dict[str, Any] = json.loads(json.dumps(document))
    statement = as_list(changed["Statement"])[number]
    actions = as_list(statement["Action"])
    assert action in actions, f"{action} is not in {actions}"
    statement["Action"] = [other for other in actions if other != action] or ["none:None"]
    return changed


def list_denied(platform: Platform, role: str, action: str) -> list[Call]:
    """Denials of what a permission would have allowed, but for one that is an answer."""
    return [
        call
        for call in read_calls(platform.cloud.root)
        if call.role == role
        and not call.is_allowed
        and match_wildcards(action, call.action, is_case_kept=False)
        and not is_answered_without(call)
    ]


def test_denies_a_call_for_each_permission_that_is_missed(
    sales: Path,
    made_up_photographs: Path,
    tmp_path: Path,
    record_property: Callable[[str, int], None],
) -> None:
    seed = int(os.environ.get(SEED, "0")) or random.SystemRandom().randrange(1, 1 << 31)
    record_property(SEED, seed)
    drawn = random.Random(seed).sample(take_away(ENVIRONMENT), DRAWN)  # noqa: S311
    with running_with_app(tmp_path / "cloud", assemble(context_of(ENVIRONMENT))) as cloud, clients_of(cloud):
        scene = Scene(Platform(cloud, push_container_images(cloud, ENVIRONMENT)), sales, made_up_photographs, tmp_path)
        names = {role: described["name"] for role, described in describe_roles(ENVIRONMENT)}
        found = {taken: is_denied(scene, taken, names[taken.role]) for taken in drawn}

    assert found == {taken: is_missed(ENVIRONMENT, taken) for taken in drawn}, f"{SEED}={seed}"


def is_denied(scene: Scene, taken: Taken, role: str) -> bool:
    """Whether a call is denied when all is done that a role without a permission does."""
    before = len(list_denied(scene.platform, role, taken.action))
    with taken_away(taken, role), suppress(*FAILURES):
        scene.act(taken)
    return len(list_denied(scene.platform, role, taken.action)) > before
