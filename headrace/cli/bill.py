"""`headrace local bill`: what AWS would have charged for what was used of the local cloud."""

import json
from dataclasses import asdict

import click

from headrace.cli.checkout_commands import LocalCommand
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.tables import render_table
from headrace.inventory.prices import usual_prices
from headrace.local.bill import LEAST_USD, Bill
from headrace.local.engine.moving import write_time
from headrace.local.platform.bill import read_bill
from headrace.local.platform.running import Folders, use_running_cloud
from headrace.wording import counted


@click.command(cls=LocalCommand)
@JSON_OPTION
@click.pass_obj
def bill(folders: Folders, as_json: bool) -> None:
    """Show what AWS would have charged for what was used of the local cloud, on its clock.

    Jobs by the second and instance, endpoints while they stand, transitions of state machines, functions, requests to
    S3, storage, logs, alarms and keys, at list prices without a free tier.

    Example: headrace local bill
    """
    made = read_bill(use_running_cloud(folders), usual_prices())
    click.echo(_write(made) if as_json else _render(made))
    for missing in made.unpriced:
        click.echo(f"no price is known: {missing}", err=True)


def _write(made: Bill) -> str:
    lines = [asdict(line) for line in made.lines]
    return json.dumps(
        {"since": write_time(made.since), "until": write_time(made.until), "usd": made.usd, "lines": lines}, indent=2
    )


def _render(made: Bill) -> str:
    rows = [
        [line.thing, f"{line.quantity:,.3f} {line.unit}", "?" if line.usd is None else f"{line.usd:,.2f}"]
        for line in made.dear
    ]
    if cheap := made.cheap:
        rest = sum(line.usd or 0 for line in cheap)
        rows += [[f"{counted(len(cheap), 'line')} below {LEAST_USD} USD", "", f"{rest:,.2f}"]]
    rows += [[f"{write_time(made.since)} to {write_time(made.until)}", "", f"{made.usd:,.2f}"]]
    return render_table(["thing", "quantity", "USD"], rows, numbers={1, 2})
