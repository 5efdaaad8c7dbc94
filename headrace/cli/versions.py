"""`headrace pipeline versions` and what is done to versions of a model: approved, rejected, gone back to, compared."""

import json
import time
from typing import TYPE_CHECKING, Any, Final

import click

from headrace.cli import progress
from headrace.cli.following import explaining_interruption, find_poll_seconds, report_end, wait_for_end
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.pipeline_options import Target, with_workload
from headrace.errors import as_shown

if TYPE_CHECKING:
    from headrace.pipeline.versions import Registry, Version

# How long an approval may take to start an execution.
_START_SECONDS: Final = 120
_WAIT: Final = click.option("--wait", is_flag=True, help="Wait until the version serves, and exit with 0 only then.")
_REASON: Final = click.option("--reason", default="", help="Why, for those who look at it.")


@click.command()
@with_workload
@click.option("--most", type=click.IntRange(min=1), default=20, show_default=True, help="How many to list.")
@JSON_OPTION
def versions(*, most: int, as_json: bool, **target: Any) -> None:
    """List the versions of a workload's model, the latest first.

    Example: headrace pipeline versions --env prod
    """
    from headrace.cli.version_report import describe_version, render_versions

    found = _open(Target(**target)).list_versions(most)
    click.echo(json.dumps(list(map(describe_version, found)), indent=2) if as_json else render_versions(found))


@click.command()
@click.argument("version")
@with_workload
@_REASON
@_WAIT
@JSON_OPTION
def approve(*, version: str, reason: str, wait: bool, as_json: bool, **target: Any) -> None:
    """Approve a version, which is then served.

    VERSION is its number or its ARN. The approval starts an execution. One that serves already is served again where
    the settings of the endpoint have changed since.

    Example: headrace pipeline approve 7 --wait
    """
    chosen = Target(**target)
    _serve(chosen, _open(chosen).find(version), reason, wait=wait, as_json=as_json)


@click.command()
@click.argument("version")
@with_workload
@_REASON
def reject(*, version: str, reason: str, **target: Any) -> None:
    """Reject a version; what serves it goes on.

    VERSION is its number or its ARN.

    Example: headrace pipeline reject 7 --reason "worse in small shops"
    """
    from headrace.pipeline.versions import REJECTED

    registry = _open(Target(**target))
    found = registry.find(version)
    if found.status == REJECTED:
        click.echo(f"version {found.number} is rejected already", err=True)
    registry.judge(found, REJECTED, reason)
    if found.endpoints:
        click.echo(
            f"version {found.number} still serves at {', '.join(map(as_shown, found.endpoints))}; "
            "serve another with: headrace pipeline rollback",
            err=True,
        )


@click.command()
@with_workload
@click.option(
    "--to", "version", metavar="VERSION", help="The version to go back to.  [default: the one that served before]"
)
@click.option("--endpoint", help="Where, if versions serve at several endpoints.")
@_REASON
@_WAIT
@JSON_OPTION
def rollback(
    *, version: str | None, endpoint: str | None, reason: str, wait: bool, as_json: bool, **target: Any
) -> None:
    """Serve again the version that served before the one that serves now.

    Of the versions made before that one, it is the one that has served last. Going back once more goes further back.
    While the endpoint is stopped, the one that served there last counts as the one that serves.

    Example: headrace pipeline rollback --wait
    """
    if version and endpoint:
        raise click.UsageError("give either --to or --endpoint")
    chosen = Target(**target)
    registry = _open(chosen)
    place = ""
    if version:
        found = registry.find(version)
    else:
        serving, found, place = registry.find_earlier(endpoint)
        now = "serves" if serving.endpoints else "served last, and its endpoint is stopped"
        click.echo(f"version {serving.number} {now}; going back to version {found.number}", err=True)
    _serve(chosen, found, reason, endpoint=place, wait=wait, as_json=as_json)


@click.command()
@click.argument("before")
@click.argument("after")
@with_workload
@JSON_OPTION
def compare(*, before: str, after: str, as_json: bool, **target: Any) -> None:
    """Say what is different between two versions: data, lists by class, hyperparameters, metrics, confusion, programs.

    BEFORE and AFTER are their numbers or their ARNs.

    Example: headrace pipeline compare 6 7
    """
    from headrace.cli.version_report import describe_comparison, render_comparison
    from headrace.pipeline.comparison import compare_versions
    from headrace.pipeline.records import Records

    registry = _open(Target(**target))
    found = compare_versions(registry.find(before), registry.find(after), Records())
    click.echo(json.dumps(describe_comparison(found), indent=2) if as_json else render_comparison(found))


VERSION_COMMANDS: Final = (versions, approve, reject, rollback, compare)


def _open(target: Target) -> "Registry":
    from headrace.pipeline.versions import Registry

    target.use_clients()
    return Registry(target.group)


def _serve(target: Target, version: "Version", reason: str, *, endpoint: str = "", wait: bool, as_json: bool) -> None:
    """Approve a version; where it is approved already, that need not be an event, so an execution is started."""
    from headrace.pipeline.versions import APPROVED, Deployments, Registry, start_serving

    if version.status == APPROVED and version.endpoints:
        click.echo(
            f"version {version.number} serves already at {', '.join(map(as_shown, version.endpoints))}; an execution "
            "updates that where it differs from its settings",
            err=True,
        )
    deployments = Deployments(target.find_machine(), lambda: time.sleep(find_poll_seconds()))
    if version.status == APPROVED:
        with explaining_interruption(target):
            arn = start_serving(target.find_start(), version, endpoint)
    else:
        Registry(target.group).judge(version, APPROVED, reason)
        if not wait:
            return
        with progress.step("wait for the execution that the approval starts"):
            arn = deployments.find_started(version, _START_SECONDS)
    if wait:
        report_end(*wait_for_end(arn, target), as_json=as_json)
    else:
        click.echo(arn)
