"""The programs of this machine: Python, Node, the CDK command line, a container engine, the SageMaker SDK."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from headrace.checkout import CHECKOUT
from headrace.container_images.engine import EngineError, find_engine
from headrace.doctor.asking import NotSeen
from headrace.doctor.findings import Check, Finding, Severity, not_seen

Version = tuple[int, ...]

_OLDEST_PYTHON: Final = (3, 11)
# Node 20 ended on 30 April 2026, and jsii warns of what has ended: https://github.com/nodejs/release#release-schedule
_OLDEST_MAINTAINED_NODE: Final = (22,)
_ANSWER_SECONDS: Final = 10
_VERSION: Final = re.compile(r"\d+(?:\.\d+)+")
_SETUP: Final = "make setup"
_ACTIVATE: Final = "source .venv/bin/activate"
_VALIDATE_ROLE: Final = "SAGEMAKER_VALIDATE_ROLE"


@dataclass(frozen=True)
class Program:
    """A program of this machine.

    Args:
        path: Where it is.
        version: Which version it says it is.
    """

    path: str
    version: Version | NotSeen

    def __str__(self) -> str:
        return f"{self.path}{'' if isinstance(self.version, NotSeen) else ' ' + show(self.version)}"


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """The programs that deploy the app.

    Args:
        python: The first on PATH, which `cdk` runs the app with; None where it is the one that runs this.
        node: The one beside the Python that runs this, which headrace's commands use.
        node_on_path: The first on PATH, which `cdk` runs with.
        cdk: The version of the CDK command line in the checkout.
        cdk_on_path: The first `cdk` on PATH; None where it is the checkout's.
        wanted_cdk: The version that the checkout pins.
        oldest_node: The oldest Node that the CDK command line runs with.
    """

    python: Program | None
    node: Program | None
    node_on_path: Program | None
    cdk: Version | None
    cdk_on_path: Program | None
    wanted_cdk: Version
    oldest_node: Version


def show(version: Version) -> str:
    """A version as people write it."""
    return ".".join(map(str, version))


def read_toolchain(checkout: Path = CHECKOUT) -> Toolchain:
    """What is installed in the checkout, and what PATH leads to."""
    beside = Path(sys.executable).parent
    installed = _read_json(checkout / "node_modules/aws-cdk/package.json")
    python, cdk = shutil.which("python"), shutil.which("cdk")
    is_ours = python is None or Path(python).parent.resolve() == beside.resolve()
    is_cdk_ours = cdk is None or Path(cdk).resolve().is_relative_to((checkout / "node_modules").resolve())
    return Toolchain(
        python=None if is_ours else _ask(python),
        node=_ask(shutil.which("node", path=str(beside))),
        node_on_path=_ask(shutil.which("node")),
        cdk=_parse(installed.get("version", "")),
        cdk_on_path=None if is_cdk_ours else _ask(cdk),
        wanted_cdk=_parse(_read_json(checkout / "package.json")["devDependencies"]["aws-cdk"]) or (),
        oldest_node=_parse(installed.get("engines", {}).get("node", "")) or (),
    )


def check_toolchain(tools: Toolchain) -> Iterator[Finding]:
    """What is wrong with the programs that deploy the app."""
    yield from _check_python(tools)
    yield from _check_node(tools)
    yield from _check_cdk(tools)


def check_engine(engine: str, *, is_needed: bool | None) -> Iterator[Finding]:
    """Whether a container engine answers where container images are to be built.

    Args:
        engine: Why none answers; empty where one does.
        is_needed: Whether any are to be built; None where that is not known.
    """
    if engine and is_needed is not False:
        yield Finding(
            check=Check.CONTAINER_ENGINE,
            severity=Severity.ERROR if is_needed else Severity.WARNING,
            place="this machine",
            problem="`make deploy` builds container images that their repositories lack, and cannot",
            cure=engine,
        )


def read_engine() -> str:
    """Why no container engine answers; empty where one does."""
    try:
        find_engine()
    except EngineError as error:
        return str(error)
    return ""


def check_sagemaker_sdk() -> Iterator[Finding]:
    """Whether the SageMaker SDK that is installed here would refuse the platform's execution roles."""
    try:
        version = importlib.metadata.version("sagemaker")
    except importlib.metadata.PackageNotFoundError:
        return
    if (_parse(version) or (0,)) >= (3,) and os.environ.get(_VALIDATE_ROLE, "").lower() != "false":
        yield Finding(
            check=Check.SAGEMAKER_SDK,
            severity=Severity.WARNING,
            place=f"sagemaker {version}",
            problem="this version of the SageMaker SDK refuses roles that may do what their job needs and nothing else",
            cure=f"export {_VALIDATE_ROLE}=false",
        )


