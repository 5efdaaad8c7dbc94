"""docs/lists.md and docs/manifests.md show what the commands print."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from headrace.cli.lst import lst
from headrace.cli.manifest import manifest
from headrace.workloads import scenes
from tests.conftest import PROJECT

PAGES: list[tuple[str, click.Group]] = [("lists", lst), ("manifests", manifest)]


def list_examples(page: str) -> list[tuple[list[str], str]]:
    """The commands of a page, without `headrace` and their group, and what they print."""
    text = (PROJECT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    (console,) = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    examples = [example.partition("\n") for example in console.split("$ ")[1:]]
    return [(shlex.split(command)[2:], output) for command, _, output in examples]


@pytest.mark.parametrize(("page", "group"), PAGES, ids=["lists", "manifests"])
def test_shows_what_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, group: click.Group
) -> None:
    for name in ("ant", "bee"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(4):
            (tmp_path / "images" / name / f"series{number % 3}_{number}.jpg").write_bytes(b"image")
    (tmp_path / "images" / "bee" / "series1_1.jpg").rename(tmp_path / "images" / "bee" / "series2_1.jpg")
    scenes.make_scenes(tmp_path / "street", count=1)
    monkeypatch.chdir(tmp_path)

    for command, output in list_examples(page):
        answer = CliRunner().invoke(group, command)
        assert (command, answer.exit_code, answer.stderr) == (command, 0, "")
        assert answer.stdout == output


@pytest.mark.parametrize(("page", "group"), PAGES, ids=["lists", "manifests"])
def test_shows_every_command(page: str, group: click.Group) -> None:
    assert set(group.commands) == {command[0] for command, _ in list_examples(page)}
