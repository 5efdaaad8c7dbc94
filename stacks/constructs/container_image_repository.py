"""An ECR repository with the house's defaults."""

from aws_cdk import aws_ecr as ecr
from constructs import Construct

from stacks.constructs.removal import choose_removal_policy


class ContainerImageRepository(ecr.Repository):
    """A repository for one container: scanned on push, tags never move, old container images expire."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        container_images_kept: int,
        retain_data: bool,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            encryption=ecr.RepositoryEncryption.AES_256,
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            lifecycle_rules=[ecr.LifecycleRule(max_image_count=container_images_kept)],
            removal_policy=choose_removal_policy(retain_data=retain_data),
            empty_on_delete=not retain_data,
        )
