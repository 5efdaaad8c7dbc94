"""The table of docs/recipes.md, generated from the recipes, the algorithms and the settings' defaults."""

import os
from collections.abc import Iterator

from headrace.algorithms import Algorithm, find_algorithm
from headrace.recipes import Recipe, list_recipes
from stacks.settings.environment import Settings
from tests.conftest import PROJECT
from tests.stacks.conftest import read_context

PAGE = PROJECT / "docs/recipes.md"
PAGES = {
    "bigmart": "big-mart.md",
    "images": "image-classification.md",
    "linearlearner": "linear-learner.md",
}
BEGIN, END = "<!-- what follows is written by `make recipes-table` -->", "<!-- up to here -->"
HEADER = (
    "`WORKLOAD=`",
    "its data",
    "what training reads",
    "the endpoint is asked with",
    "engines",
    "trains on, serves on",
    "several instances",
)


def list_rows() -> Iterator[tuple[str, ...]]:
    recipes = list_recipes()
    optional = [recipe.name for recipe in recipes if recipe.is_optional]
    settings = Settings.from_mapping("dev", read_context()["environments"], also=optional)
    for recipe in recipes:
        algorithm = find_algorithm(recipe.algorithm) if recipe.algorithm else None
        section = getattr(settings, recipe.name)
        read = [channel.content_type for channel in recipe.training.channels] or [recipe.training.listed_content_type]
        yield (
            f"[`{recipe.name}`]({PAGES.get(recipe.name, f'{recipe.name}.md')})",
            recipe.data,
            show(read),
            show([recipe.serving.content_type]),
            "<br>".join(["own", *([show_algorithm(algorithm)] if algorithm else [])]),
            f"`{section.training.instance_type}`, `{section.endpoint.instance_type}`",
            show_instances(recipe, algorithm),
        )


def show_algorithm(algorithm: Algorithm) -> str:
    versions = [version for version in algorithm.versions.values() if not version.refused]
    modes = {version.name: ", ".join(version.modes) for version in versions}
    by_modes = {known: [name for name, others in modes.items() if others == known] for known in modes.values()}
    described = [f"{', '.join(names)} ({known})" for known, names in by_modes.items()]
    return f"{algorithm.title} {'; '.join(described)}"


def show_instances(recipe: Recipe, algorithm: Algorithm | None) -> str:
    own = any(channel.is_divided for channel in recipe.training.channels)
    built_in = algorithm is not None and algorithm.is_distributed
    return {
        (False, False): "no",
        (False, True): "the built-in algorithm alone",
        (True, False): "our engine alone",
        (True, True): "yes",
    }[own, built_in]


def show(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def write_page(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(f"| {' | '.join(row)} |" for row in (HEADER, ["---"] * len(HEADER), *list_rows()))
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def test_lists_every_recipe() -> None:
    if "HEADRACE_UPDATE_RECIPES" in os.environ:
        PAGE.write_text(write_page(PAGE.read_text()))

    page = PAGE.read_text()

    assert page == write_page(page)
    assert all((PAGE.parent / PAGES.get(recipe.name, f"{recipe.name}.md")).exists() for recipe in list_recipes())
