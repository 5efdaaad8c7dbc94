"""Where the container images live."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Aws, CfnOutput, Stack
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from headrace.container_images import container_image_tag
from headrace.recipes import ContainerImage
from stacks.constructs.container_image_repository import ContainerImageRepository
from stacks.constructs.placeholder import Placeholder
from stacks.settings.existing import ExistingResource
from stacks.settings.storage import RegistrySettings


class RegistryStack(Stack):
    """One repository per container that is run; a container image's tag is the hash of what it is built from.

    Repositories that the settings name exist: nothing here changes them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        containers: Sequence[ContainerImage],
        settings: RegistrySettings,
        retain_data: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        self.repositories = {
            container: self._find(container, ExistingResource.of_registry(settings.existing))
            if settings.existing
            else ContainerImageRepository(
                self,
                container.pascal_name,
                container_images_kept=settings.container_images_kept,
                retain_data=retain_data,
            )
            for container in containers
        }
        if settings.existing:
            Placeholder(self, "Placeholder")

        for container in self.repositories:
            CfnOutput(self, container.image_output, value=self.find_image_uri(container))

    def find_image_uri(self, container: ContainerImage) -> str:
        """Where the container image of a container's present files is, or is to be pushed."""
        return self.repositories[container].repository_uri_for_tag(container_image_tag(container))

    def _find(self, container: ContainerImage, place: ExistingResource) -> ecr.IRepository:
        name = f"{place.name}/{container}"
        return ecr.Repository.from_repository_attributes(
            self,
            container.pascal_name,
            repository_arn=f"arn:{Aws.PARTITION}:ecr:{place.region}:{place.account}:repository/{name}",
            repository_name=name,
        )
