"""Programs that are missing, too old or not the pinned ones are found."""

import importlib.metadata
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from headrace.doctor.asking import NotSeen
from headrace.doctor.findings import Check, Severity
from headrace.doctor.machine import (
    Program,
    Toolchain,
    check_engine,
    check_sagemaker_sdk,
    check_toolchain,
    read_toolchain,
)

NODE = Program("/checkout/.venv/bin/node", (24, 19, 0))
HEALTHY = Toolchain(
    python=None,
    node=NODE,
    node_on_path=NODE,
    cdk=(2, 1148, 1),
    cdk_on_path=None,
    wanted_cdk=(2, 1148, 1),
    oldest_node=(18, 0, 0),
)


def test_is_silent_where_everything_is_as_pinned() -> None:
    assert list(check_toolchain(HEALTHY)) == []


@pytest.mark.parametrize(
    ("changes", "check", "severity"),
    [
        ({"python": Program("/usr/bin/python", (3, 8, 10))}, Check.PYTHON, Severity.ERROR),
        ({"python": Program("/usr/bin/python", (3, 13, 1))}, Check.PYTHON, Severity.WARNING),
        ({"python": Program("/usr/bin/python", NotSeen("?"))}, Check.PYTHON, Severity.NOT_SEEN),
        ({"node": None, "node_on_path": None}, Check.NODE, Severity.ERROR),
        ({"node_on_path": Program("/usr/bin/node", (16, 20, 2))}, Check.NODE, Severity.ERROR),
        ({"node_on_path": Program("/usr/bin/node", (20, 19, 0))}, Check.NODE, Severity.WARNING),
        ({"node_on_path": Program("/usr/bin/node", NotSeen("?"))}, Check.NODE, Severity.NOT_SEEN),
        ({"cdk": None}, Check.CDK, Severity.ERROR),
        ({"cdk": (3, 0, 0)}, Check.CDK, Severity.ERROR),
        ({"cdk_on_path": Program("/usr/bin/cdk", (3, 0, 0))}, Check.CDK, Severity.WARNING),
    ],
)
def test_finds_a_program_that_is_not_the_right_one(
    changes: dict[str, object], check: Check, severity: Severity
) -> None:
    (finding,) = check_toolchain(replace(HEALTHY, **changes))  # type: ignore[arg-type]

    assert (finding.check, finding.severity) == (check, severity)
    assert finding.cure or severity is Severity.NOT_SEEN


def test_takes_the_same_version_of_cdk_elsewhere_for_right() -> None:
    assert list(check_toolchain(replace(HEALTHY, cdk_on_path=Program("/usr/bin/cdk", (2, 1148, 1))))) == []


def make_program(folder: Path, name: str, says: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / name).chmod(0o755)


def test_reads_what_path_leads_to_and_what_the_checkout_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    for name, says in {"node": "v16.20.2", "cdk": "3.0.0 (build 1)", "python": "Python 3.8.10"}.items():
        make_program(folder, name, says)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    checkout = tmp_path / "checkout"
    installed = checkout / "node_modules" / "aws-cdk"
    installed.mkdir(parents=True)
    (checkout / "package.json").write_text(json.dumps({"devDependencies": {"aws-cdk": "2.1148.1"}}))
    (installed / "package.json").write_text(json.dumps({"version": "2.1100.0", "engines": {"node": ">= 18.0.0"}}))

    tools = read_toolchain(checkout)

    assert tools.python == Program(str(folder / "python"), (3, 8, 10))
    assert tools.node_on_path == Program(str(folder / "node"), (16, 20, 2))
    assert tools.cdk_on_path == Program(str(folder / "cdk"), (3, 0, 0))
    assert (tools.cdk, tools.wanted_cdk, tools.oldest_node) == ((2, 1100, 0), (2, 1148, 1), (18, 0, 0))


def test_takes_the_python_that_runs_it_for_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))

    assert read_toolchain().python is None


@pytest.mark.parametrize(
    ("engine", "is_needed", "severity"),
    [
        ("start Docker", True, Severity.ERROR),
        ("start Docker", None, Severity.WARNING),
        ("start Docker", False, None),
        ("", True, None),
    ],
)
def test_misses_a_container_engine_where_there_is_something_to_build(
    engine: str, is_needed: bool | None, severity: Severity | None
) -> None:
    found = list(check_engine(engine, is_needed=is_needed))

    assert [finding.severity for finding in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("version", "variable", "count"), [("3.27.0", "", 1), ("3.27.0", "false", 0), ("2.257.1", "", 0)]
)
def test_knows_that_the_sagemaker_sdk_refuses_narrow_roles(
    version: str, variable: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: version)
    monkeypatch.setenv("SAGEMAKER_VALIDATE_ROLE", variable)

    assert len(list(check_sagemaker_sdk())) == count
