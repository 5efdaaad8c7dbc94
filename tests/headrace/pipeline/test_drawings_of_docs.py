"""The drawings of the documentation are those of today's state machines, by today's code."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from headrace.cli import cli
from headrace.pipeline.definition import read_definition
from headrace.pipeline.machines import read_synthesized
from headrace.pipeline.recorded import read_printed
from headrace.recipes import big_mart
from tests.conftest import PROJECT
from tests.stacks.conftest import read_stacks

FOLDER = PROJECT / "docs" / "drawings"
EXECUTIONS = ("succeeded", "failed", "running")
STALE = "it is stale; 'make drawings' makes it again"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The templates of dev."""
    folder = tmp_path_factory.mktemp("app")
    stack = big_mart.RECIPE.stack_id
    (folder / f"{stack}.json").write_text(json.dumps(read_stacks("dev")[stack]["template"]))
    return folder


@pytest.mark.parametrize("name", ["bigmart", "orders", *EXECUTIONS])
def test_draws_the_documentation(name: str, app: Path, tmp_path: Path) -> None:
    source = ["--definition", str(FOLDER / "orders.asl.json")] if name == "orders" else ["--assembly", str(app)]
    history = ["--history", str(FOLDER / f"{name}.json")] if name in EXECUTIONS else []
    drawn = tmp_path / "drawn.svg"

    done = CliRunner().invoke(cli, ["pipeline", "graph", *source, *history, "-o", str(drawn)])

    assert done.output == ""
    if "HEADRACE_UPDATE_DRAWINGS" in os.environ:
        (FOLDER / f"{name}.svg").write_bytes(drawn.read_bytes())
    assert drawn.read_text() == (FOLDER / f"{name}.svg").read_text(), STALE


@pytest.mark.parametrize("name", EXECUTIONS)
def test_recorded_executions_are_of_the_state_machine_of_today(name: str, app: Path) -> None:
    machine = read_definition(read_synthesized(app, big_mart.RECIPE.stack_id), app)
    _, history = read_printed((FOLDER / f"{name}.json").read_bytes(), name)
    ways = {(state.name, way.target) for state in machine.states.values() for way in state.transitions}

    gone = {(visit.after.name, visit.name) for visit in history.visits if visit.after}

    assert gone <= ways, STALE
