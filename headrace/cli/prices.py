"""`headrace prices`: today's prices, from AWS's price list."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from headrace.cli import progress


@click.command()
@click.option("--region", help="The Region to ask about.  [default: that of the prices that come along]")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("prices.json"),
    show_default=True,
    help="Where the prices go, for `headrace cost --prices`.",
)
def prices(region: str | None, output: Path) -> None:
    """Read today's prices from AWS's price list, and write them to a file.

    Asks the account that your AWS clients use, which needs `pricing:GetProducts` and nothing else; that is free. A
    price that is not found, or differs so much that it must be another product's, stays: standard error says which.
    In another Region than that of the prices that come along, such a price is left out, and `headrace cost` lists what
    it then cannot price.

    Example: headrace prices --region eu-west-1 -o prices.json && headrace cost --prices prices.json
    """
    import boto3

    from headrace.cost.price_list import API_REGION, refresh, write_prices
    from headrace.files import whole_file
    from headrace.inventory import usual_prices

    client: Any = boto3.client("pricing", region_name=API_REGION)
    known = usual_prices()
    with progress.step("read AWS's price list"):
        found = refresh(client, known, region or known.region, datetime.now(UTC).date())
    if len(found.kept) == len(known.prices):
        raise click.ClickException("AWS's price list has none of the prices, so nothing was written")
    with whole_file(output) as unfinished:
        unfinished.write_text(write_prices(found.prices), encoding="utf-8")
    for name, before, after in found.changed:
        click.echo(f"{name}\t{before:g}\t{after:g}")
    for name, reason in found.kept:
        click.echo(f"{name} {reason}", err=True)
