"""What commands print of executions."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from headrace.cli.tables import render_table
from headrace.contract import OUTCOME_OUTPUT, Outcome
from headrace.errors import as_shown
from headrace.pipeline.history import Execution, History

# The exit code of a command whose execution has succeeded without serving what it was to serve.
EXIT_CODES: Final[Mapping[str, int]] = {
    Outcome.REFUSED: 4,
    Outcome.PENDING_APPROVAL: 5,
    Outcome.NOTHING_TO_START: 6,
}
_HEADER: Final = ("state", "status", "started", "seconds", "tries", "error")


def find_outcome(execution: Execution) -> str:
    """What an execution has come to: the outcome that its output names, or else its status."""
    output = json.loads(execution.output) if execution.output else None
    return str(output.get(OUTCOME_OUTPUT, execution.status)) if isinstance(output, dict) else execution.status


def render_list(executions: Sequence[Execution]) -> str:
    """Executions as a table."""
    rows = [
        [as_shown(execution.name), execution.status, f"{execution.started:%Y-%m-%d %H:%M:%S}", _show(execution.seconds)]
        for execution in executions
    ]
    return render_table(("execution", "status", "started", "seconds"), rows or [["none", "", "", ""]], numbers={3})


def render_execution(execution: Execution, history: History) -> str:
    """An execution as a table, and below it why it failed."""
    rows = [
        [
            "  " * visit.depth + as_shown(visit.name),
            visit.status,
            f"{visit.entered:%H:%M:%S}",
            _show(visit.seconds),
            str(visit.tries or ""),
            as_shown(visit.error),
        ]
        for visit in history.visits
    ]
    whole = ["", execution.status, f"{execution.started:%H:%M:%S}", _show(execution.seconds), ""]
    rows.append([*whole, as_shown(execution.error)])
    cause = [f"\n{as_shown(execution.cause)}"] if execution.cause else []
    return "\n".join([render_table(_HEADER, rows, numbers={3, 4}), *cause])


def describe(execution: Execution, history: History) -> dict[str, Any]:
    """An execution for programs."""
    return {
        **describe_execution(execution),
        "states": [
            {
                "state": visit.name,
                "status": visit.status,
                "started": visit.entered.isoformat(),
                "seconds": visit.seconds,
                "tries": visit.tries,
                "error": visit.error,
                "cause": visit.cause,
                "inside": visit.parent.name if visit.parent else None,
                "iteration": visit.iteration,
            }
            for visit in history.visits
        ],
    }


def describe_execution(execution: Execution) -> dict[str, Any]:
    """An execution as a whole, for programs."""
    return {
        "executionArn": execution.arn,
        "name": execution.name,
        "status": execution.status,
        "outcome": find_outcome(execution),
        "started": execution.started.isoformat(),
        "seconds": execution.seconds,
        "output": json.loads(execution.output) if execution.output else None,
        "error": execution.error,
        "cause": execution.cause,
    }


def _show(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"
