"""The table of docs/pipeline-faults.md, made of the rows of the fault matrix."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from tests.stacks.pipeline.fault_matrix import Row
from tests.stacks.pipeline.fault_rules import ANSWERS, FAMILY_OF, Family, Fault, find_rule

_COLUMNS: Final[Mapping[str, tuple[Fault, ...]]] = {
    "throttled, refused, internal failure": (Fault.THROTTLED, Fault.DENIED, Fault.INVALID, Fault.INTERNAL),
    "service not reached": (Fault.UNREACHED,),
    "quota used up": (Fault.NO_CAPACITY,),
    "other errors, failed jobs and functions": (Fault.MODELLED, Fault.JOB_FAILED, Fault.FUNCTION_FAILED),
    "scaling at work, endpoint not seen yet": (Fault.PASSING,),
    "a try takes longer than": (Fault.TIMEOUT,),
}


def render_table(rows: Iterable[Row]) -> str:
    """A line for states that fail alike: how often each kind of error is tried, and what comes then."""
    by_state: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_state[row.state].append(row)
    lines: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for state, found in by_state.items():
        lines[_render_line(state, found)].append(f"`{state}`")
    heading = ["state", *_COLUMNS, "then"]
    rule = ["---"] * len(heading)
    body = [[", ".join(states), *cells] for cells, states in lines.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [heading, rule, *body]) + "\n"


def _render_line(state: str, rows: list[Row]) -> tuple[str, ...]:
    return (*(_render_cell(rows, faults) for faults in _COLUMNS.values()), _render_end(state))


def _render_cell(rows: list[Row], faults: tuple[Fault, ...]) -> str:
    # An error that is an answer is not tried again; the text says so.
    cells = {_render_tries(row) for row in rows if row.fault in faults and (row.state, row.error) not in ANSWERS}
    assert len(cells) <= 1, (rows[0].state, cells)
    return cells.pop() if cells else "-"


def _render_tries(row: Row) -> str:
    tries = "1 try" if row.walk.tries == 1 else f"{row.walk.tries} tries"
    spread = f" within {_render_time(row.walk.seconds)}" if row.walk.seconds else ""
    limit = f"{_render_time(row.limit)}: " if row.fault is Fault.TIMEOUT else ""
    return f"{limit}{tries}{spread}"


def _render_time(seconds: int) -> str:
    if seconds % 3600 == 0 and seconds:
        return f"{seconds // 3600} h"
    return f"{seconds} s" if seconds < 600 else f"{round(seconds / 60)} min"


def _render_end(state: str) -> str:
    rule = find_rule(state, Fault.TIMEOUT)
    if FAMILY_OF[state] is Family.ENDING:
        return "ends; the same function cleans up when the execution's end is announced"
    if rule.goes_on:
        return "goes on"
    return f"`{rule.error or '…Failed'}`"
