"""`headrace teardown`: an environment and everything in it."""

import json
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from headrace import contract, regions
from headrace.cli import progress
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.region import read_region, use_region
from headrace.cli.tables import render_table

if TYPE_CHECKING:
    from headrace.deletion.phases import Outcome
    from headrace.deletion.planning import Plan


def _check_name(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    """One that no environment can have is misspelt, and not one of which nothing stands any more."""
    if not re.fullmatch(contract.ENVIRONMENT_NAME, name):
        raise click.BadParameter(f"{name!r} is not a name of an environment: up to 16 lower-case letters and digits")
    return name


@click.command()
@click.option("--env", "environment", required=True, callback=_check_name, help="The environment to delete.")
@click.option("--region", help="Where: by default the Region of the checkout's settings, or else of your AWS clients.")
@click.option("--dry-run", is_flag=True, help="Say what would be deleted, kept and left, and what it costs; no more.")
@click.option("--verify", is_flag=True, help="Say what is left that costs; no more. Exits with 1 if something is.")
@click.option("--yes", is_flag=True, help="Delete without asking; what holds data must then be named.")
@click.option(
    "--delete-data",
    "named",
    multiple=True,
    metavar="NAME",
    help="A bucket, file system, repository, key … to delete with what it holds, as --dry-run calls it; or a shell "
    "pattern. May be given several times. What outlives its stack is only deleted when it is named.",
)
@click.option("--unprotect", is_flag=True, help="Delete stacks although they are protected from being deleted.")
@JSON_OPTION
@click.pass_context
def teardown(
    context: click.Context,
    environment: str,
    region: str | None,
    dry_run: bool,
    verify: bool,
    yes: bool,
    named: tuple[str, ...],
    unprotect: bool,
    as_json: bool,
) -> None:
    """Delete an environment with everything in it, from the account that your AWS clients use.

    Says what it has, what that costs and what is kept on purpose, and asks for the environment's name. Interrupted,
    the same command resumes. It works in one Region: an environment of the same name in another stays.

    Example: headrace teardown --env dev
    """
    if dry_run and verify:
        raise click.UsageError("--dry-run looks before, and --verify after: give one of them")
    if region and region not in regions.list_regions():
        raise click.BadParameter(f"{region!r} is not a Region", param_hint="--region")
    use_region(region or read_region(environment))
    from headrace.deletion.planning import make_plan

    with progress.step("look for what stands"):
        plan = make_plan(environment, named)
    if verify:
        context.exit(_report_leftovers(plan, as_json))
    if dry_run:
        _show_plan(plan, as_json)
    elif plan.is_empty:
        _say_nothing(plan, as_json)
    else:
        context.exit(_delete(plan, yes=yes, unprotect=unprotect, as_json=as_json))


def _delete(plan: "Plan", *, yes: bool, unprotect: bool, as_json: bool) -> int:
    from headrace.deletion.phases import tear_down
    from headrace.deletion.planning import check_names, check_protection

    if not unprotect:
        check_protection(plan)
    for pattern in plan.list_unmatched():
        click.echo(f"--delete-data {pattern}: there is no data of that name (any more)", err=True)
    confirmed = plan if yes else _ask(plan)
    check_names(confirmed)
    return _report(confirmed, tear_down(confirmed, progress.step), as_json)


def _ask(plan: "Plan") -> "Plan":
    """Show what would go, and have the environment's name typed; the plan in which its data is named."""
    if not sys.stdin.isatty():
        raise click.UsageError(
            "there is no terminal to ask at; to delete without being asked, add --yes, and --delete-data for data"
        )
    from headrace.deletion.receipts import PLAN_HEADER, list_plan_rows
    from headrace.inventory import usual_prices

    click.echo(render_table(PLAN_HEADER, list_plan_rows(plan, usual_prices())), err=True)
    going = [item.name for item in plan.list_data() if plan.is_named(item) or not item.is_retained]
    if going:
        click.echo(f"The data in these is lost for good: {', '.join(going)}", err=True)
    typed = click.prompt(f"To delete '{plan.environment}' {_place()}, type its name", err=True, default="")
    if typed != plan.environment:
        raise click.ClickException("nothing was deleted")
    return replace(plan, named=(*plan.named, *going))


def _report(plan: "Plan", outcome: "Outcome", as_json: bool) -> int:
    from headrace.deletion.receipts import RECEIPT_HEADER, SHARED, list_receipt_rows, write_receipt
    from headrace.deletion.verifying import list_leftovers
    from headrace.inventory import usual_prices

    left = outcome.left
    found = [each for each in list_leftovers(left, usual_prices()) if each.item not in left.kept] if left else []
    if as_json:
        click.echo(json.dumps(write_receipt(plan, outcome, found), indent=2))
    else:
        click.echo(render_table(RECEIPT_HEADER, list_receipt_rows(plan, outcome)))
        click.echo(SHARED)
    if not left:
        click.echo(f"whether anything is left could not be seen: {outcome.unseen}. Look with --verify", err=True)
    if standing := dict.fromkeys([*(each.name for each in outcome.ledger.failed), *(each.item.name for each in found)]):
        click.echo(
            f"the environment '{plan.environment}' is not deleted whole; these stand: {', '.join(standing)}. "
            "Mend what they say and run the command again: it resumes",
            err=True,
        )
    return 1 if standing or not left else 0


def _say_nothing(plan: "Plan", as_json: bool) -> None:
    if as_json:
        _show_plan(plan, as_json)
    click.echo(f"nothing of the environment '{plan.environment}' stands {_place()}; look with --region", err=True)
    for item in plan.kept:
        click.echo(f"kept on purpose, until it is named with --delete-data: {item.name}", err=True)


def _show_plan(plan: "Plan", as_json: bool) -> None:
    from headrace.deletion.receipts import PLAN_HEADER, SHARED, list_plan_rows, write_plan
    from headrace.inventory import usual_prices

    if as_json:
        click.echo(json.dumps(write_plan(plan, usual_prices()), indent=2))
        return
    click.echo(render_table(PLAN_HEADER, list_plan_rows(plan, usual_prices())))
    click.echo(SHARED)


def _report_leftovers(plan: "Plan", as_json: bool) -> int:
    from headrace.deletion.receipts import LEFTOVER_HEADER, list_leftover_rows, write_leftovers
    from headrace.deletion.verifying import list_leftovers
    from headrace.inventory import usual_prices

    leftovers = list(list_leftovers(plan, usual_prices()))
    if as_json:
        click.echo(json.dumps(write_leftovers(leftovers), indent=2))
    elif leftovers:
        click.echo(render_table(LEFTOVER_HEADER, list_leftover_rows(leftovers)))
        click.echo(f"standing: {sum(each.monthly for each in leftovers):,.2f} USD a month, and what is in them")
    else:
        click.echo(f"nothing of '{plan.environment}' that costs is left {_place()}")
    if plan.unclaimed:
        names = ", ".join(item.name for item in plan.unclaimed)
        click.echo(
            f"logs of endpoints that are gone, which may have been of '{plan.environment}' or of another: {names}. "
            "Delete them with aws logs delete-log-group --log-group-name NAME",
            err=True,
        )
    return 1 if leftovers else 0


def _place() -> str:
    import boto3

    return f"in {boto3.Session().region_name}"
