"""Whatever transformations there are: each says what it must, costs nothing to look at and keeps to itself."""

import subprocess
import sys
from dataclasses import fields
from itertools import permutations

import pytest

from headrace.recipes import images
from headrace.transformations.registry import NAMES, UnknownTransformationError, find_transformation
from tests.conftest import PROJECT

FOLDER = PROJECT / "headrace" / "transformations"
ALL = [find_transformation(name) for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_is_a_folder_of_its_name(name: str) -> None:
    assert find_transformation(name).name == name
    assert name.isalnum()
    assert name == name.lower()
    assert (FOLDER / name / "transform.py").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_pins_the_packages_that_it_needs(name: str) -> None:
    wanted, pinned = (FOLDER / name / f"requirements.{kind}" for kind in ("in", "txt"))

    assert wanted.exists() == pinned.exists()
    if wanted.exists():
        assert all(f"{package}==" in pinned.read_text() for package in wanted.read_text().split())


@pytest.mark.parametrize("name", NAMES)
def test_is_looked_at_without_its_packages(name: str) -> None:
    program = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import headrace.transformations.{name}"

    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_takes_every_option_as_a_text_that_its_default_is_written_as(name: str) -> None:
    transformation = find_transformation(name)
    written = {field.name: str(field.default).lower() for field in fields(transformation.options)}

    assert transformation.parse_options(written) == transformation.parse_options({}) == transformation.options()


def test_shows_no_transformation_what_another_reads() -> None:
    prefixes = [transformation.raw_prefix for transformation in ALL]

    assert all(prefix.endswith("/") and not prefix.startswith("/") for prefix in prefixes)
    assert [pair for pair in permutations(prefixes, 2) if pair[0].startswith(pair[1])] == []


def test_reads_photographs_where_the_recipe_has_them() -> None:
    assert find_transformation("image").raw_prefix == images.RECIPE.raw_prefix


def test_says_which_there_are_when_there_is_none_of_a_name() -> None:
    with pytest.raises(UnknownTransformationError, match="there is no transformation 'os'; there are image"):
        find_transformation("os")
