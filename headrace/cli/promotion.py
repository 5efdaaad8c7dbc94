"""`headrace pipeline promote`: the same version of a model in the next environment."""

import json
from typing import TYPE_CHECKING, Any, Final

import click

from headrace.cli import progress
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.pipeline_options import Target, with_workload
from headrace.cli.region import read_region
from headrace.cli.tables import render_table
from headrace.errors import as_shown

if TYPE_CHECKING:
    from headrace.pipeline.versions import Version
    from headrace.promotion.planning import Plan

_SESSION_NAME: Final = "headrace-promote"


@click.command()
@click.argument("version")
@with_workload
@click.option("--to", "to_environment", required=True, help="The environment that it goes to.")
@click.option("--to-region", help="Where that is.  [default: the Region of its settings, or else the same]")
@click.option("--to-profile", help="The profile of your AWS clients for its account.  [default: the same]")
@click.option("--to-role", metavar="ARN", help="The role to assume in its account.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@JSON_OPTION
def promote(
    *,
    version: str,
    to_environment: str,
    to_region: str | None,
    to_profile: str | None,
    to_role: str | None,
    dry_run: bool,
    as_json: bool,
    **target: Any,
) -> None:
    """Take an approved version to the next environment as it is, where it waits for approval.

    VERSION is its number or its ARN. Its container images are copied by their digests, its archive, its record and its
    golden requests as they are; nothing is built or trained. What is there already is not copied again, so a promotion
    that was interrupted goes on.

    Example: headrace pipeline promote 7 --env dev --to prod --to-profile production
    """
    import boto3

    from headrace.pipeline.versions import Registry
    from headrace.promotion.planning import plan_promotion
    from headrace.promotion.promoting import find_promoted
    from headrace.promotion.promoting import promote as carry_out
    from headrace.promotion.sites import Site

    chosen = Target(**target)
    if to_profile and to_role:
        raise click.UsageError("give either --to-profile or --to-role")
    if chosen.environment_name == to_environment and not any((to_region, to_profile, to_role)):
        raise click.UsageError(f"--to: the version is in '{to_environment}' already")
    chosen.use_clients()
    source = Site(boto3.Session(), chosen.environment_name, chosen.recipe)
    region = to_region or read_region(to_environment) or source.session.region_name
    there = Site(_open_session(source.session, to_profile, to_role, region), to_environment, chosen.recipe)
    versions = Registry(source.group, source.client("sagemaker"), with_endpoints=False)
    plan = plan_promotion(source, there, versions.find(version))
    made = find_promoted(plan, there) if dry_run else carry_out(plan, there, progress.step)
    click.echo(_write(plan, made, is_dry=dry_run) if as_json else _render(plan, made, is_dry=dry_run))
    if made and not dry_run:
        click.echo(
            f"it serves once it is approved: headrace pipeline approve {made.number} --env {to_environment} "
            f"--workload {chosen.recipe}",
            err=True,
        )


def _open_session(source: Any, profile: str | None, role: str | None, region: str) -> Any:
    import boto3

    if not role:
        return boto3.Session(profile_name=profile, region_name=region)
    lent = source.client("sts").assume_role(RoleArn=role, RoleSessionName=_SESSION_NAME)["Credentials"]
    return boto3.Session(
        aws_access_key_id=lent["AccessKeyId"],
        aws_secret_access_key=lent["SecretAccessKey"],
        aws_session_token=lent["SessionToken"],
        region_name=region,
    )


def _render(plan: "Plan", made: "Version | None", *, is_dry: bool) -> str:
    rows = [
        [step.kind, as_shown(step.target), step.note or _say(is_done=step.is_done, is_dry=is_dry)]
        for step in plan.steps
    ]
    name = f"version {made.number}" if made else "a new version"
    rows.append(["version", f"{plan.request['ModelPackageGroupName']}: {name}", _say_made(made, is_dry=is_dry)])
    return render_table(["what", "where", "state"], rows)


def _say(*, is_done: bool, is_dry: bool) -> str:
    if is_done:
        return "was there"
    return "to be copied" if is_dry else "copied"


def _say_made(made: "Version | None", *, is_dry: bool) -> str:
    if made is None:
        return "to be made"
    return "was there" if is_dry else made.status


def _write(plan: "Plan", made: "Version | None", *, is_dry: bool) -> str:
    return json.dumps(
        {
            "from": plan.version.arn,
            "modelPackageArn": made.arn if made else None,
            "version": made.number if made else None,
            "dryRun": is_dry,
            "imageDigests": dict(plan.digests),
            "steps": [
                {
                    "what": step.kind,
                    "source": step.source,
                    "target": step.target,
                    "state": step.note or _say(is_done=step.is_done, is_dry=is_dry),
                }
                for step in plan.steps
            ],
        },
        indent=2,
    )
