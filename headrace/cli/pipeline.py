"""`headrace pipeline`: state machines and their executions."""

import json
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import click

from headrace.cli.endpoint import endpoint
from headrace.cli.execution_report import describe, describe_execution, render_execution, render_list
from headrace.cli.following import exit_by_outcome, explaining_interruption, report_end, wait_for_end
from headrace.cli.golden import golden
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.paths import INPUT_FILE, OUTPUT_FILE
from headrace.cli.pipeline_options import Target, with_target
from headrace.cli.promotion import promote
from headrace.cli.versions import VERSION_COMMANDS
from headrace.errors import HeadraceError, as_shown
from headrace.files import whole_file
from headrace.inputs import read_document
from headrace.pipeline.definition import read_definition
from headrace.pipeline.history import Execution, History, read_history
from headrace.pipeline.recorded import check_states, read_printed


class InputOfExecutionError(HeadraceError):
    """An execution's input that is not an object in JSON."""


@click.group()
def pipeline() -> None:
    """Start executions of a state machine and see what they do, on AWS and on the local cloud."""


for command in VERSION_COMMANDS:
    pipeline.add_command(command)
pipeline.add_command(golden)
pipeline.add_command(promote)
pipeline.add_command(endpoint)


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
        return definition.stem.removesuffix(".asl"), definition, read_document(definition)
    if assembly:
        return target.name, assembly, read_synthesized(assembly, target.name)
    arn = executed[0].arn if executed and executed[0].arn else target.find_machine()
    return name_machine(arn), name_machine(arn), read_definition_of(arn)


@pipeline.command()
@with_target
@click.option("--input", "given", metavar="FILE|JSON", help="The execution's input, an object.  [default: {}]")
@click.option("--name", help="Its name, which no other may have.  [default: one with the time]")
@click.option("--wait", is_flag=True, help="Wait for its end, and exit with 0 only if it succeeds.")
@JSON_OPTION
def start(*, given: str | None, name: str | None, wait: bool, as_json: bool, **target: Any) -> None:
    """Start an execution, and print its ARN; with --wait, what it has come to.

    Ctrl-C ends the waiting, not the execution.

    Example: headrace pipeline start --wait --input '{"EndpointName": "sales"}'
    """
    from headrace.pipeline.executions import name_execution, read_execution, start_execution

    request = read_input(given)
    chosen = Target(**target)
    with explaining_interruption(chosen):
        arn = start_execution(chosen.find_start(), request, name or name_execution())
    if wait:
        report_end(*wait_for_end(arn, chosen), as_json=as_json)
    else:
        click.echo(json.dumps(describe_execution(read_execution(arn)), indent=2) if as_json else arn)


@pipeline.command("list")
@with_target
@click.option("--most", type=click.IntRange(min=1), default=20, show_default=True, help="How many to list.")
@JSON_OPTION
def list_command(*, most: int, as_json: bool, **target: Any) -> None:
    """List the executions of a state machine, the latest first.

    Example: headrace pipeline list --env prod
    """
    from headrace.pipeline.executions import list_executions

    found = list(islice(list_executions(Target(**target).find_machine()), most))
    click.echo(json.dumps([describe_execution(each) for each in found], indent=2) if as_json else render_list(found))


@pipeline.command()
@click.argument("execution")
@with_target
@click.option("--wait", is_flag=True, help="Wait for its end, and exit with 0 only if it succeeds.")
@JSON_OPTION
def show(*, execution: str, wait: bool, as_json: bool, **target: Any) -> None:
    """Show what an execution did: each visit to a state, how long it took, and what went wrong.

    EXECUTION is its name or its ARN.

    Example: headrace pipeline show run-20261128-101500-a1b2c3
    """
    from headrace.pipeline.executions import read_events, read_execution

    chosen = Target(**target)
    arn = chosen.find_execution(execution)
    if wait:
        found, history = wait_for_end(arn, chosen)
    else:
        found, history = read_execution(arn), read_history(read_events(arn))
    click.echo(json.dumps(describe(found, history), indent=2) if as_json else render_execution(found, history))
    if wait:
        exit_by_outcome(found)


@pipeline.command()
@click.argument("execution")
@with_target
@click.option("--cause", default="stopped by hand", show_default=True, help="Why, for those who look at it.")
def stop(*, execution: str, cause: str, **target: Any) -> None:
    """Stop an execution, and with it the job that it waits for.

    EXECUTION is its name or its ARN.

    Example: headrace pipeline stop run-20261128-101500-a1b2c3
    """
    from headrace.pipeline.executions import read_execution, stop_execution

    arn = Target(**target).find_execution(execution)
    if not read_execution(arn).is_running:
        click.echo(f"{execution} has ended already", err=True)
        return
    stop_execution(arn, cause)


def read_input(given: str | None) -> dict[str, Any]:
    """An execution's input, from JSON or from the file that has it.

    Raises:
        InputOfExecutionError: If it is not an object in JSON.
    """
    if given is None:
        return {}
    is_json = given.lstrip().startswith(("{", "[", '"'))
    text = given if is_json else read_document(Path("/dev/stdin" if given == "-" else given))
    try:
        request = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InputOfExecutionError(f"the input is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise InputOfExecutionError(
            f"the input must be an object such as {{}}, not {as_shown(json.dumps(request)[:40])}"
        )
    return request


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")
