"""What the documentation says is true."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from headrace.cli import cli
from tests.conftest import PROJECT

DOCUMENTS = sorted(path for path in [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])
CODE = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def list_commands(program: str) -> list[list[str]]:
    """The README's commands of one program, as a shell would split them."""
    lines = "".join(CODE.findall((PROJECT / "README.md").read_text())).splitlines()
    found = [re.search(rf"(?:^|[|(] ?){program} ([^|)]*)", line) for line in lines]
    return [shlex.split(match[1].replace('"', "")) for match in found if match]


def test_names_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))

    assert {command[0] for command in list_commands("make")} <= targets
    assert list_commands("make")[:2] == [["run"], ["test"]]


@pytest.mark.parametrize("command", list_commands("headrace"), ids=" ".join)
def test_names_commands_that_exist(command: list[str]) -> None:
    found: click.Command | None = cli
    for word in command:
        if isinstance(found, click.Group):
            found = found.get_command(click.Context(found), word)

    assert found
    assert not isinstance(found, click.Group)


def test_changes_one_thing_as_the_readme_says(tmp_path: Path) -> None:
    change, run, back = next(
        code for code in CODE.findall((PROJECT / "README.md").read_text()) if "sed -i" in code
    ).splitlines()
    settings = tmp_path / "cdk.json"
    shutil.copy(PROJECT / "cdk.json", settings)

    subprocess.run(["sh", "-ec", change], cwd=tmp_path, check=True)
    changed = json.loads(settings.read_text())["context"]["environments"]["dev"]["bigmart"]["training"]
    subprocess.run(["sh", "-ec", back], cwd=tmp_path, check=True)

    assert changed["hyperparameters"] == {"n_estimators": 5}
    assert run == "make run"
    assert settings.read_text() == (PROJECT / "cdk.json").read_text()
    assert list(tmp_path.iterdir()) == [settings]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_links_to_files_that_exist(document: Path) -> None:
    links = [link for link in LINK.findall(document.read_text()) if "://" not in link]

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_lists_every_make_target_that_is_for_people() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    explained = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    phony = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())

    assert phony - explained <= {"help", "setup", "setup-dev"}
    assert explained <= phony


def test_ci_runs_exactly_the_readmes_test_command() -> None:
    assert (PROJECT / ".ci" / "run").read_text().splitlines()[-1] == "exec make test"


def test_promises_intelligent_tiering_to_large_objects_only() -> None:
    # S3's lifecycle leaves what is smaller where it is.
    pages = "\n".join(document.read_text() for document in DOCUMENTS)
    promises = [line for line in pages.splitlines() if re.search(r"\bmoves? to Intelligent-Tiering", line)]

    assert promises
    assert [line for line in promises if "128 KB" not in line] == []
