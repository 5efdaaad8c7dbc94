"""What each workload is: pure data, which the stacks, the commands and the local cloud read alike."""

from collections.abc import Iterable
from importlib import import_module
from typing import Final

from headrace.recipes.recipe import ContainerImage, Recipe

__all__ = [
    "ContainerImage",
    "Recipe",
    "find_container_image",
    "find_module",
    "find_recipe",
    "list_container_images",
    "list_images_of",
    "list_recipes",
    "list_usual_container_images",
    "list_usual_recipes",
]

# The workloads, by the name of the modules that have their recipe and their runs.
_WORKLOADS: Final = (
    "big_mart",
    "images",
    "xgboost",
    "forecasting",
    "resnet",
    "linear_learner",
    "blazingtext",
    "seq2seq",
    "detection",
)


def list_recipes() -> tuple[Recipe, ...]:
    """The recipes of all workloads."""
    return tuple(import_module(f"{__name__}.{module}").RECIPE for module in _WORKLOADS)


def list_usual_recipes() -> tuple[Recipe, ...]:
    """The recipes of the workloads that are there whatever the settings say."""
    return tuple(recipe for recipe in list_recipes() if not recipe.is_optional)


def find_recipe(name: str) -> Recipe:
    """The recipe of a workload.

    Raises:
        KeyError: If there is no such workload.
    """
    return {recipe.name: recipe for recipe in list_recipes()}[name]


def find_module(recipe: Recipe) -> str:
    """The name of the modules that have a workload's recipe here and its runs in `headrace.workloads`."""
    return dict(zip(list_recipes(), _WORKLOADS, strict=True))[recipe]


def list_container_images() -> tuple[ContainerImage, ...]:
    """The container images of all workloads, once each, and those that belong to none."""
    return list_images_of(list_recipes())


def list_usual_container_images() -> tuple[ContainerImage, ...]:
    """The container images that are there whatever the settings say."""
    return list_images_of(list_usual_recipes())


def list_images_of(recipes: Iterable[Recipe]) -> tuple[ContainerImage, ...]:
    """The container images of some workloads, once each, and those that belong to none."""
    from headrace.recipes import normalizer

    return (*dict.fromkeys(image for recipe in recipes for image in recipe.images), normalizer.BULK)


def find_container_image(name: str) -> ContainerImage:
    """A container image by its name.

    Raises:
        KeyError: If there is none.
    """
    return {image.name: image for image in list_container_images()}[name]
