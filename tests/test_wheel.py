"""The wheel: the library alone, which does its job in an empty environment, far from the checkout."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from tests.conftest import PROJECT
from tests.examples import IS_EXHAUSTIVE, only_exhaustive
from tests.interpreters import find_python

PROJECT_TABLE = tomllib.loads((PROJECT / "pyproject.toml").read_text())
# What a checkout has beside the library, and an installed library has not.
BESIDE = {"containers", "lambdas", "stacks", "tests"}
# The fenced engine of the local cloud, and the page that it serves: nothing else may need an extra to be imported.
ENGINE = (
    ("headrace.local.engine.", "headrace.local.page."),
    {"defusedxml", "hypercorn", "jinja2", "jsonata", "jsonpath", "markupsafe", "ministack"},
)

BLOCK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

blocked = set(sys.argv[1:])
sys.meta_path.insert(0, Blocker())
"""
IMPORT_EVERY_MODULE = """
import importlib, pkgutil
import headrace

for module in pkgutil.walk_packages(headrace.__path__, "headrace."):
    if module.name != "headrace.__main__":
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            print(module.name, error.name)
print("done")
"""
SHOW_EVERY_HELP = """
import click
from click.testing import CliRunner
from headrace.cli import cli

def walk(command, path):
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from walk(command.get_command(context, name), [*path, name])

for path in walk(cli, []):
    shown = CliRunner().invoke(cli, [*path, "--help"])
    print(shown.exit_code, shown.output.splitlines()[0] if shown.output else shown.exception)
"""
TYPED = """
from headrace.channels import InputMode, S3Channel
from headrace.data import read_bytes
from headrace.lst import read_lst
from headrace.normalizer.normalize import normalize
from headrace.recordio import read_records

reveal_type(read_bytes("s3://bucket/key"))
reveal_type(read_lst)
reveal_type(read_records)
reveal_type(S3Channel)
reveal_type(normalize(b"image"))
wrong: int = read_bytes("s3://bucket/key")
"""
WORK = (
    ("lst make photographs --train train.lst --validation validation.lst", "cat\ndog"),
    ("lst check train.lst --folder photographs", ""),
    ("manifest convert folders photographs --prefix s3://raw/photographs/ -o train.manifest", ""),
    ("manifest stats train.manifest", "cat"),
    ("recordio write table.csv table.pbr", "rows\t2"),
    ("recordio read table.pbr", "1.0,2.0,3.0\n0.0,4.0,5.0"),
    ("recordio images write train.lst photographs photographs.rec", ""),
    ("recordio images info photographs.rec", ""),
    ("data copy photographs copied", "dog/2.png"),
    ("data du copied", "\t6"),
    ("pipeline graph --definition machine.json", "</svg>"),
    ("channels advise --where s3 --size 500GB --files 200000 --passes 30 --changes never", "S3 FastFile"),
)
CHECKOUT_COMMANDS = ["local run", "local down", "containers list", "containers build"]


@dataclass(frozen=True)
class Installed:
    """A Python with the wheel and what it requires, and a user's own folder to be in."""

    python: Path
    folder: Path

    def run(self, *command: object) -> "subprocess.CompletedProcess[str]":
        """Run a program of this Python in the folder."""
        kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
        words = [str(self.python.parent / str(command[0])), *map(str, command[1:])]
        return subprocess.run(words, cwd=self.folder, env=kept, capture_output=True, text=True, check=False)


def install(*arguments: object) -> None:
    """Run uv; what neither its cache nor an index has skips the test, unless this is CI."""
    command = [sys.executable, "-m", "uv", *map(str, arguments)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode and os.environ.get("CI") != "true":
        pytest.skip(f"uv {arguments[0]} needs a package index: {done.stderr.strip()[-300:]}")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    install("build", "--quiet", "--wheel", "--out-dir", folder, PROJECT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def install_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Installed]:
    """Installs the wheel for a version of Python, once whatever the order of the tests."""

    @cache
    def install_once(version: str) -> Installed:
        interpreter = find_python(version)
        folder = tmp_path_factory.mktemp("installed")
        python = folder / "environment" / "bin" / "python"
        install("venv", "--quiet", "--python", interpreter, folder / "environment")
        install("pip", "install", "--quiet", "--python", python, "--constraint", "requirements.txt", wheel)
        users = folder / "users"
        for package in ("containers", "lambdas"):
            (users / package).mkdir(parents=True)
            (users / package / "__init__.py").touch()
        return Installed(python, users)

    return install_once


# The oldest and the newest Python; `make test` runs everything else on this one.
VERSIONS = [version for version in ("3.11", "3.13") if IS_EXHAUSTIVE or not sys.version.startswith(f"{version}.")]


@pytest.fixture(params=VERSIONS)
def installed(request: pytest.FixtureRequest, install_wheel: Callable[[str], Installed]) -> Installed:
    return install_wheel(request.param)


@pytest.fixture
def data(installed: Installed) -> None:
    """Photographs of two classes, a table, and a state machine."""
    for number in range(6):
        photograph = installed.folder / "photographs" / ("cat", "dog")[number % 2] / f"{number // 2}.png"
        photograph.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), "teal").save(photograph)
    machine = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
    (installed.folder / "machine.json").write_text(machine)
    (installed.folder / "table.csv").write_text("1,2,3\n0,4,5\n")


