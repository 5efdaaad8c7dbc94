"""`headrace cost`: what a platform costs while it stands, for each execution, and for one that was recorded."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from headrace.cli import progress
from headrace.cli.assembly_option import ASSEMBLY_OPTION
from headrace.cli.json_option import JSON_OPTION

if TYPE_CHECKING:
    from headrace.assemblies import Assembly
    from headrace.cost.recorded import Recorded
    from headrace.cost.report import Report
    from headrace.cost.sizing import Advice
    from headrace.inventory import Item, PriceList

_SCENARIOS: Final = ("low", "moderate", "high")
# What is shown instead of a report, and the other options that this heeds, by the names of their parameters.
_HEEDED: Final = {
    "bill": ("environment", "as_json"),
    "execution": ("known", "prices_file", "as_json"),
    "choices": ("assembly", "scenario", "assume", "prices_file", "as_json"),
    "compare": ("assembly", "environment", "assume", "max_standing", "svg", "prices_file", "as_json"),
}
_SHOWN: Final = 5
_File = click.Path(exists=True, dir_okay=False, path_type=Path)
_Folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@ASSEMBLY_OPTION
@click.option("--env", "environment", help="Look at what stands of this environment in the account, instead.")
@click.option(
    "--scenario",
    type=click.Choice(_SCENARIOS),
    default="moderate",
    show_default=True,
    help="Whose run cost is shown line by line.",
)
@click.option("--assume", multiple=True, metavar="NAME=NUMBER", help="Another assumption, in every scenario.")
@click.option("--choices", is_flag=True, help="Compare what people choose between, in the scenario, instead.")
@click.option("--compare", type=_Folder, metavar="OTHER", help="Say in Markdown what changed since this app.")
@click.option("--max-standing", type=click.FloatRange(min=0), metavar="USD", help="Fail if more stands, a month.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Draw a chart into this file.")
@click.option("--execution", metavar="RUN[@SIZE]", help="Say what this execution has cost: its ARN, or a file.")
@click.option("--known", multiple=True, metavar="RUN@SIZE", help="With --execution: predict it from these.")
@click.option("--bill", is_flag=True, help="With --env: show what AWS has billed this month, instead; costs 0.01.")
@click.option("--prices", "prices_file", type=_File, help="Take these prices; `headrace prices` writes them.")
@JSON_OPTION
@click.pass_context
def cost(
    context: click.Context,
    /,
    *,
    execution: str | None,
    known: tuple[str, ...],
    prices_file: Path | None,
    **options: Any,
) -> None:
    """Say what a platform costs: a month while nothing runs, an execution, and a month with use.

    Reads the app that `cdk synth` wrote, which needs no account; with --env, what stands in the account that your AWS
    clients use, with what is in it. What it cannot price, it lists. List prices in US dollars, without any free tier.

    With --execution, says what one has cost: the seconds that its jobs were billed for, by their price. A file has what
    `aws stepfunctions get-execution-history --include-execution-data` or `aws sagemaker describe-training-job` prints.
    With --known for two others and how much data each was over, it says what would have been predicted.

    With an ARN or --env, says too which machines of its jobs or endpoints would have done with a smaller type.

    Exits with 1 if more than --max-standing stands, or something cannot be priced while that is asked for.

    Example: make synth ENV=prod && headrace cost --max-standing 250
    """
    given = _check_options(context)
    if options["bill"]:
        click.echo(_report_bill(options["environment"], as_json=options["as_json"]))
        return
    prices = _read_prices(prices_file)
    if execution:
        click.echo(_report_execution(execution, known, prices, as_json=options["as_json"]))
        return
    if options["choices"]:
        app = _read_app(options["assembly"]) if "assembly" in given or options["assembly"].is_dir() else None
        click.echo(_report_choices(options["scenario"], app, options["assume"], prices, as_json=options["as_json"]))
        return
    report = _read_report(options["assembly"], options["environment"], options["assume"], prices)
    _draw(report, options["svg"])
    if options["compare"]:
        before = _read_report(options["compare"], None, options["assume"], prices)
        click.echo(_render_comparison(before, report, as_json=options["as_json"]))
    else:
        advice = _advise_endpoints(report) if options["environment"] else None
        click.echo(_render(report, options["scenario"], advice, as_json=options["as_json"]))
    _warn(report)
    context.exit(_judge(report, options["max_standing"]))


def _check_options(context: click.Context) -> set[str]:
    """The names of the parameters that are given; refuses those that would do nothing."""
    flags = {each.name: each.opts[-1] for each in context.command.params if each.name}
    given = {name for name in flags if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    mode = next((name for name in _HEEDED if name in given), None)
    if mode is None and "known" in given:
        raise click.UsageError("--known does nothing without --execution")
    if mode and (idle := [flags[name] for name in flags if name in given - {mode, *_HEEDED[mode]}]):
        raise click.UsageError(f"{' and '.join(idle)} does nothing with {flags[mode]}")
    return given


def _read_prices(path: Path | None) -> "PriceList":
    from headrace.inventory import read_prices, usual_prices

    prices, today = read_prices(path) if path else usual_prices(), datetime.now(UTC).date()
    if prices.is_old(today):
        click.echo(
            f"the prices of {prices.region} were checked on {prices.checked}: `headrace prices` reads today's", err=True
        )
    elif old := prices.list_old(today):
        click.echo(f"not compared with AWS's price list for half a year: {', '.join(old)}", err=True)
    return prices


def _read_report(assembly: Path, environment: str | None, assume: tuple[str, ...], prices: "PriceList") -> "Report":
    from headrace.cost.report import make_report
    from headrace.cost.scenarios import choose_scenario, find_settings

    if environment is None:
        app = _read_app(assembly)
        items = _list_items(app)
    else:
        items, app = _read_living(environment)
    if app.region not in (None, prices.region):
        click.echo(f"it is for {app.region}, and these are the prices of {prices.region}", err=True)
    # CloudFormation takes no update of metadata alone, so that what is synthesized may know better.
    settings = find_settings((_find_synthesized(assembly, environment) if environment else app) or app)
    scenarios = {name: choose_scenario(name, settings, assume) for name in _SCENARIOS}
    return make_report(items, prices, scenarios, environment or _find_environment(app))


def _find_synthesized(assembly: Path, environment: str) -> "Assembly | None":
    """What is synthesized of an environment that stands; nothing where that is another's, or cannot be read."""
    from headrace.assemblies import AssemblyError

    if not assembly.is_dir():
        return None
    try:
        app = _read_app(assembly)
        fault = "" if (found := _find_environment(app)) == environment else f"it is of '{found}'"
    except AssemblyError as error:
        fault = str(error)
    if fault:
        click.echo(f"the scenarios are those that were deployed, not those of {assembly}: {fault}", err=True)
        return None
    return app


