"""`headrace pipeline endpoint`: a workload's endpoint, stopped and started again by hand."""

import json
import time
from typing import TYPE_CHECKING, Any, Final

import click

from headrace.cli import progress
from headrace.cli.execution_report import describe_execution
from headrace.cli.following import explaining_interruption, find_poll_seconds, report_end, wait_for_end
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.pipeline_options import Target, with_workload
from headrace.contract import Outcome

if TYPE_CHECKING:
    from headrace.pipeline.endpoints import WorkloadEndpoint

_WAIT: Final = click.option(
    "--wait", is_flag=True, help="Wait for the execution's end, and exit with 0 only if it succeeds."
)


@click.group()
def endpoint() -> None:
    """Stop the endpoint of a workload, which costs by the second, and start it again with what served last."""


@endpoint.command()
@with_workload
@_WAIT
@JSON_OPTION
def stop(*, wait: bool, as_json: bool, **target: Any) -> None:
    """Delete the endpoint; its configuration, its model and the versions stay.

    With the setting endpoint.hours an execution does it, whose ARN is printed. Otherwise it is done when this command
    ends; an endpoint that an execution may be about to update is left alone.

    Example: headrace pipeline endpoint stop --env prod
    """
    chosen = Target(**target)
    found = _open(chosen)
    with progress.step(f"stop {found.name}"):
        arn = found.stop()
    if arn:
        _report(arn, chosen, wait=wait, as_json=as_json)
    elif as_json:
        click.echo(json.dumps({"outcome": Outcome.STOPPED, "endpoint": found.name}, indent=2))
    else:
        click.echo(f"{found.name} is gone; to make it again: headrace pipeline endpoint start", err=True)


@endpoint.command()
@with_workload
@_WAIT
@JSON_OPTION
def start(*, wait: bool, as_json: bool, **target: Any) -> None:
    """Make the endpoint again with what served last, and print the ARN of the execution that does so.

    Example: headrace pipeline endpoint start --wait
    """
    chosen = Target(**target)
    with explaining_interruption(chosen):
        arn = _open(chosen).start()
    _report(arn, chosen, wait=wait, as_json=as_json)


def _open(target: Target) -> "WorkloadEndpoint":
    from headrace.pipeline.endpoints import WorkloadEndpoint
    from headrace.pipeline.golden import find_endpoint

    target.use_clients()
    return WorkloadEndpoint(
        find_endpoint(target.environment_name, target.recipe),
        machine=target.find_machine(),
        start_by=target.find_start(),
        group=target.group,
        wait=lambda: time.sleep(find_poll_seconds()),
    )


def _report(arn: str, target: Target, *, wait: bool, as_json: bool) -> None:
    if wait:
        report_end(*wait_for_end(arn, target), as_json=as_json)
    else:
        from headrace.pipeline.executions import read_execution

        click.echo(json.dumps(describe_execution(read_execution(arn)), indent=2) if as_json else arn)
