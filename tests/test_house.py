"""The house as a whole: who may know whom, and how large its rooms may get. Imports inside functions count, too."""

import ast
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = ("account.py", "app.py", "containers", "headrace", "lambdas", "stacks")
MOST_LINES: Final = 400
MOST_CONSTRUCTOR_LINES: Final = 40

CDK: Final = frozenset({"aws_cdk", "cdk_nag", "constructs", "jsii"})
# What may not be known: by whom, and what of it may be known all the same.
FORBIDDEN: Final = (
    ("containers", "stacks", ()),
    ("lambdas", "stacks", ()),
    ("lambdas", "containers", ()),
    ("headrace", "stacks", ()),
    ("headrace", "lambdas", ()),
    ("headrace", "containers", ()),
    ("stacks", "containers", ("contract.py", "containers/shared/sagemaker.py")),
    ("stacks", "lambdas", ("contract.py",)),
    (
        "stacks/constructs",
        "stacks",
        ("stacks/constructs", "stacks/pipeline", "stacks/nag.py", "stacks/ownership.py", "stacks/settings"),
    ),
    ("stacks/constructs", "stacks/settings/environment.py", ()),
    ("stacks/constructs", "stacks/settings/sections.py", ()),
    ("stacks/settings", "stacks/constructs", ()),
    ("headrace/container_images", "headrace/local", ()),
)


@cache
def list_sources() -> list[str]:
    """The path of every source file."""
    files = (path for name in SOURCES for path in sorted(REPOSITORY.glob(f"{name}/**/*.py")) or [REPOSITORY / name])
    return [path.relative_to(REPOSITORY).as_posix() for path in files]


@cache
def find_sources() -> dict[str, ast.Module]:
    """Every source file by its path, parsed."""
    return {file: ast.parse((REPOSITORY / file).read_text(encoding="utf-8")) for file in list_sources()}


def find_imports(file: str) -> set[str]:
    """The dotted names that a file imports."""
    package = file.split("/")[:-1]
    names: set[str] = set()
    for node in ast.walk(find_sources()[file]):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*start, *filter(None, [node.module])])
            names |= {f"{source}.{alias.name}" for alias in node.names}
    return names


def find_file(name: str) -> str | None:
    """The file that an imported name is, or is defined in."""
    path = name.replace(".", "/")
    parent = path.rpartition("/")[0]
    places = (f"{path}.py", f"{path}/__init__.py", f"{parent}.py", f"{parent}/__init__.py")
    return next((place for place in places if place in find_sources()), None)


@cache
def find_arrows() -> Mapping[str, frozenset[str]]:
    """Which files of ours each file imports."""
    return {
        file: frozenset(found for name in find_imports(file) if (found := find_file(name)) and found != file)
        for file in find_sources()
    }


def list_folders() -> Iterator[str]:
    """Every folder of the sources."""
    yield from sorted({parent.as_posix() for file in list_sources() for parent in Path(file).parents} - {"."})


def find_room(file: str, folder: str) -> str | None:
    """The file or the folder right below a folder that a file is, or is in."""
    if not file.startswith(f"{folder}/"):
        return None
    return f"{folder}/{file.removeprefix(f'{folder}/').partition('/')[0]}"


def find_neighbours(folder: str) -> dict[str, set[str]]:
    """Which rooms of a folder each of them imports."""
    rooms: dict[str, set[str]] = {}
    for file, targets in find_arrows().items():
        if room := find_room(file, folder):
            known = {other for target in targets if (other := find_room(target, folder))}
            rooms.setdefault(room, set()).update(known - {room})
    return rooms


def find_cycle(arrows: Mapping[str, Iterable[str]]) -> list[str]:
    """One cycle among the arrows, if there is any."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle[::-1]
    return []


def list_forbidden_arrows(knower: str, known: str, exceptions: tuple[str, ...]) -> list[str]:
    """The imports that lead from one part to another which it may not know."""
    return [
        f"{file} -> {target}"
        for file, targets in find_arrows().items()
        for target in sorted(targets)
        if file.startswith(knower)
        and target.startswith(known)
        and not target.endswith("/__init__.py")
        and not any(target.startswith(exception) or target.endswith(f"/{exception}") for exception in exceptions)
    ]


def list_constructors() -> Iterator[tuple[str, int]]:
    """Every constructor and its lines."""
    for file, tree in find_sources().items():
        for owner in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            for node in owner.body:
                if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                    yield f"{file}: {owner.name}", (node.end_lineno or 0) - node.lineno + 1


def test_has_no_cycle_between_files() -> None:
    assert find_cycle(find_arrows()) == []


@pytest.mark.parametrize("folder", list(list_folders()))
def test_has_no_cycle_between_the_rooms_of_a_folder(folder: str) -> None:
    assert find_cycle(find_neighbours(folder)) == []


@pytest.mark.parametrize(("knower", "known", "exceptions"), FORBIDDEN)
def test_holds_the_direction_of_knowledge(knower: str, known: str, exceptions: tuple[str, ...]) -> None:
    assert list_forbidden_arrows(knower, known, exceptions) == []


@pytest.mark.parametrize("part", ["containers", "headrace", "lambdas"])
def test_imports_nothing_of_the_cdk_at_run_time(part: str) -> None:
    importers = [
        file
        for file in find_sources()
        if file.startswith(part) and CDK & {name.partition(".")[0] for name in find_imports(file)}
    ]

    assert importers == []


def test_checks_the_types_of_every_module_of_the_cdk_that_is_used() -> None:
    checks = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]["overrides"]
    followed = {name for check in checks if check.get("follow_imports") == "normal" for name in check["module"]}
    imported = {".".join(name.split(".")[:2]) for file in find_sources() for name in find_imports(file)}
    used = {name for name in imported if name.startswith("aws_cdk.aws_")}

    assert used
    assert used - followed == set()


def test_gives_every_error_a_name_of_its_own() -> None:
    names = Counter(
        node.name
        for tree in find_sources().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
    )

    assert [name for name, count in names.items() if count > 1] == []


def test_keeps_every_file_short() -> None:
    lengths = {file: len((REPOSITORY / file).read_text(encoding="utf-8").splitlines()) for file in find_sources()}

    assert {file: lines for file, lines in lengths.items() if lines > MOST_LINES} == {}


def test_keeps_every_constructor_short() -> None:
    assert {name: lines for name, lines in list_constructors() if lines > MOST_CONSTRUCTOR_LINES} == {}