def _find_environment(app: "Assembly") -> str:
    """Whose app it is, as its stacks are named."""
    found = (re.fullmatch(r"headrace-([a-z0-9]+)-[a-z0-9]+", name) for name in app.stack_names.values())
    return next((match[1] for match in found if match), "")


def _read_app(assembly: Path) -> "Assembly":
    from headrace.assemblies import read_folder

    if not assembly.is_dir():
        raise click.UsageError(
            f"{assembly} is not there; make it with 'make synth ENV=…' or 'cdk synth --context env=…', or name with "
            "--env an environment that stands"
        )
    return read_folder(assembly)


def _list_items(app: "Assembly") -> "list[Item]":
    from headrace.inventory import list_items

    return list(list_items(app))


def _read_living(environment: str) -> "tuple[list[Item], Assembly]":
    import boto3

    from headrace.assemblies import read_deployed
    from headrace.cli.region import read_region, use_region
    from headrace.cost.standing import read_living

    use_region(read_region(environment))
    session: Any = boto3.Session()
    with progress.step("look at what stands"):
        app = read_deployed(session.client("cloudformation"), environment, {})
        items = read_living(session, environment)
    if not items:
        raise click.ClickException(
            f"nothing of the environment '{environment}' stands in this account and Region ({session.region_name})"
        )
    return items, app


def _draw(report: "Report", svg: Path | None) -> None:
    if svg is None:
        return
    from headrace.cost.chart import draw
    from headrace.files import whole_file

    with whole_file(svg) as unfinished:
        unfinished.write_text(draw(report, f"What {report.environment or 'it'} costs"), encoding="utf-8")


def _advise_endpoints(report: "Report") -> "list[Advice]":
    from headrace.inventory.run_time import ENDPOINT

    endpoints = [each.item for each in report.priced if each.item.kind == ENDPOINT]
    if not endpoints:
        return []
    import boto3

    from headrace.cost.measured import advise_endpoints

    with progress.step("look at what endpoints have used"):
        return advise_endpoints(boto3.Session(), endpoints, report.prices, datetime.now(UTC))


def _render(report: "Report", scenario: str, advice: "list[Advice] | None", *, as_json: bool) -> str:
    from headrace.cli.cost_report import describe_advice, render_advice, render_report
    from headrace.cost.writing import describe_report

    if as_json:
        return json.dumps(describe_report(report) | describe_advice(advice), indent=2)
    parts = [render_report(report, scenario), *([render_advice(advice)] if advice else [])]
    return "\n\n".join(parts)


