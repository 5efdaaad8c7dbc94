"""The two environments of a promotion: where each has its repositories, its buckets and its registry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from headrace import contract
from headrace.pipeline.machines import read_outputs
from headrace.promotion.errors import PromotionError
from headrace.promotion.repositories import Repository, parse_uri
from headrace.recipes import ContainerImage, Recipe, list_container_images
from headrace.s3.addresses import S3Address

_REGISTRY: Final = "Registry"
_STORAGE: Final = "Storage"


@dataclass(frozen=True)
class Site:
    """An environment, as a session sees it.

    Args:
        session: boto3's, which leads to its account and Region.
        environment: Its name.
        recipe: The workload.
    """

    session: Any = field(repr=False)
    environment: str
    recipe: Recipe

    def client(self, service: str) -> Any:
        """A client of its Region."""
        return self.session.client(service)

    @property
    def group(self) -> str:
        """The group of the workload's versions."""
        return contract.model_package_group_name(self.environment, self.recipe.name)

    @property
    def golden_requests(self) -> S3Address:
        """Where the workload's golden requests are."""
        return S3Address(self._find(contract.RAW_BUCKET_OUTPUT), contract.golden_prefix(self.recipe.name))

    @property
    def kept(self) -> tuple[S3Address, ...]:
        """Where the workload's versions have their archives and records."""
        return (
            S3Address(self._find(contract.WORK_BUCKET_OUTPUT), contract.EXECUTIONS_PREFIX),
            S3Address(self._find(contract.RAW_BUCKET_OUTPUT), f"{contract.ARCHIVES_PREFIX}{self.recipe.name}/"),
        )

    @property
    def promoted(self) -> S3Address:
        """Where versions that were promoted to it have their archives and records."""
        return S3Address(self._find(contract.RAW_BUCKET_OUTPUT), contract.promoted_prefix(self.recipe.name))

    @property
    def endpoint(self) -> str:
        """The endpoint that its executions update."""
        usual = contract.default_endpoint_name(self.environment, self.recipe.name)
        return self._outputs.get(self.recipe.endpoint_name_output, usual)

    @property
    def algorithm(self) -> str:
        """SageMaker's own container image, where the workload runs a built-in algorithm; empty otherwise."""
        return self._outputs.get(self.recipe.algorithm_output, "")

    def find_repository(self, container: ContainerImage) -> Repository:
        """The repository of a container.

        Raises:
            PromotionError: If the environment is not deployed.
        """
        repository, _ = self.parse_uri(self._find(container.image_output))
        return repository

    def find_container(self, repository: Repository) -> ContainerImage:
        """The container that a repository is of.

        Raises:
            PromotionError: If it is none of this environment's.
        """
        for container in list_container_images():
            # A workload that is off has no repository.
            if container.image_output in self._outputs and self.find_repository(container).uri == repository.uri:
                return container
        raise PromotionError(f"{repository.uri} is no repository of the environment '{self.environment}'")

    def parse_uri(self, uri: str) -> tuple[Repository, str]:
        """The repository and the tag of a container image, as this session reaches them."""
        return parse_uri(uri, lambda region: self.session.client("ecr", region_name=region))

    def _find(self, output: str) -> str:
        if output not in self._outputs:
            raise PromotionError(
                f"the environment '{self.environment}' is not deployed in {self.session.region_name}, or not whole: "
                f"none of its stacks has an output {output}. Deploy it, or choose another place"
            )
        return self._outputs[output]

    @cached_property
    def _outputs(self) -> Mapping[str, str]:
        cloudformation = self.client("cloudformation")
        stacks = (_REGISTRY, _STORAGE, self.recipe.stack_id)
        return {
            name: value
            for stack in stacks
            for name, value in read_outputs(self.environment, stack, cloudformation).items()
        }
