"""Which container images a workload runs: ours, or for some that of a built-in algorithm."""

from collections.abc import Mapping

from aws_cdk import aws_ecr as ecr
from constructs import Construct

from headrace.algorithms import find_algorithm
from headrace.recipes import ContainerImage, Recipe
from stacks.constructs.algorithm_image import AlgorithmImage
from stacks.registry_stack import RegistryStack


class Engine:
    """Where the container images of a workload are.

    Args:
        scope: The workload's stack.
        recipe: The workload.
        registry: Where ours are.
        version: The version of the built-in algorithm that takes the place of ours, if one does.
    """

    def __init__(self, scope: Construct, *, recipe: Recipe, registry: RegistryStack, version: str | None) -> None:
        self._recipe = recipe
        self._registry = registry
        self.built_in = (
            AlgorithmImage(scope, "Algorithm", algorithm=find_algorithm(recipe.algorithm), version=version)
            if recipe.algorithm and version is not None
            else None
        )

    def find_uri(self, image: ContainerImage) -> str:
        """The URI of what runs as a container image, tag included."""
        built_in = self._find_replacement(image)
        return built_in.uri if built_in else self._registry.find_image_uri(image)

    def find_repository(self, image: ContainerImage) -> ecr.IRepository:
        """The repository that it is pulled from."""
        built_in = self._find_replacement(image)
        return built_in.repository if built_in else self._registry.repositories[image]

    def list_uris(self) -> Mapping[str, str]:
        """The URI of everything that the workload runs, by its name."""
        return {image.name: self.find_uri(image) for image in self._recipe.images}

    def list_own_repositories(self) -> list[ecr.IRepository]:
        """Our repositories, which alone may be asked what they hold: AWS lets its own be pulled from, not described."""
        ours = [image for image in self._recipe.images if not self._find_replacement(image)]
        return [self._registry.repositories[image] for image in ours]

    def _find_replacement(self, image: ContainerImage) -> AlgorithmImage | None:
        """The built-in algorithm that takes the place of a container image, which trains and serves."""
        return self.built_in if image is self._recipe.training.image else None
