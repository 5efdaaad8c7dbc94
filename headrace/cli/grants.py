"""`headrace grants`: what the keepers of existing buckets, keys and repositories must allow."""

import json
from pathlib import Path

import click

from headrace.cli.assembly_option import ASSEMBLY_OPTION


@click.command()
@click.option("--account", required=True, help="The account that the environment is deployed to.")
@click.option("--region", help="Its Region: needed where the synthesized app names none.")
@ASSEMBLY_OPTION
def grants(account: str, region: str | None, assembly: Path) -> None:
    """Print what the policy of each existing bucket, key and repository must allow, by its ARN.

    Add the statements to the policy that stands: they do not replace it, and a key's must go on admitting its keeper.

    Generated from the roles that use them, and needs no account. It allows the account what its roles do on them;
    which of its roles may, and under which conditions on objects, is the account's own matter.

    Example: make synth ENV=prod && headrace grants --account 123456789012
    """
    from headrace.assemblies import read_folder
    from headrace.grants import Account, list_grants

    app = read_folder(assembly)
    if region and app.region and region != app.region:
        raise click.UsageError(f"the app in {assembly} is for {app.region}, not {region}")
    where = region or app.region
    if where is None:
        raise click.UsageError(f"the app in {assembly} names no Region: add --region")
    found = list_grants(app, Account(account, where))
    if not found:
        click.echo("the settings name nothing that exists already, so there is nothing to allow", err=True)
        return
    click.echo(json.dumps(found, indent=2))
