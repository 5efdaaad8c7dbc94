"""`headrace local clock`: show the time of the local cloud, and move it on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click

from headrace.cli import progress
from headrace.cli.checkout_commands import LocalCommand
from headrace.cli.json_option import JSON_OPTION
from headrace.local.engine.moving import write_time
from headrace.local.platform.clock import ClockError, MovableClock, read_instant, read_span
from headrace.local.platform.running import Folders, use_running_cloud


@click.command(cls=LocalCommand)
@click.argument("where", metavar="[+SPAN | to INSTANT]", nargs=-1)
@JSON_OPTION
@click.pass_obj
def clock(folders: Folders, where: tuple[str, ...], as_json: bool) -> None:
    """Show the time of the local cloud, or move it on.

    The clock goes from one event to the next: schedules, waits of executions, alarms, and what expires at midnight.
    Each time it waits until what that has started has ended or waits itself, and prints what happened. Ctrl-C ends it
    between two events; it cannot go back.

    Examples: headrace local clock +30d; headrace local clock to 2026-12-24T08:00Z
    """
    movable = MovableClock(use_running_cloud(folders))
    now = movable.read()
    if not where:
        click.echo(json.dumps({"time": write_time(now)}) if as_json else write_time(now))
        return
    fired: list[dict[str, str]] = []
    with _saying_where_it_stopped(movable):
        for step in movable.move(_find_instant(where, now)):
            progress.note(step["time"])
            fired += step["fired"]
            if not as_json:
                _print(step["fired"])
    end = {"from": write_time(now), "to": write_time(movable.read())}
    if as_json:
        click.echo(json.dumps({**end, "fired": fired}, indent=2))
    else:
        click.echo(f"the clock shows {end['to']}", err=True)


def _find_instant(where: tuple[str, ...], now: datetime) -> datetime:
    try:
        match where:
            case (span,):
                return now + read_span(span)
            case ("to", instant):
                return read_instant(instant)
    except (ClockError, OverflowError) as error:
        raise click.UsageError(str(error)) from None
    raise click.UsageError("give a span such as +30d, or 'to' and an instant such as 2026-12-24T08:00Z")


def _print(fired: list[dict[str, Any]]) -> None:
    for each in fired:
        click.echo(f"{each['time']}  {each['what']}: {each['outcome']}")


@contextmanager
def _saying_where_it_stopped(movable: MovableClock) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"stopped: the clock shows {write_time(movable.read())}", err=True)
        raise
