"""What the commands print for people."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from millrace.contract import ENDPOINT_NAME_INPUT, JOB_NAME_INPUT, MODEL_NAME_INPUT
from millrace.local.pipeline import ExecutionReport, Prediction


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """Everything `millrace local run` has to tell."""

    data: str
    report: ExecutionReport
    predictions: tuple[Prediction, ...]


def render(run: RunSummary) -> str:
    """The summary of a run: states and times, scores, predictions."""
    output = run.report.output
    facts = {
        "data": run.data,
        "execution": run.report.name,
        "job": output[JOB_NAME_INPUT],
        "model": output[MODEL_NAME_INPUT],
        "endpoint": output[ENDPOINT_NAME_INPUT],
        "model data": output["ModelDataUrl"],
    }
    sections = [
        "\n".join(f"{name:<11} {value}" for name, value in facts.items()),
        _states(run.report),
        _scores(output["Metrics"]),
        _predictions(run.predictions),
    ]
    return "\n\n".join(sections)


def render_status(endpoint_url: str, seen: Mapping[str, Sequence[Mapping[str, str]]]) -> str:
    """What runs on the local cloud, a table each."""
    sections = [f"AWS_ENDPOINT_URL={endpoint_url}"]
    for title, rows in seen.items():
        sections.append(_table([title, "status"], [[row["name"], row["status"]] for row in rows] or [["none", ""]]))
    return "\n\n".join(sections)


def _states(report: ExecutionReport) -> str:
    rows = [[state.name, f"{state.seconds:.1f}"] for state in report.states]
    return _table(["state", "seconds"], [*rows, ["SUCCEEDED", f"{report.seconds:.1f}"]], numbers={1})


def _scores(metrics: Mapping[str, float]) -> str:
    rows = [
        [title, f"{metrics[f'{kind}:rmse']:,.1f}", f"{metrics[f'{kind}:r2']:.3f}"]
        for title, kind in (("random forest", "validation"), ("mean predictor", "baseline"))
    ]
    return _table(["on the held-out rows", "RMSE", "R²"], rows, numbers={1, 2})


def _predictions(predictions: Sequence[Prediction]) -> str:
    rows = [
        [
            f"{prediction.row['Item_Identifier']} at {prediction.row['Outlet_Identifier']}",
            f"{prediction.predicted:,.1f}",
            "" if prediction.actual is None else f"{prediction.actual:,.1f}",
        ]
        for prediction in predictions
    ]
    return _table(["rows of the data, asked through InvokeEndpoint", "predicted", "actual"], rows, numbers={1, 2})


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Set[int] = frozenset()) -> str:
    """Aligned columns under a ruled header; columns of numbers to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    rule = ["─" * width for width in widths]
    lines = []
    for row in (header, rule, *rows):
        cells = [
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
