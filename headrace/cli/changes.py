"""`headrace changes`: what a deployment would do to what stands, before anything happens."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import click

from headrace.assemblies import Assembly, read_deployed, read_folder
from headrace.assemblies.assembly import list_imports
from headrace.changes import Plan, make_plan
from headrace.changes.planning import BOTH_REFERENCES
from headrace.checkout import require_checkout
from headrace.cli import progress
from headrace.cli.json_option import JSON_OPTION

_Folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("old", type=_Folder, required=False)
@click.argument("new", type=_Folder, required=False)
@click.option("--env", "environment", default="dev", show_default=True, help="The environment.")
@JSON_OPTION
@click.pass_context
def changes(context: click.Context, old: Path | None, new: Path | None, environment: str, as_json: bool) -> None:
    """Say what a deployment would do to what stands, and the commands for it in their order.

    OLD and NEW are folders that `cdk synth --output` wrote. Without NEW, the app is synthesized, which needs the
    checkout; without OLD, it is compared with the stacks of the account, or of the local cloud, that your AWS
    credentials lead to. Nothing is changed there.

    Exits with 1 if something is replaced, deleted with what it holds, left over or refused, and with 0 otherwise.

    Example: headrace changes --env prod
    """
    wanted = read_folder(new) if new else _synthesize(environment)
    standing = read_folder(old) if old else _read_account(environment, wanted)
    between = _synthesize(environment, BOTH_REFERENCES) if not new and _is_weakened(standing, wanted) else None
    plan = make_plan(standing, wanted, between=between)
    commands = plan.list_commands(None if new else environment)
    click.echo(_render_json(plan, commands) if as_json else _render(plan, commands))
    context.exit(1 if plan.is_dangerous else 0)


def _synthesize(environment: str, *context: str) -> Assembly:
    require_checkout("headrace changes without NEW")
    from headrace.local.platform.deployment import start_synthesis

    # Functions differ by where they are to run.
    target = "host" if os.environ.get("AWS_ENDPOINT_URL") else "graviton"
    with (
        tempfile.TemporaryDirectory() as scratch,
        progress.step("synthesize the app"),
        start_synthesis(environment, Path(scratch) / "assembly", *context, target=target) as synthesis,
    ):
        synthesis.finish()
        return read_folder(Path(scratch) / "assembly")


def _read_account(environment: str, wanted: Assembly) -> Assembly:
    """What stands where the app is to be, or else where the AWS clients lead."""
    import boto3

    usual = boto3.Session().region_name
    with progress.step("read the stacks"):
        for region in dict.fromkeys([wanted.region or usual, usual or wanted.region]):
            client: Any = boto3.client("cloudformation", region_name=region)
            if (standing := read_deployed(client, environment, wanted.stack_names)).templates:
                break
    return standing


def _is_weakened(old: Assembly, new: Assembly) -> bool:
    """Whether stacks go from exports, which lock each other, to references that do not."""
    return any(map(list_imports, old.templates.values())) and not any(map(list_imports, new.templates.values()))


def _render(plan: Plan, commands: list[str]) -> str:
    findings = [f"{finding.effect:>17}  {finding}" for finding in plan.findings]
    monthly = sum(finding.monthly for finding in plan.findings)
    bill = [f"What is left costs about {monthly:.0f} USD a month as long as it stands."] if monthly >= 1 else []
    nothing = [] if findings else ["Nothing is replaced, deleted with what it holds, or left over."]
    order = ["No order of deployments does it. What comes nearest:" if plan.fails else "In this order:"]
    return "\n".join([*findings, *bill, *nothing, *order, *(f"  {command}" for command in commands)])


def _render_json(plan: Plan, commands: list[str]) -> str:
    findings: list[dict[str, Any]] = [
        {
            "effect": finding.effect,
            "stack": finding.stack,
            "resource": finding.resource,
            "type": finding.kind,
            "text": finding.text,
            "monthly_usd": finding.monthly,
        }
        for finding in plan.findings
    ]
    return json.dumps({"dangerous": plan.is_dangerous, "findings": findings, "commands": commands}, indent=2)
