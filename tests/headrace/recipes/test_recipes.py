"""Recipes name everything once, and say what the containers' programs do."""

import re
from dataclasses import replace

import pytest

from containers.big_mart.preprocessing import contract as preprocessing
from containers.big_mart.training import contract as training
from containers.images.training import contract as image_training
from headrace.recipes import (
    Recipe,
    big_mart,
    find_container_image,
    find_module,
    find_recipe,
    images,
    list_container_images,
    list_recipes,
)
from headrace.recipes.recipe import RecipeError


@pytest.mark.parametrize("recipe", list_recipes(), ids=str)
def test_finds_a_recipe_by_its_name(recipe: Recipe) -> None:
    assert find_recipe(recipe.name) is recipe


def test_finds_the_module_of_a_recipe() -> None:
    assert find_module(big_mart.RECIPE) == "big_mart"


def test_names_workloads_stacks_and_container_images_once_each() -> None:
    for names in (
        [recipe.name for recipe in list_recipes()],
        [recipe.stack_id for recipe in list_recipes()],
        [image.name for image in list_container_images()],
        [image.folder for image in list_container_images()],
    ):
        assert len(set(names)) == len(names)


def test_finds_a_container_image_by_its_name() -> None:
    assert [find_container_image(image.name) for image in list_container_images()] == list(list_container_images())


def test_knows_neither_other_workloads_nor_other_images() -> None:
    with pytest.raises(KeyError):
        find_recipe("sales")
    with pytest.raises(KeyError):
        find_container_image("sales")


def test_says_what_the_big_mart_programs_do() -> None:
    job = big_mart.RECIPE.preprocessing

    assert job
    assert list(job.arguments) == [preprocessing.SPLIT_RATIO_ARGUMENT, preprocessing.SEED_ARGUMENT]
    assert job.input_folder == preprocessing.INPUT_FOLDER
    assert list(job.output_folders.values()) == [
        preprocessing.TRAIN_FOLDER,
        preprocessing.TEST_FOLDER,
        preprocessing.ENCODING_FOLDER,
    ]
    assert [channel.name for channel in big_mart.RECIPE.training.channels] == [
        training.TRAIN_CHANNEL,
        training.VALIDATION_CHANNEL,
        training.ENCODING_CHANNEL,
    ]
    assert set(big_mart.RECIPE.training.metrics) == {
        training.VALIDATION_RMSE,
        training.VALIDATION_R2,
        training.BASELINE_RMSE,
        training.BASELINE_R2,
        training.TRAIN_RMSE,
    }


def test_says_what_the_image_programs_do() -> None:
    assert [
        images.TRAIN_CHANNEL,
        images.VALIDATION_CHANNEL,
        images.TRAIN_LIST_CHANNEL,
        images.VALIDATION_LIST_CHANNEL,
        images.CONTENT_TYPE,
    ] == [
        image_training.TRAIN_CHANNEL,
        image_training.VALIDATION_CHANNEL,
        image_training.TRAIN_LIST_CHANNEL,
        image_training.VALIDATION_LIST_CHANNEL,
        image_training.CHANNEL_CONTENT_TYPE,
    ]
    assert [
        images.NORMALIZER.address,
        images.NORMALIZER.prefix,
        images.NORMALIZER.options,
        images.NORMALIZER.connections,
    ] == [
        image_training.IMAGES_VARIABLE,
        image_training.IMAGES_PREFIX_VARIABLE,
        image_training.IMAGES_OPTIONS_VARIABLE,
        image_training.IMAGES_CONNECTIONS_VARIABLE,
    ]
    assert set(images.RECIPE.training.metrics) == {
        image_training.VALIDATION_ACCURACY,
        image_training.VALIDATION_TOP5_ACCURACY,
        image_training.VALIDATION_PRECISION,
        image_training.VALIDATION_RECALL,
        image_training.VALIDATION_F1,
        image_training.BASELINE_ACCURACY,
        image_training.TRAIN_ACCURACY,
    }


@pytest.mark.parametrize("name", ["", "Toy", "toy_model", "toy-model", "7days", "t" * 21])
def test_refuses_a_name_that_cannot_be_a_stacks(name: str) -> None:
    with pytest.raises(RecipeError, match=re.escape(f"recipe {name!r}: a name has 1 to 20 lower-case letters")):
        replace(big_mart.RECIPE, name=name)


@pytest.mark.parametrize("stack_id", ["", "toy", "Toy-Model"])
def test_refuses_a_stack_id_that_cannot_be_one(stack_id: str) -> None:
    with pytest.raises(RecipeError, match="recipe bigmart: stack_id"):
        replace(big_mart.RECIPE, stack_id=stack_id)
