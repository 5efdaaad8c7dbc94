"""What an image carries of the repository is what its program imports, no more and no less."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from headrace.container_images import CONTAINERS_DIRECTORY, MODULES_FILE, list_modules
from headrace.recipes import ContainerImage, list_container_images

REPOSITORY = CONTAINERS_DIRECTORY.parent


@cache
def find_carried(container: ContainerImage) -> set[str]:
    """The modules of the repository that a container's program imports, directly or through others.

    What others import late, inside functions, is for uses of theirs that need not be the program's.
    """
    own = CONTAINERS_DIRECTORY / container.folder
    waiting = [file for path in own.glob("*.py") for file in find_files(path, ast.walk(parse(path)))]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found and path.parent != own:
            found.add(path)
            waiting += find_imported(path)
    return {path.relative_to(REPOSITORY).as_posix() for path in found}


@cache
def find_imported(path: Path) -> tuple[Path, ...]:
    """The files that a module imports at once."""
    return tuple(find_files(path, parse(path).body))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def find_files(path: Path, nodes: Iterable[ast.AST]) -> Iterator[Path]:
    """The files of the repository that these imports of a module name."""
    package = path.relative_to(REPOSITORY).parent.parts
    for node in nodes:
        for name in list_names(package, node):
            file = REPOSITORY.joinpath(*name).with_suffix(".py")
            if file.is_file():
                yield file


def list_names(package: tuple[str, ...], node: ast.AST) -> list[tuple[str, ...]]:
    """What an import may name: a module, or modules of a package."""
    if isinstance(node, ast.Import):
        return [tuple(alias.name.split(".")) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        start = package[: len(package) + 1 - node.level] if node.level else ()
        source = (*start, *(node.module.split(".") if node.module else ()))
        return [source, *((*source, alias.name) for alias in node.names)]
    return []


@pytest.mark.parametrize("container", list_container_images(), ids=str)
def test_carries_exactly_the_modules_that_its_program_imports(container: ContainerImage) -> None:
    modules = {name for name in list_modules(container) if name.endswith(".py")}

    assert modules == find_carried(container)


@pytest.mark.parametrize("container", list_container_images(), ids=str)
def test_carries_no_data_but_that_of_modules_beside_them(container: ContainerImage) -> None:
    data = {Path(name) for name in list_modules(container) if not name.endswith(".py")}
    folders = {Path(name).parent for name in find_carried(container)}

    assert {path.suffix for path in data} <= {".json"}
    assert {path.parent for path in data} <= folders


@pytest.mark.parametrize("container", list_container_images(), ids=str)
def test_lists_modules_once_each_and_in_order(container: ContainerImage) -> None:
    lines = (CONTAINERS_DIRECTORY / container.folder / MODULES_FILE).read_text().splitlines()

    assert lines == sorted(set(lines))


def test_shares_nothing_that_only_one_image_carries() -> None:
    carried = [module for container in list_container_images() for module in list_modules(container)]
    shared = [path.relative_to(REPOSITORY).as_posix() for path in (CONTAINERS_DIRECTORY / "shared").rglob("[!_]*.py")]

    assert [module for module in shared if carried.count(module) < 2] == []
