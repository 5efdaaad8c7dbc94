"""The normalizer's batch door, which belongs to no workload."""

from typing import Final

from headrace.recipes.recipe import ContainerImage

BULK: Final = ContainerImage(
    name="image_preprocessing", folder="normalizer", description="Normalizes the photographs of a bucket in bulk"
)
