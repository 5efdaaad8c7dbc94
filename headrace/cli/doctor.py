"""`headrace doctor`: what would go wrong, before the first deployment."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headrace.checkout import require_checkout
from headrace.cli import progress
from headrace.cli.json_option import JSON_OPTION
from headrace.errors import as_shown

if TYPE_CHECKING:
    from headrace.doctor import Finding, Report


@click.command()
@click.option("--env", "environment", default="dev", show_default=True, help="The environment.")
@click.option("--profile", help="The AWS profile.  [default: that of your AWS clients]")
@click.option("--region", help="The Region.  [default: that of the app, else of your AWS clients]")
@click.option(
    "--assembly",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="What `cdk synth` wrote.  [default: the app is synthesized, which needs the checkout]",
)
@JSON_OPTION
@click.pass_context
def doctor(
    context: click.Context,
    environment: str,
    profile: str | None,
    region: str | None,
    assembly: Path | None,
    as_json: bool,
) -> None:
    """Find what would make a deployment, or an execution after it, fail.

    Looks at the programs of this machine, the settings, and the AWS account or the local cloud that your credentials
    lead to; changes nothing there. Without an account it says what it could not look at.

    Exits with 1 if it finds an error, and with 0 otherwise: warnings, and what it could not look at, do not count.

    Example: headrace doctor --env prod --region eu-west-1
    """
    if assembly is None:
        require_checkout("headrace doctor without --assembly")
    from headrace.doctor import Subject, examine

    with progress.step(f"examine {environment}"):
        report = examine(Subject(environment=environment, assembly=assembly, profile=profile, region=region))
    click.echo(_render_json(report) if as_json else _render(report, environment))
    context.exit(1 if report.has_errors else 0)


def _render(report: "Report", environment: str) -> str:
    place = f" in {report.place}" if report.place else ""
    if not report.findings:
        return f"Nothing is wrong with {environment}{place}."
    return "\n".join(map(_render_finding, report.findings))


def _render_finding(finding: "Finding") -> str:
    # Some of it is what AWS, or a program, has said.
    problem = "\n    ".join(map(as_shown, finding.problem.splitlines()))
    cure = [f"    → {finding.cure}"] if finding.cure else []
    return "\n".join([f"{finding.severity:>8}  {finding.check}: {finding.place}: {problem}", *cure])


def _render_json(report: "Report") -> str:
    findings = [finding.as_json() for finding in report.findings]
    return json.dumps({"place": report.place, "errors": report.has_errors, "findings": findings}, indent=2)