def list_required(requirements: Iterable[str], found: set[str]) -> set[str]:
    """The distributions that these are, and all that they require in turn."""
    for requirement in map(Requirement, requirements):
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        try:
            needed = requires(name) or []
        except PackageNotFoundError:
            continue
        found.add(name)
        list_required(needed, found)
    return found


def list_packages_of_extras() -> set[str]:
    """The packages here that the library's own requirements do not bring."""
    required = list_required(PROJECT_TABLE["project"]["dependencies"], set())
    return {
        package
        for package, distributions in packages_distributions().items()
        if package != "headrace" and required.isdisjoint(map(canonicalize_name, distributions))
    }


def list_lacking(printed: str) -> list[str]:
    """The modules, of all that were imported, that failed and may not."""
    lines = printed.splitlines()
    assert lines.pop() == "done"
    folders, packages = ENGINE
    return [line for line in lines if not (line.startswith(folders) and line.split()[1].partition(".")[0] in packages)]


def test_every_module_needs_what_the_library_requires_and_no_more() -> None:
    command = [sys.executable, "-c", BLOCK + IMPORT_EVERY_MODULE, *sorted(list_packages_of_extras() | BESIDE)]

    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)

    assert list_lacking(done.stdout) == []


def test_is_of_the_library_alone() -> None:
    assert PROJECT_TABLE["tool"]["hatch"]["build"]["targets"]["wheel"] == {"packages": ["headrace"]}
    assert (PROJECT / "headrace" / "py.typed").exists()


@pytest.mark.slow
def test_holds_the_library_and_nothing_else(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()

    assert {name.partition("/")[0] for name in names} == {"headrace", f"headrace-{wheel.name.split('-')[1]}.dist-info"}
    assert "headrace/py.typed" in names


@pytest.mark.slow
def test_says_the_version_of_the_project(installed: Installed) -> None:
    assert installed.run("headrace", "--version").stdout.split()[-1] == PROJECT_TABLE["project"]["version"]


@pytest.mark.slow
def test_imports_every_module(installed: Installed) -> None:
    done = installed.run("python", "-c", IMPORT_EVERY_MODULE)

    assert list_lacking(done.stdout) == [], done.stderr


@pytest.mark.slow
def test_shows_every_help(installed: Installed) -> None:
    shown = installed.run("python", "-c", SHOW_EVERY_HELP).stdout.splitlines()

    assert len(shown) > 40
    assert [line for line in shown if not line.startswith("0 Usage: ")] == []


@pytest.mark.slow
@pytest.mark.usefixtures("data")
def test_does_its_job(installed: Installed) -> None:
    for line, said in WORK:
        done = installed.run("headrace", *line.split())

        assert (done.returncode, said in done.stdout) == (0, True), (line, done.stdout, done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("line", CHECKOUT_COMMANDS if IS_EXHAUSTIVE else ["local run", "containers build"])
def test_says_what_needs_the_checkout(installed: Installed, line: str) -> None:
    done = installed.run("headrace", *line.split())

    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(rf"Error: 'headrace {line}' needs the checkout.*\n", done.stderr)


@pytest.mark.slow
def test_says_how_to_install_an_extra(installed: Installed) -> None:
    program = "import headrace.data as data; data.file_system('s3://raw/sales.csv')"

    done = installed.run("python", "-c", program)

    assert done.stderr.splitlines()[-1].startswith("headrace.data.errors.DataError: ")
    assert "pip install '.[data]' in the checkout, or pip install 'headrace[data] @ git+" in done.stderr


@pytest.mark.slow
@only_exhaustive("the wheel has the marker of its types, which make check checks strictly")
def test_shows_its_types_to_a_strict_checker(installed: Installed, tmp_path: Path) -> None:
    (installed.folder / "typed.py").write_text(TYPED)
    options = ["--strict", "--disallow-any-expr", "--cache-dir", tmp_path, "--python-executable", installed.python]

    done = subprocess.run(
        [sys.executable, "-m", "mypy", *map(str, options), "typed.py"],
        cwd=installed.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    errors = [line for line in done.stdout.splitlines() if " error: " in line]
    assert [error.partition(" error: ")[2] for error in errors] == [
        'Incompatible types in assignment (expression has type "bytes", variable has type "int")  [assignment]'
    ]
