"""`headrace channels`: where training jobs read their data from."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from headrace.channels import needs_vpc, prices
from headrace.channels.adviser import Advice, Changes, Option, Place, Workload, WorkloadError, advise
from headrace.channels.quantities import parse_size, show_dollars, show_duration
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.tables import render_table

WIDTH = 100
NOTHING = "-"
HEADER = ("", "setup", "its cost", "first byte", "a pass", "all passes", "run cost", "standing cost")
VPC_PLACEHOLDER = {"VpcConfig": {"SecurityGroupIds": ["<SECURITY-GROUP-ID>"], "Subnets": ["<SUBNET-ID>"]}}


def _parse_size(_context: click.Context, _option: click.Parameter, text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.group()
def channels() -> None:
    """Choose where training jobs read their data from.

    All calculations run on this machine, without calls to AWS.
    """


@channels.command("advise")
@click.option(
    "--where", type=click.Choice([place.value for place in Place]), required=True, help="Where the data is now."
)
@click.option("--size", callback=_parse_size, required=True, help="The size of the data: 500GB, 1.5TiB.")
@click.option("--files", type=click.IntRange(min=1), required=True, help="The number of files.")
@click.option("--passes", type=click.IntRange(min=1), required=True, help="Passes per month: the epochs of all jobs.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="The number of jobs that make these passes.",
)
@click.option(
    "--changes",
    type=click.Choice([changes.value for changes in Changes]),
    required=True,
    help="How often files are edited.",
)
@click.option("--posix", is_flag=True, help="People work on the files with ordinary tools (POSIX).")
@click.option("--instances", type=click.IntRange(min=1), default=1, show_default=True, help="Instances per job.")
@click.option(
    "--volume", callback=_parse_size, default="16TiB", show_default=True, help="The largest volume of an instance."
)
@click.option(
    "--start-minutes",
    type=click.FloatRange(min=0),
    help="Minutes that a job may copy before it trains.  [default: 10, or a tenth of its reading time]",
)
@JSON_OPTION
def advise_command(
    *,
    where: str,
    size: int,
    files: int,
    passes: int,
    jobs: int,
    changes: str,
    posix: bool,
    instances: int,
    volume: int,
    start_minutes: float | None,
    as_json: bool,
) -> None:
    """Recommend S3 (File, FastFile, Pipe), EFS or FSx for Lustre for the data of training jobs.

    Prints the time and cost of each, the recommended one first, then the reasons, what to watch for, and its
    definition for CreateTrainingJob, with placeholders in angle brackets.

    Example: headrace channels advise --where s3 --size 500GB --files 200000 --passes 30 --changes never
    """
    try:
        workload = Workload(
            where=Place(where),
            size_bytes=size,
            files=files,
            passes=passes,
            jobs=jobs,
            changes=Changes(changes),
            shared_by_posix=posix,
            instances=instances,
            volume_bytes=volume,
            acceptable_start_seconds=None if start_minutes is None else start_minutes * 60,
        )
    except WorkloadError as error:
        raise click.UsageError(str(error)) from None
    advice = advise(workload)
    click.echo(json.dumps(describe(advice), indent=2) if as_json else render(advice))


def describe(advice: Advice) -> dict[str, Any]:
    """Advice as JSON."""
    return {
        "recommended": advice.recommended.storage,
        "reasons": list(advice.reasons),
        "workload": asdict(advice.workload),
        "options": [_describe_option(option) for option in advice.options],
        "prices": {"region": prices.REGION, "checked": prices.CHECKED},
    }


def render(advice: Advice) -> str:
    """Advice for people: the options, then the reasons, traps and definition of the recommended one."""
    recommended = advice.recommended
    sections = [
        render_table(HEADER, [_render_option(option) for option in advice.options], numbers=set(range(1, len(HEADER)))),
        *(f"{option.storage} is ruled out: {option.obstacle}." for option in advice.options if option.obstacle),
        _render_list(f"Use {recommended.storage}", advice.reasons),
        _render_list("Mind", recommended.traps),
        f"InputDataConfig entry\n{json.dumps(recommended.channel.render(), indent=2)}",
    ]
    if needs_vpc([recommended.channel]):
        sections.append(f"and beside InputDataConfig\n{json.dumps(VPC_PLACEHOLDER, indent=2)}")
    sections.append(
        textwrap.fill(
            f"Planning figures: list prices of {prices.REGION} in US dollars, checked {prices.CHECKED}; times from "
            "documented throughput where there is one, else assumed. See docs/channels.md.",
            WIDTH,
        )
    )
    return "\n\n".join(sections)


def _describe_option(option: Option) -> dict[str, Any]:
    return {
        "storage": option.storage,
        "obstacle": option.obstacle or None,
        "estimate": asdict(option.estimate),
        "traps": list(option.traps),
        "definition": option.channel.render(),
    }


def _render_option(option: Option) -> tuple[str, ...]:
    figures = option.estimate
    if option.obstacle:
        return (option.storage, *[NOTHING] * (len(HEADER) - 1))
    return (
        option.storage,
        show_duration(figures.once_seconds) if figures.once_seconds else NOTHING,
        show_dollars(figures.once_dollars) if figures.once_dollars else NOTHING,
        show_duration(figures.first_byte_seconds),
        show_duration(figures.pass_seconds),
        show_duration(figures.total_seconds),
        show_dollars(figures.run_dollars),
        show_dollars(figures.standing_dollars_per_month),
    )


def _render_list(title: str, items: Sequence[str]) -> str:
    lines = [textwrap.fill(item, WIDTH, initial_indent="- ", subsequent_indent="  ") for item in items]
    return "\n".join([title, *lines])
