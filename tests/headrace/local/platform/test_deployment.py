"""What an environment's stacks say of themselves."""

import os
import subprocess
from pathlib import Path

import pytest

from headrace.cdk import find_toolchain
from headrace.checkout import CHECKOUT
from headrace.container_images import container_image_tag
from headrace.local.platform.deployment import Deployment, NotDeployedError
from headrace.recipes import images, list_container_images


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