def _check_python(tools: Toolchain) -> Iterator[Finding]:
    if tools.python is None:
        return
    if isinstance(tools.python.version, NotSeen):
        yield not_seen(Check.PYTHON, str(tools.python), tools.python.version.reason)
        return
    is_old = tools.python.version < _OLDEST_PYTHON
    yield Finding(
        check=Check.PYTHON,
        severity=Severity.ERROR if is_old else Severity.WARNING,
        place=str(tools.python),
        problem=f"`cdk` runs the app with this Python, which is {_describe_python(is_old=is_old)}",
        cure=_ACTIVATE,
    )


def _describe_python(*, is_old: bool) -> str:
    return f"older than {show(_OLDEST_PYTHON)}" if is_old else f"not that of the checkout, {sys.executable}"


def _check_node(tools: Toolchain) -> Iterator[Finding]:
    if tools.node is None:
        problem = "there is no Node, which the CDK command line and jsii run with"
        place = str(Path(sys.executable).parent)
        yield Finding(check=Check.NODE, severity=Severity.ERROR, place=place, problem=problem, cure=_SETUP)
    for node in dict.fromkeys(filter(None, (tools.node, tools.node_on_path))):
        if isinstance(node.version, NotSeen):
            yield not_seen(Check.NODE, str(node), node.version.reason)
        elif node.version < max(tools.oldest_node, _OLDEST_MAINTAINED_NODE):
            is_refused = node.version < tools.oldest_node
            yield Finding(
                check=Check.NODE,
                severity=Severity.ERROR if is_refused else Severity.WARNING,
                place=str(node),
                problem=f"the CDK command line needs {show(tools.oldest_node)} or newer"
                if is_refused
                else f"it is past its end of life; take {show(_OLDEST_MAINTAINED_NODE)} or newer",
                cure=_SETUP if node == tools.node else _ACTIVATE,
            )


def _check_cdk(tools: Toolchain) -> Iterator[Finding]:
    if tools.cdk != tools.wanted_cdk:
        found = f"it is {show(tools.cdk)}" if tools.cdk else "it is not installed"
        yield Finding(
            check=Check.CDK,
            severity=Severity.ERROR,
            place="node_modules/aws-cdk",
            problem=f"{found}; package.json pins {show(tools.wanted_cdk)}",
            cure="npm ci" if tools.cdk else _SETUP,
        )
    if tools.cdk_on_path and tools.cdk_on_path.version != tools.wanted_cdk:
        yield Finding(
            check=Check.CDK,
            severity=Severity.WARNING,
            place=str(tools.cdk_on_path),
            problem=f"the first `cdk` on PATH is not {show(tools.wanted_cdk)}, which package.json pins",
            cure=_ACTIVATE,
        )


def _ask(path: str | None) -> Program | None:
    """A program with its version, if there is one."""
    if path is None:
        return None
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Program(path, NotSeen(f"`{path} --version` gives no answer: {error}"))
    version = _parse(done.stdout or done.stderr)
    return Program(path, version or NotSeen(f"`{path} --version` says no version"))


def _parse(text: str) -> Version | None:
    found = _VERSION.search(text)
    return tuple(map(int, found[0].split("."))) if found else None


def _read_json(file: Path) -> dict[str, Any]:
    """The object in a file of npm's; empty where there is none."""
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}
