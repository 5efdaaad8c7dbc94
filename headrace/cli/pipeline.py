"""`headrace pipeline`: state machines and their executions."""

import json
from pathlib import Path
from typing import Any, Final

import click

from headrace.cli.json_option import JSON_OPTION
from headrace.cli.paths import INPUT_FILE, OUTPUT_FILE
from headrace.cli.pipeline_options import Target, with_target
from headrace.cli.tables import render_table
from headrace.errors import as_shown
from headrace.files import whole_file
from headrace.inputs import read_document
from headrace.pipeline.definition import read_definition
from headrace.pipeline.history import Execution, History, read_history
from headrace.pipeline.recorded import check_states, read_printed

_HEADER: Final = ("state", "status", "started", "seconds", "tries", "error")


@click.group()
def pipeline() -> None:
    """See a state machine and its executions, on AWS and on the local cloud."""


@pipeline.command()
@with_target
@click.option("--definition", type=INPUT_FILE, help="Draw the definition in this file; needs no account.")
@click.option(
    "--assembly",
    type=click.Path(file_okay=False, path_type=Path),
    help="Draw the definition in the app that `cdk synth` wrote there; needs no account.",
)
@click.option("--execution", help="Draw what an execution did, by its name or ARN.")
@click.option(
    "--history",
    type=INPUT_FILE,
    help="Draw the execution whose events are in this file, as `aws stepfunctions get-execution-history` prints them.",
)
@click.option(
    "-o", "--output", type=OUTPUT_FILE, default="-", help="Where to write the SVG.  [default: standard output]"
)
def graph(
    *,
    definition: Path | None,
    assembly: Path | None,
    execution: str | None,
    history: Path | None,
    output: Path,
    **target: Any,
) -> None:
    """Draw a state machine, or an execution on it, as SVG.

    Without other options it is the state machine that stands in the environment.

    Example: headrace pipeline graph --execution run-20261128-101500-a1b2c3 -o run.svg
    """
    if definition and assembly:
        raise click.UsageError("give either --definition or --assembly")
    if execution and history:
        raise click.UsageError("give either --execution or --history")
    drawn = _draw(Target(**target), definition, assembly, execution, history)
    with whole_file(output) as partial:
        partial.write_text(drawn, encoding="utf-8", newline="\n")


def _draw(
    target: Target, definition: Path | None, assembly: Path | None, execution: str | None, history: Path | None
) -> str:
    from headrace.pipeline.drawing import draw_execution, draw_machine

    executed = _read_executed(target, execution, history)
    title, place, text = _read_definition(target, definition, assembly, executed)
    machine = read_definition(text, place)
    if executed is None:
        return draw_machine(machine, title)
    check_states(machine, executed[1], place)
    return draw_execution(machine, title, *executed)


def _read_executed(target: Target, execution: str | None, history: Path | None) -> tuple[Execution, History] | None:
    if history:
        return read_printed(read_document(history), history)
    if execution is None:
        return None
    from headrace.pipeline.executions import read_events, read_execution

    arn = target.find_execution(execution)
    return read_execution(arn), read_history(read_events(arn))


def _read_definition(
    target: Target, definition: Path | None, assembly: Path | None, executed: tuple[Execution, History] | None
) -> tuple[str, object, str | bytes]:
    """A definition: what it is called, where it is from, and its text."""
    from headrace.pipeline.machines import name_machine, read_definition_of, read_synthesized

    if definition:
        return definition.stem, definition, read_document(definition)
    if assembly:
        return target.name, assembly, read_synthesized(assembly, target.name)
    arn = executed[0].arn if executed and executed[0].arn else target.find_machine()
    return name_machine(arn), name_machine(arn), read_definition_of(arn)


@pipeline.command()
@click.argument("execution")
@with_target
@JSON_OPTION
def show(*, execution: str, as_json: bool, **target: Any) -> None:
    """Show what an execution did: each visit to a state, how long it took, and what went wrong.

    EXECUTION is its name or its ARN.

    Example: headrace pipeline show run-20261128-101500-a1b2c3
    """
    from headrace.pipeline.executions import read_events, read_execution

    arn = Target(**target).find_execution(execution)
    found, history = read_execution(arn), read_history(read_events(arn))
    click.echo(json.dumps(describe(found, history), indent=2) if as_json else render(found, history))


def render(execution: Execution, history: History) -> str:
    """An execution as a table, and below it why it failed."""
    rows = [
        [
            "  " * visit.depth + as_shown(visit.name),
            visit.status,
            f"{visit.entered:%H:%M:%S}",
            "" if visit.seconds is None else f"{visit.seconds:.1f}",
            str(visit.tries or ""),
            as_shown(visit.error),
        ]
        for visit in history.visits
    ]
    seconds = "" if execution.seconds is None else f"{execution.seconds:.1f}"
    rows.append(["", execution.status, f"{execution.started:%H:%M:%S}", seconds, "", as_shown(execution.error)])
    cause = [f"\n{as_shown(execution.cause)}"] if execution.cause else []
    return "\n".join([render_table(_HEADER, rows, numbers={3, 4}), *cause])


def describe(execution: Execution, history: History) -> dict[str, Any]:
    """An execution for programs."""
    return {
        **describe_execution(execution),
        "states": [
            {
                "state": visit.name,
                "status": visit.status,
                "started": visit.entered.isoformat(),
                "seconds": visit.seconds,
                "tries": visit.tries,
                "error": visit.error,
                "cause": visit.cause,
                "inside": visit.parent.name if visit.parent else None,
                "iteration": visit.iteration,
            }
            for visit in history.visits
        ],
    }


def describe_execution(execution: Execution) -> dict[str, Any]:
    """An execution as a whole, for programs."""
    return {
        "executionArn": execution.arn,
        "name": execution.name,
        "status": execution.status,
        "started": execution.started.isoformat(),
        "seconds": execution.seconds,
        "output": json.loads(execution.output) if execution.output else None,
        "error": execution.error,
        "cause": execution.cause,
    }
