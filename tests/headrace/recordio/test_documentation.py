"""docs/recordio.md says what the code does."""

import re
from pathlib import Path

import click
import pytest

from headrace.cli.recordio import recordio
from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "recordio.md").read_text()


def list_commands(group: click.Group, prefix: str) -> list[str]:
    """All commands of a group as people type them."""
    found = []
    for name, command in group.commands.items():
        words = f"{prefix} {name}"
        found += list_commands(command, words) if isinstance(command, click.Group) else [words]
    return found


def test_runs_every_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}

    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, names)  # noqa: S102 - the project's own page

    assert {path.name for path in tmp_path.iterdir()} >= {"train.pbr", "sentences.pbr", "train.rec", "train.idx"}


def test_imports_what_there_is_in_the_block_that_needs_sagemaker() -> None:
    [block] = re.findall(r"```python no-run\n(.*?)```", PAGE, re.DOTALL)

    compile(block, "docs/recordio.md", "exec")
    exec(block.splitlines()[0], {})  # noqa: S102 - the project's own page


@pytest.mark.parametrize("command", list_commands(recordio, "headrace recordio"))
def test_lists_every_command(command: str) -> None:
    assert f"| `{command} " in PAGE
