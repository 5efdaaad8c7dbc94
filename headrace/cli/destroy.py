"""`headrace destroy`: an environment and everything in it."""

import re
import sys

import click

from headrace import contract, regions
from headrace.cli import progress
from headrace.cli.region import read_region, use_region
from headrace.cli.tables import render_table


def _check_name(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    """One that no environment can have is misspelt, and not one of which nothing stands any more."""
    if not re.fullmatch(contract.ENVIRONMENT_NAME, name):
        raise click.BadParameter(f"{name!r} is not a name of an environment: up to 16 lower-case letters and digits")
    return name


@click.command()
@click.option("--env", "environment", required=True, callback=_check_name, help="The environment to delete.")
@click.option("--region", help="Where: by default the Region of the checkout's settings, or else of your AWS clients.")
@click.option("--yes", is_flag=True, help="Delete without asking.")
def destroy(environment: str, region: str | None, yes: bool) -> None:
    """Delete an environment with everything in it, from the account that your AWS clients use.

    Says what it holds and asks first. Refuses an environment that keeps its data (retain_data). Interrupted, the same
    command resumes. It works in one Region: an environment of the same name in another stays.

    Example: headrace destroy --env dev
    """
    if region and region not in regions.list_regions():
        raise click.BadParameter(f"{region!r} is not a Region", param_hint="--region")
    use_region(region or read_region(environment))
    import boto3

    from headrace.deletion.environment import delete_environment, find_doomed

    with progress.step("look for what stands"):
        doomed = find_doomed(environment)
    place = f"in {boto3.Session().region_name}"
    if not doomed.stacks:
        click.echo(f"no stack of the environment '{environment}' stands {place}; look with --region", err=True)
        return
    if not yes:
        _ask(f"'{environment}' {place}", [*doomed.describe(), *(("stack", stack.name, "") for stack in doomed.stacks)])
    delete_environment(doomed, progress.step)
    click.echo(f"the environment '{environment}' is deleted")


def _ask(what: str, rows: list[tuple[str, str, str]]) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask at; to delete without being asked, add --yes")
    click.echo(render_table(("what", "name", "holds"), rows), err=True)
    if not click.confirm(f"Delete all of the environment {what} for good?", err=True):
        raise click.ClickException("nothing was deleted")
