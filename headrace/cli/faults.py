"""`headrace local faults`: have the local cloud do something wrong, to see what becomes of it."""

import json
from typing import Any

import click

from headrace.cli.checkout_commands import LocalGroup
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.tables import render_table
from headrace.local.faults import PRESETS
from headrace.local.platform.faults import CloudFaults
from headrace.local.platform.running import Folders, use_running_cloud


@click.group(cls=LocalGroup)
def faults() -> None:
    """Have calls on the local cloud fail, jobs end badly, endpoints never be healthy."""


@faults.command(
    "add",
    epilog="Faults: " + "; ".join(f"{name}: {preset.code or preset.effect}" for name, preset in PRESETS.items()) + ". ",
)
@click.argument("fault", metavar="FAULT")
@click.option("--operation", required=True, metavar="SERVICE:OPERATION", help="Which calls meet it.")
@click.option("--resource", default="*", help="A pattern for a name in the request, such as 'run-*'.  [default: any]")
@click.option("--state", default="*", help="A pattern for the state whose task calls.  [default: any caller]")
@click.option("--times", type=click.IntRange(1), default=1, show_default=True, help="How many calls meet it.")
@click.option("--skip", type=click.IntRange(0), default=0, show_default=True, help="How many calls are spared before.")
@click.option("--code", default="", help="The error's code.  [default: the fault's]")
@click.option("--message", default="", help="The error's message.  [default: the fault's]")
@JSON_OPTION
@click.pass_obj
def add(folders: Folders, /, fault: str, operation: str, *, as_json: bool, **options: Any) -> None:
    """Have the next calls of an operation meet FAULT, no matter who makes them.

    Example: headrace local faults add throttle --operation sagemaker:CreateTrainingJob --times 2
    """
    added = CloudFaults(use_running_cloud(folders)).add(fault, operation, **options)
    click.echo(json.dumps(added, indent=2) if as_json else _render([added]))


@faults.command("list")
@JSON_OPTION
@click.pass_obj
def list_faults(folders: Folders, as_json: bool) -> None:
    """Show which faults wait for their calls, and which have met them."""
    found = CloudFaults(use_running_cloud(folders)).list()
    if as_json:
        click.echo(json.dumps(found, indent=2))
    elif found:
        click.echo(_render(found))
    else:
        click.echo("no faults", err=True)


@faults.command()
@click.pass_obj
def clear(folders: Folders) -> None:
    """Forget all faults: from now on every call goes well again."""
    cleared = CloudFaults(use_running_cloud(folders)).clear()
    click.echo(f"{cleared} of the faults were still waiting", err=True)


def _render(found: list[dict[str, Any]]) -> str:
    rows = [
        [
            fault["preset"],
            fault["operation"],
            fault["resource"],
            fault["state"],
            str(fault["skip"]),
            f"{fault['left']}/{fault['times']}",
        ]
        for fault in found
    ]
    return render_table(["fault", "operation", "resource", "state", "skip", "left"], rows, numbers={4, 5})