def _render_comparison(before: "Report", after: "Report", *, as_json: bool) -> str:
    from headrace.cost.comparison import compare, write_comment

    return json.dumps(compare(before, after), indent=2) if as_json else write_comment(before, after)


def _report_bill(environment: str | None, *, as_json: bool) -> str:
    import boto3

    from headrace.cli.cost_report import render_bill
    from headrace.cost.billed import API_REGION, read_bill

    if environment is None:
        raise click.UsageError("--bill is of an environment: add --env")
    client: Any = boto3.client("ce", region_name=API_REGION)
    with progress.step("ask Cost Explorer"):
        billed = read_bill(client, environment, datetime.now(UTC).date())
    if not billed:
        click.echo(
            f"nothing is billed to the tags {_show_tags(environment)} this month; are they active "
            "cost-allocation tags, and those of the settings?",
            err=True,
        )
    return render_bill(billed, as_json=as_json)


def _show_tags(environment: str) -> str:
    from headrace import contract

    return ", ".join(f"{key}={value}" for key, value in contract.default_tags(environment).items())


def _report_choices(
    name: str, app: "Assembly | None", assume: tuple[str, ...], prices: "PriceList", *, as_json: bool
) -> str:
    from headrace.cli.cost_report import render_choices
    from headrace.cost.choices import list_choices
    from headrace.cost.scenarios import choose_scenario, find_settings

    scenario = choose_scenario(name, find_settings(app) if app else {}, assume)
    return render_choices(list(list_choices(scenario, prices)), as_json=as_json)


def _report_execution(run: str, known: tuple[str, ...], prices: "PriceList", *, as_json: bool) -> str:
    from headrace.cli.cost_report import render_recorded
    from headrace.cost.prediction import predict

    recorded, size = _read_run(run)
    advice = _advise_jobs(recorded, prices) if run.startswith("arn:") else None
    if not known:
        return render_recorded(recorded, None, prices, advice, as_json=as_json)
    others = [_read_run(each) for each in known]
    if size is None or any(amount is None for _, amount in others):
        raise click.UsageError("a prediction needs how much data each execution was over: RUN@SIZE, in any unit")
    predicted = predict("predicted", size, [(other, amount) for other, amount in others if amount is not None])
    return render_recorded(recorded, predicted, prices, advice, as_json=as_json)


def _advise_jobs(recorded: "Recorded", prices: "PriceList") -> "list[Advice]":
    import boto3

    from headrace.cost.measured import advise_jobs

    with progress.step("look at what its machines have used"):
        return advise_jobs(boto3.Session(), recorded.jobs, prices)


def _read_run(run: str) -> "tuple[Recorded, float | None]":
    """What an execution has used, and how much data it was over where that is said."""
    from headrace.cost.recorded import read_recorded

    name, _, size = run.rpartition("@")
    # A folder's name may have the sign, too.
    if not name or "/" in size or Path(run).is_file():
        name, size = run, ""
    try:
        amount = float(size) if size else None
    except ValueError:
        raise click.UsageError(f"{run}: '{size}' is not a number; write RUN@SIZE") from None
    if not name.startswith("arn:"):
        path = Path(name)
        if not path.is_file():
            raise click.UsageError(f"{name} is neither the ARN of an execution nor a file")
        return read_recorded(path), amount
    import boto3

    from headrace.cost.executions import read_used

    return read_used(boto3.Session(), name), amount


def _warn(report: "Report") -> None:
    from headrace.cost.writing import list_unpriced

    for reason in list_unpriced(report):
        click.echo(f"not in the sums: {reason}", err=True)


def _judge(report: "Report", most: float | None) -> int:
    """The exit code: whether more stands than may, or may stand."""
    if most is None:
        return 0
    if report.standing <= most:
        if unpriced := sum(report.unpriced.values()):
            click.echo(f"{unpriced} things cannot be priced: they may cost more than --max-standing", err=True)
        return 1 if report.unpriced else 0
    click.echo(f"{report.standing:,.2f} USD a month stand, more than --max-standing {most:,.2f}", err=True)
    for each in sorted(report.costly, key=lambda each: -each.monthly)[:_SHOWN]:
        off = f"; off with {each.switch}" if each.switch else ""
        click.echo(f"  {each.monthly:,.2f}  {each.item.kind} {each.item.stack}/{each.item.name}{off}", err=True)
    return 1
