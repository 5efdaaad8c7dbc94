"""Stacks deployed through CloudFormation's API in this process, in a tenth of the time that `cdk deploy` takes.

For tests that are about what is deployed: that the CDK command line deploys the same is what runs of commands show.
"""

import io
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import boto3
from botocore.exceptions import ClientError, WaiterError

from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import ACCOUNT, REGION, LocalCloud
from headrace.local.engine.container_images import ContainerImageSource, ProcessContainerImages, list_in_registry
from headrace.local.limits import Limits
from headrace.local.platform.deployment import Deployment, read_deployment
from headrace.local.platform.running import Folders
from headrace.loopback import find_free_port
from tests.local_clouds import clients_of

# What `cdk bootstrap` makes, as far as templates ask for it.
ASSET_BUCKET = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
VERSION_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
VERSION = "30"
_QUICKLY = {"Delay": 0.05, "MaxAttempts": 2_000}


class DeploymentError(Exception):
    """A stack that did not come to its new state; the message has CloudFormation's reasons."""


@contextmanager
def running_with_app(root: Path, assembly: Path, limits: Limits | None = None) -> Iterator[LocalCloud]:
    """A cloud with the stacks of a synthesized app; `clients_of` leads to it.

    Args:
        root: Where the cloud keeps its state.
        assembly: The synthesized app, as `tests.stacks.synthesis.assemble` makes it.
        limits: What its account and Region do not have.
    """
    cloud = local_cloud.start(root, find_free_port(), stop_with_caller=True, limits=limits)
    try:
        with clients_of(cloud):
            deploy(assembly)
        yield cloud
    finally:
        cloud.stop()


def push_container_images(
    cloud: LocalCloud, environment: str, images: ContainerImageSource | None = None
) -> Deployment:
    """Make the container images of a deployed environment known to its cloud; what is deployed.

    Args:
        cloud: Where the environment is deployed.
        environment: Which one.
        images: What makes them; by default, processes stand in for containers.
    """
    deployment = read_deployment(environment)
    source = images or ProcessContainerImages(Folders().environments)
    programs = {**deployment.images, **deployment.stand_ins}
    source.prepare(programs.values())
    source.push(cloud.root, programs)
    list_in_registry(deployment.images)
    return deployment


def deploy(assembly: Path, *stacks: str) -> list[str]:
    """Deploy the stacks of a synthesized app in their order; the ids of those that changed.

    Args:
        assembly: The synthesized app.
        stacks: The ids of those to deploy, in the order of deployment; by default, all, producers first.

    Raises:
        DeploymentError: A stack does not come to its new state.
    """
    _prepare_account()
    artifacts = _read_stacks(assembly)
    return [stack for stack in stacks or _sort(artifacts) if _deploy_stack(assembly, stack, artifacts[stack])]


def _prepare_account() -> None:
    """Make what `cdk bootstrap` would, unless it is there."""
    boto3.client("s3").create_bucket(Bucket=ASSET_BUCKET)
    boto3.client("ssm").put_parameter(Name=VERSION_PARAMETER, Value=VERSION, Type="String", Overwrite=True)


def _read_stacks(assembly: Path) -> Mapping[str, Mapping[str, Any]]:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    return {name: artifact for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"}


def _sort(artifacts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    needs = {name: artifacts.keys() & set(artifact["dependencies"]) for name, artifact in artifacts.items()}
    return list(TopologicalSorter(needs).static_order())


def _deploy_stack(assembly: Path, stack: str, artifact: Mapping[str, Any]) -> bool:
    """Deploy a stack by a change set, or delete one without resources, as CDK does; whether that changed anything."""
    if "Resources" not in json.loads((assembly / artifact["properties"]["templateFile"]).read_text()):
        return _delete_stack(artifact["properties"]["stackName"])
    _publish_assets(assembly, json.loads((assembly / f"{stack}.assets.json").read_text())["files"])
    properties = artifact["properties"]
    template = properties["stackTemplateAssetObjectUrl"].rpartition("/")[2]
    kind = "update" if _stands(properties["stackName"]) else "create"
    named = {"StackName": properties["stackName"], "ChangeSetName": f"cdk-{uuid.uuid4()}"}
    cloudformation: Any = boto3.client("cloudformation")
    cloudformation.create_change_set(
        **named,
        ChangeSetType=kind.upper(),
        TemplateURL=f"{cloudformation.meta.endpoint_url}/{ASSET_BUCKET}/{template}",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        Tags=[{"Key": key, "Value": value} for key, value in properties.get("tags", {}).items()],
    )
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(**named, WaiterConfig=_QUICKLY)
    except WaiterError as error:
        if "didn't contain changes" in str(error.last_response.get("StatusReason")):
            return False
        raise DeploymentError(f"{stack}: {error.last_response.get('StatusReason')}") from error
    cloudformation.execute_change_set(**named)
    _wait(cloudformation, named["StackName"], f"stack_{kind}_complete")
    cloudformation.update_termination_protection(
        StackName=named["StackName"], EnableTerminationProtection=properties.get("terminationProtection", False)
    )
    return True


def _delete_stack(stack_name: str) -> bool:
    if not _stands(stack_name):
        return False
    cloudformation: Any = boto3.client("cloudformation")
    cloudformation.delete_stack(StackName=stack_name)
    _wait(cloudformation, stack_name, "stack_delete_complete")
    return True


def _stands(stack_name: str) -> bool:
    try:
        (stack,) = boto3.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError:
        return False
    return bool(stack["StackStatus"] != "REVIEW_IN_PROGRESS")


def _wait(cloudformation: Any, stack_name: str, waiter: str) -> None:
    try:
        cloudformation.get_waiter(waiter).wait(StackName=stack_name, WaiterConfig=_QUICKLY)
    except WaiterError as error:
        events = cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
        reasons = [event["ResourceStatusReason"] for event in events if event.get("ResourceStatusReason")]
        raise DeploymentError(f"{stack_name}: {'; '.join(reasons)}") from error


def _publish_assets(assembly: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Upload a stack's template, which may be too long for a request, and what its resources are made from."""
    s3: Any = boto3.client("s3")
    for asset in files.values():
        source = assembly / asset["source"]["path"]
        (place,) = asset["destinations"].values()
        if asset["source"]["packaging"] == "zip":
            s3.put_object(Bucket=ASSET_BUCKET, Key=place["objectKey"], Body=_zip(source))
        else:
            s3.upload_file(str(source), ASSET_BUCKET, place["objectKey"])


def _zip(folder: Path) -> bytes:
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return packed.getvalue()
