"""What an environment's stacks say of themselves."""

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace.cdk import find_cdk, find_toolchain
from headrace.checkout import CHECKOUT
from headrace.container_images import container_image_tag
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import LocalCloud
from headrace.local.platform.deployment import Deployment, NotDeployedError, bootstrap
from headrace.loopback import find_free_port
from headrace.recipes import images, list_container_images
from tests.local_clouds import clients_of


def test_knows_images_by_the_tags_of_what_they_are_made_of_now() -> None:
    outputs = {container.image_output: f"registry.example/{container}:earlier" for container in list_container_images()}

    images = Deployment(environment="dev", outputs=outputs).images

    assert images == {
        f"registry.example/{container}:{container_image_tag(container)}": container
        for container in list_container_images()
    }


def test_says_how_to_deploy_an_environment_whose_endpoint_is_asked_for() -> None:
    with pytest.raises(NotDeployedError, match="deploy it with 'headrace local up --env prod'"):
        Deployment(environment="prod", outputs={}).endpoint_name(images.RECIPE)


@pytest.mark.slow
@pytest.mark.parametrize("is_in_the_checkout", [True, False])
def test_keeps_the_cdk_command_line_from_sending_telemetry(is_in_the_checkout: bool, tmp_path: Path) -> None:
    given = {} if is_in_the_checkout else find_toolchain()

    status = subprocess.run(
        [CHECKOUT / "node_modules/.bin/cdk", "--no-notices", "cli-telemetry", "--status"],
        env={**os.environ, **given},
        cwd=CHECKOUT if is_in_the_checkout else tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "CLI Telemetry is disabled" in status.stdout + status.stderr


def bootstrap_with_cdk(cloud: LocalCloud) -> None:
    with tempfile.TemporaryDirectory() as elsewhere:
        subprocess.run(
            [*find_cdk(), "--no-notices", "bootstrap", f"aws://{local_cloud.ACCOUNT}/{local_cloud.REGION}"],
            env={**os.environ, **find_toolchain(), **cloud.client_environment},
            cwd=elsewhere,
            capture_output=True,
            check=True,
        )


def read_toolkit_stack(folder: Path, prepare: Callable[[LocalCloud], None]) -> tuple[Any, ...]:
    """Parameters, resources and outputs of the stack that CDK deploys with, on a new cloud."""
    cloud = local_cloud.start(folder, find_free_port(), stop_with_caller=True)
    try:
        prepare(cloud)
        with clients_of(cloud):
            cloudformation: Any = boto3.client("cloudformation")
            (stack,) = cloudformation.describe_stacks(StackName="CDKToolkit")["Stacks"]
            resources = cloudformation.describe_stack_resources(StackName="CDKToolkit")["StackResources"]
    finally:
        cloud.stop()
    made = sorted((resource["LogicalResourceId"], resource["PhysicalResourceId"]) for resource in resources)
    return stack["StackStatus"], stack["Parameters"], stack["Outputs"], made


@pytest.mark.slow
def test_prepares_the_account_as_cdk_bootstrap_does(tmp_path: Path) -> None:
    ours = read_toolkit_stack(tmp_path / "ours", bootstrap)

    assert ours == read_toolkit_stack(tmp_path / "theirs", bootstrap_with_cdk)
