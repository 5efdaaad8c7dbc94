"""Where the container images live."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from headrace.recipes import list_container_images
from stacks.constructs.container_image_repository import ContainerImageRepository
from stacks.settings.storage import RegistrySettings


class RegistryStack(Stack):
    """One repository per container; a container image's tag is the hash of what it is built from."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: RegistrySettings, retain_data: bool, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        self.repositories = {
            container: ContainerImageRepository(
                self,
                container.pascal_name,
                container=container,
                container_images_kept=settings.container_images_kept,
                retain_data=retain_data,
            )
            for container in list_container_images()
        }

        for container, repository in self.repositories.items():
            CfnOutput(self, container.image_output, value=repository.image_uri)
