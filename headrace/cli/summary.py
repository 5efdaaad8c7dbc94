"""What the commands print for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headrace.cli.tables import render_table
from headrace.contract import ENDPOINT_NAME_INPUT, JOB_NAME_INPUT, MODEL_NAME_INPUT, Outcome
from headrace.local.platform.calls import RoleCalls
from headrace.local.platform.pipeline import ExecutionReport
from headrace.workloads.workload import Prediction, Scores


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """Everything `headrace local run` has to report."""

    workload: str
    data: str
    report: ExecutionReport
    predictions: tuple[Prediction, ...]


def render(run: RunSummary, scores: Scores) -> str:
    """The summary of a run: states and times, scores, predictions."""
    output = run.report.output
    facts = {
        "data": run.data,
        "execution": run.report.name,
        "job": output[JOB_NAME_INPUT],
        "model": output[MODEL_NAME_INPUT],
        **_describe_outcome(run.report),
    }
    sections = [
        "\n".join(f"{name:<11} {value}" for name, value in facts.items()),
        _states(run.report),
        _scores(scores, output["Metrics"]),
        _predictions(run.predictions),
    ]
    return "\n\n".join(sections)


def _describe_outcome(report: ExecutionReport) -> dict[str, str]:
    """What an execution has come to."""
    output = report.output
    match report.outcome:
        case Outcome.SERVING:
            facts = {"endpoint": output[ENDPOINT_NAME_INPUT], "model data": output["ModelDataUrl"]}
            if "SupersededBy" in output:
                facts["superseded"] = f"the endpoint serves {output['SupersededBy']}, of a later execution"
            return facts


def render_status(endpoint_url: str, seen: Mapping[str, Sequence[Mapping[str, str]]]) -> str:
    """What runs on the local cloud, a table each."""
    sections = [f"AWS_ENDPOINT_URL={endpoint_url}"]
    for title, rows in seen.items():
        sections.append(
            render_table([title, "status"], [[row["name"], row["status"]] for row in rows] or [["none", ""]])
        )
    return "\n\n".join(sections)


def render_calls(reviewed: Sequence[RoleCalls]) -> str:
    """What roles have done, a table each."""
    sections = []
    for of_role in reviewed:
        rows = [
            *(["denied", action, resource] for action, resource in of_role.denied),
            *(["used", action, ""] for action in of_role.used),
            *(["unused", action, resource] for action, resource in of_role.unused),
        ]
        sections.append(f"{of_role.role}\n{render_table(['', 'action', 'resource'], rows or [['nothing', '', '']])}")
    return "\n\n".join(sections)


def _states(report: ExecutionReport) -> str:
    rows = [[state.name, f"{state.seconds:.1f}"] for state in report.states]
    return render_table(["state", "seconds"], [*rows, ["SUCCEEDED", f"{report.seconds:.1f}"]], numbers={1})


def _scores(scores: Scores, metrics: Mapping[str, float]) -> str:
    columns = scores.columns
    rows = []
    for model, names in scores.rows.items():
        cells = [format(metrics[name], style) for name, style in zip(names, columns.values(), strict=False)]
        rows.append([model, *cells, *[""] * (len(columns) - len(cells))])
    return render_table(["held out", *columns], rows, numbers=set(range(1, len(columns) + 1)))


def _predictions(predictions: Sequence[Prediction]) -> str:
    rows = [[p.asked, _show(p.predicted), _show(p.actual)] for p in predictions]
    return render_table(["asked through InvokeEndpoint", "predicted", "actual"], rows, numbers={1, 2})


def _show(value: float | str | None) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else value or ""
