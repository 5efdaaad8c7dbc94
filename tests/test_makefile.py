"""The verbs hand on what they are given, whatever characters it has, and meet in peace."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT

SETUP_PROGRAMS = ("uv", "npm", "python")
PROGRAMS = ("headrace", "cdk", *SETUP_PROGRAMS)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the Makefile, and programs that only note how they were called."""
    clone = tmp_path / "my clönes" / "second"
    (clone / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(PROJECT / "Makefile", clone)
    for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml", "package-lock.json"):
        (clone / name).touch()
    for program in PROGRAMS:
        stub = clone / ".venv" / "bin" / program
        stub.write_text(f'#!/bin/sh\nprintf "%s\\n" {program} "$@" >> calls\n')
        stub.chmod(0o755)
    (clone / ".venv" / "uv").touch()
    return clone


def start(clone: Path, *arguments: str) -> "subprocess.Popen[str]":
    # What the make that runs the tests was given is not meant for this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.Popen(
        ["make", *arguments], cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def make(clone: Path, *arguments: str) -> list[str]:
    """The words of the command that a verb runs."""
    (clone / ".venv" / "setup").touch()
    stdout, stderr = (process := start(clone, *arguments)).communicate()
    assert (process.returncode, stdout) == (0, ""), stderr
    return (clone / "calls").read_text().splitlines()


def test_leaves_what_is_not_given_to_the_command(clone: Path) -> None:
    assert make(clone, "run") == ["headrace", "local", "run", "--env", "dev", "--workload", "bigmart"]


def test_deploys_the_repositories_then_their_container_images_then_the_rest(clone: Path) -> None:
    assert " ".join(make(clone, "deploy", "ENV=prod")) == (
        "cdk deploy Registry --exclusively --context env=prod "
        "headrace containers push --build --env prod "
        "headrace deploy --env prod"
    )


def test_says_which_commit_it_deploys(clone: Path) -> None:
    assert make(clone, "deploy", "COMMIT=3e46638")[-5:] == ["--env", "dev", "--", "--context", "commit=3e46638"]


def test_deploys_nothing_more_when_the_container_images_cannot_be_pushed(clone: Path) -> None:
    stub = clone / ".venv" / "bin" / "headrace"
    stub.write_text("#!/bin/sh\nexit 1\n")
    (clone / ".venv" / "setup").touch()

    process = start(clone, "deploy")
    process.communicate()

    assert process.returncode != 0
    assert (clone / "calls").read_text().split() == [
        "cdk",
        "deploy",
        "Registry",
        "--exclusively",
        "--context",
        "env=dev",
    ]


@pytest.mark.parametrize("value", ["folder/with space.csv", 'it\'s "quoted".csv', "a;b&c*.csv", "$HOME`id`.csv"])
def test_hands_on_values_as_they_are(clone: Path, value: str) -> None:
    given = [f"{name}={value}" for name in ("ENV", "WORKLOAD", "DATA", "PORT", "FOLDER")]

    words = make(clone, "run", *given)

    expected = ["--folder", value, "run", "--env", value, "--workload", value, "--port", value, "--data", value]
    assert words == ["headrace", "local", *expected]


@pytest.mark.parametrize(
    ("failing", "code"), [((), 0), (("mypy",), 2), (("pytest",), 2), (("mypy", "pytest"), 2)], ids=str
)
def test_tests_whatever_the_types_are_and_fails_when_either_does(
    clone: Path, failing: tuple[str, ...], code: int
) -> None:
    (clone / ".venv" / "setup-dev").touch()
    for program in ("ruff", "mypy", "pytest"):
        stub = clone / ".venv" / "bin" / program
        stub.write_text(f'#!/bin/sh\necho "words of {program}"\nexit {int(program in failing)}\n')
        stub.chmod(0o755)

    process = start(clone, "test")
    told = process.communicate()[0].splitlines()

    assert process.returncode == code
    assert told[-2:] == ["words of pytest", "words of mypy"]


def test_begins_no_test_of_code_that_is_out_of_shape(clone: Path) -> None:
    (clone / ".venv" / "setup-dev").touch()
    for program, code in (("ruff", 1), ("mypy", 0), ("pytest", 0)):
        stub = clone / ".venv" / "bin" / program
        stub.write_text(f"#!/bin/sh\necho {program} >> calls\nexit {code}\n")
        stub.chmod(0o755)

    process = start(clone, "test")
    process.communicate()

    assert process.returncode != 0
    assert {"ruff", "mypy", "pytest"} & {*(clone / "calls").read_text().split()} == {"ruff"}


def test_stops_the_cloud_of_the_folder_that_is_given(clone: Path) -> None:
    assert make(clone, "down", "FOLDER=/tmp/my clouds") == ["headrace", "local", "--folder", "/tmp/my clouds", "down"]


def test_sets_up_once_when_two_verbs_start_at_once(clone: Path) -> None:
    both = [start(clone, "run") for _ in range(2)]
    told = [process.communicate()[1] for process in both]

    calls = (clone / "calls").read_text().splitlines()
    assert [process.returncode for process in both] == [0, 0], told
    assert (calls.count("npm"), calls.count("headrace")) == (1, 2)


def test_tells_what_it_sets_up(clone: Path) -> None:
    _, told = start(clone, "setup").communicate()

    assert [line.partition(": ")[0] for line in told.splitlines()] == ["setting up"] * 3
    assert "the CDK command line" in told


def test_has_the_pinned_cdk_beside_the_checkouts_python(clone: Path) -> None:
    installed = clone / "node_modules" / ".bin" / "cdk"
    installed.parent.mkdir(parents=True)
    installed.write_text("#!/bin/sh\necho pinned\n")
    installed.chmod(0o755)
    (cdk := clone / ".venv" / "bin" / "cdk").unlink()

    for _ in range(2):
        _, told = start(clone, "setup").communicate()
        assert "Error" not in told

    found = subprocess.run([cdk], capture_output=True, text=True, check=True)
    assert found.stdout == "pinned\n"
