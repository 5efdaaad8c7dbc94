"""docs/packed.md says what the code does."""

import re
import runpy
from pathlib import Path

import pytest

from headrace.cli.packed import packed
from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "packed.md").read_text()


def test_runs_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

    exec(block, {})  # noqa: S102 - the project's own page


def test_lists_every_command_and_option() -> None:
    options = {name for command in packed.commands.values() for option in command.params for name in option.opts}

    assert all(f"headrace packed {name}" in PAGE for name in packed.commands)
    assert {name for name in options if name.startswith("--") and name not in PAGE} == {"--json"}


def test_has_the_computed_tables() -> None:
    computed = runpy.run_path(str(PROJECT / "benchmarks/feeding.py"))

    assert [name for name in ("ways", "epochs", "sentence") if computed[f"render_{name}"]() not in PAGE] == []
