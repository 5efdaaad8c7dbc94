"""The workflow that rebuilds container images on patched bases proposes them, and says why where it does not."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from headrace.container_images.building import read_base_image
from tests.conftest import PROJECT
from tests.test_push_workflow import FOLDER
from tests.test_push_workflow import WORKFLOW as PUSH

FILE = FOLDER / "base-image.yml"
WORKFLOW = yaml.safe_load(FILE.read_text())
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
STEPS: list[dict[str, Any]] = [step for job in JOBS.values() for step in job["steps"]]
TAG = "docker.io/library/python:3.13-slim-trixie"
OLD, NEW = (f"{TAG}@sha256:{digit * 64}" for digit in "12")
BRANCH = "base-image-222222222222"
# Stands in for each program: notes what it is given, and does what a test wants of it.
STUB = """#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$(basename "$0") $*" in {cases} esac
"""


def step(name: str) -> dict[str, Any]:
    (found,) = (each for each in STEPS if each.get("name") == name)
    return found


def run_step(name: str, folder: Path, pin: str = NEW, **outcomes: str) -> "subprocess.CompletedProcess[str]":
    """Run a step in a checkout, with programs that stand in for those of the runner; by program, what each does."""
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    for program in ("docker", "gh", "git", "headrace", "make"):
        place = programs / program
        place.write_text(STUB.format(cases=outcomes.get(program, "*) ;;")))
        place.chmod(0o755)
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step(name)["run"]],
        cwd=folder,
        env={
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "CALLS": str(folder / "calls"),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "PIN": pin,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "containers").mkdir()
    shutil.copy(PROJECT / "containers" / "Dockerfile", tmp_path / "containers")
    return tmp_path


def pin(checkout: Path, base: str) -> None:
    dockerfile = checkout / "containers" / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace(f"ARG BASE_IMAGE={TAG}\n", f"ARG BASE_IMAGE={base}\n"))


@pytest.mark.parametrize("base", [TAG, OLD])
def test_pins_the_newest_base_image(checkout: Path, base: str) -> None:
    pin(checkout, base)

    done = run_step("Look for a newer base image", checkout, docker=f"*) echo {NEW.partition('@')[2]} ;;")

    assert done.returncode == 0, done.stderr
    assert read_base_image(checkout / "containers" / "Dockerfile") == NEW
    assert read(checkout / "output") == f"pin={NEW}\n"
    assert read(checkout / "calls").startswith(f"docker buildx imagetools inspect {TAG} ")


def test_changes_nothing_where_the_newest_base_image_is_pinned(checkout: Path) -> None:
    pin(checkout, NEW)

    done = run_step("Look for a newer base image", checkout, docker=f"*) echo {NEW.partition('@')[2]} ;;")

    assert (done.returncode, read(checkout / "output")) == (0, "")
    assert f"have the newest {TAG}" in read(checkout / "summary.md")
    assert JOBS["rebuild"]["outputs"] == {"pin": "${{ steps.base.outputs.pin }}"}
    assert (step("Build and test")["if"], JOBS["propose"]["if"]) == (
        "steps.base.outputs.pin",
        "needs.rebuild.outputs.pin",
    )


@pytest.mark.parametrize("answer", ["*) exit 1 ;;", "*) echo nothing ;;"])
def test_fails_where_the_registry_names_no_digest(checkout: Path, answer: str) -> None:
    done = run_step("Look for a newer base image", checkout, docker=answer)

    assert done.returncode == 1
    assert read_base_image(checkout / "containers" / "Dockerfile") == TAG


@pytest.mark.parametrize("failing", ["build", "test"])
def test_proposes_nothing_on_which_container_images_do_not_work(checkout: Path, failing: str) -> None:
    done = run_step("Build and test", checkout, headrace=f'"headrace containers {failing}") exit 1 ;;')

    assert (done.returncode, done.stdout.startswith("::error::")) == (1, True)
    assert "No pull request" in read(checkout / "summary.md")


def test_builds_and_tests_all_container_images(checkout: Path) -> None:
    assert run_step("Build and test", checkout).returncode == 0
    assert read(checkout / "calls").splitlines() == [
        "make setup",
        "headrace containers build",
        "headrace containers test",
    ]


def test_proposes_the_pin_in_a_pull_request_and_starts_its_tests(checkout: Path) -> None:
    done = run_step("Propose it", checkout)

    calls = read(checkout / "calls")
    assert done.returncode == 0, done.stderr
    assert read_base_image(checkout / "containers" / "Dockerfile") == NEW
    assert f"git push --force-with-lease={BRANCH}: origin {BRANCH}" in calls
    assert f"gh workflow run headrace.yml --ref {BRANCH}" in calls
    assert calls.splitlines()[-1].startswith(f"gh pr create --base main --head {BRANCH}")
    assert "workflow_dispatch" in PUSH[True]


def test_proposes_a_base_image_once(checkout: Path) -> None:
    done = run_step("Propose it", checkout, gh='"gh pr list --head base-image-222222222222 --state all"*) echo true ;;')

    assert (done.returncode, done.stdout.startswith("::notice::")) == (0, True)
    assert [call for call in read(checkout / "calls").splitlines() if "create" in call or "push" in call] == []


@pytest.mark.parametrize("failing", ["git push", "gh workflow run", "gh pr create"])
def test_proposes_again_what_an_earlier_run_has_not_proposed_to_its_end(checkout: Path, failing: str) -> None:
    stopped = run_step("Propose it", checkout, **{failing.split()[0]: f'"{failing}"*) exit 1 ;;'})
    assert (stopped.returncode, read(checkout / "summary.md")) == (1, "")

    done = run_step("Propose it", checkout, git='"git ls-remote"*) printf "f00d\\trefs/heads/found\\n" ;;')

    assert done.returncode == 0, done.stderr
    calls = read(checkout / "calls")
    assert f"git push --force-with-lease={BRANCH}:f00d origin {BRANCH}" in calls
    assert calls.splitlines()[-1].startswith("gh pr create ")


@pytest.mark.parametrize(
    "pin",
    [
        NEW.replace("docker.io", "elsewhere.example"),
        TAG,
        f"{TAG}@sha256:{'2' * 63}",
        f"{NEW}|e; touch found",
        f"{NEW}\nFROM elsewhere.example",
    ],
)
def test_proposes_nothing_but_a_digest_of_the_same_base_image(checkout: Path, pin: str) -> None:
    done = run_step("Propose it", checkout, pin)

    assert (done.returncode, done.stdout.startswith("::error::")) == (1, True)
    assert read(checkout / "calls") == ""


def test_writes_where_nothing_is_installed_or_built() -> None:
    assert [name for name, job in JOBS.items() if "write" in job["permissions"].values()] == ["propose"]
    assert JOBS["rebuild"]["permissions"] == {"contents": "read"}
    taken, proposing = JOBS["propose"]["steps"]
    assert taken["uses"].startswith("actions/checkout@")
    assert not re.search(r"\b(make|pip|npm|docker|headrace)\s", proposing["run"])


def test_has_its_token_in_the_step_that_proposes_and_in_no_other() -> None:
    holders = [each.get("name") for each in STEPS if "GH_TOKEN" in each.get("env", {})]

    assert holders == ["Propose it"]
    assert "secrets." not in FILE.read_text()
    for job in JOBS.values():
        assert job["steps"][0]["with"] == {"ref": "main", "persist-credentials": False}
    assert WORKFLOW["permissions"] == {}
    assert not [each for each in STEPS if "${{" in each.get("run", "")]


def test_takes_the_actions_of_the_other_workflow() -> None:
    others = {each["uses"] for job in PUSH["jobs"].values() for each in job["steps"] if "uses" in each}

    assert {each["uses"] for each in STEPS if "uses" in each} <= others
