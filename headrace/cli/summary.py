"""What the commands print for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from headrace.cli.tables import render_table
from headrace.contract import (
    ENDPOINT_NAME_INPUT,
    JOB_NAME_INPUT,
    MODEL_NAME_INPUT,
    MODEL_PACKAGE_ARN_INPUT,
    NOT_NOTED_OUTPUT,
    RULES_OUTPUT,
    TRANSFORMED_OUTPUT,
    JudgedRule,
    Outcome,
)
from headrace.local.platform.calls import RoleCalls
from headrace.local.platform.pipeline import ExecutionReport
from headrace.workloads.evaluation import ClassResult
from headrace.workloads.workload import Prediction, Scores

MOST_CLASSES: Final = 12
_MOST_CONFUSIONS: Final = 3


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """Everything `headrace local run` has to report.

    Args:
        workload: The workload.
        data: Where its data came from.
        report: What its execution has come to.
        classes: How each class of held-out examples was recognized.
        predictions: What the endpoint, or the batch, was asked and answered.
        metrics: How good all answers are, where the training job does not report it.
    """

    workload: str
    data: str
    report: ExecutionReport
    classes: tuple[ClassResult, ...] = ()
    predictions: tuple[Prediction, ...]
    metrics: Mapping[str, float] = field(default_factory=dict)


def render(run: RunSummary, scores: Scores) -> str:
    """The summary of a run: states and times, scores, the gate, predictions."""
    output = run.report.output
    facts = {
        "data": run.data,
        "execution": run.report.name,
        "job": output[JOB_NAME_INPUT],
        **_describe_outcome(run.report),
    }
    sections = [
        "\n".join(f"{name:<11} {value}" for name, value in facts.items()),
        _states(run.report),
        _scores(scores, {**output["Metrics"], **run.metrics}),
        _classes(run.classes) if run.classes else "",
        _rules(output[RULES_OUTPUT]) if output.get(RULES_OUTPUT) else "",
        _predictions(run) if run.predictions else "",
    ]
    return "\n\n".join(filter(None, sections))


def _describe_outcome(report: ExecutionReport) -> dict[str, str]:
    """What an execution has come to."""
    output = report.output
    match report.outcome:
        case Outcome.SERVING:
            facts = {
                "model": output[MODEL_NAME_INPUT],
                "endpoint": output[ENDPOINT_NAME_INPUT],
                "model data": output["ModelDataUrl"],
            }
            if output.get(NOT_NOTED_OUTPUT):
                facts["not noted"] = f"that the version serves: {output[NOT_NOTED_OUTPUT]}"
            if "SupersededBy" in output:
                facts["superseded"] = f"the endpoint serves {output['SupersededBy']}, of a later execution"
            return facts
        case (
            Outcome.STOPPED
            | Outcome.NOT_IDLE
            | Outcome.NOTHING_TO_STOP
            | Outcome.STARTED
            | Outcome.STANDING
            | Outcome.NOTHING_TO_START
        ):
            return {"outcome": str(report.outcome), "endpoint": output[ENDPOINT_NAME_INPUT]}
        case Outcome.REFUSED:
            return {
                "outcome": "the model is refused by the gate and not served",
                "endpoint": f"{output[ENDPOINT_NAME_INPUT]}, as it was before",
                "model data": output["ModelDataUrl"],
            }
        case Outcome.TRANSFORMED:
            return {
                "outcome": "the model was asked about a batch; no endpoint serves it",
                "model": output[MODEL_NAME_INPUT],
                "transformed": output[TRANSFORMED_OUTPUT],
                "model data": output["ModelDataUrl"],
            }
        case Outcome.PENDING_APPROVAL:
            return {
                "outcome": "the model waits for somebody's approval: headrace pipeline versions --local",
                "version": output[MODEL_PACKAGE_ARN_INPUT],
                "endpoint": f"{output[ENDPOINT_NAME_INPUT]}, as it was before",
                "model data": output["ModelDataUrl"],
            }


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
    """The scores that there are, if any; those of another kind of model have neither a column nor a row."""
    scores = _leave_out_missing(scores, metrics)
    columns = scores.columns
    if not columns:
        return ""
    rows = []
    for model, names in scores.rows.items():
        cells = [
            format(metrics[name], style) if name in metrics else "-"
            for name, style in zip(names, columns.values(), strict=False)
        ]
        rows.append([model, *cells, *[""] * (len(columns) - len(cells))])
    return render_table(["held out", *columns], rows, numbers=set(range(1, len(columns) + 1)))


def _leave_out_missing(scores: Scores, metrics: Mapping[str, float]) -> Scores:
    reported = [
        place
        for place in range(len(scores.columns))
        if any(place < len(names) and names[place] in metrics for names in scores.rows.values())
    ]
    titles = list(scores.columns)
    return Scores(
        columns={titles[place]: scores.columns[titles[place]] for place in reported},
        rows={
            model: tuple(names[place] for place in reported if place < len(names))
            for model, names in scores.rows.items()
            if any(name in metrics for name in names)
        },
    )


def _classes(classes: Sequence[ClassResult]) -> str:
    """How each class was recognized; of many, those with the most mistakes."""
    shown = classes
    if len(classes) > MOST_CLASSES:
        shown = sorted(classes, key=lambda result: result.recognized - result.examples)[:MOST_CLASSES]
    rows = [
        [
            result.label,
            str(result.examples),
            str(result.recognized),
            ", ".join(f"{other} ({count})" for other, count in list(result.taken_for.items())[:_MOST_CONFUSIONS]),
        ]
        for result in shown
    ]
    others = len(classes) - len(shown)
    table = render_table(["held out class", "examples", "recognized", "taken for"], rows, numbers={1, 2})
    return f"{table}\nand {others} more" if others else table


def _rules(rules: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            rule[JudgedRule.METRIC],
            _show_number(rule.get(JudgedRule.VALUE)),
            f"{rule[JudgedRule.DIRECTION].replace('_', ' ')} {_describe_limit(rule)}",
            ": ".join(rule[key] for key in (JudgedRule.VERDICT, JudgedRule.REASON) if key in rule),
        ]
        for rule in rules
    ]
    return render_table(["gate", "value", "must be", "verdict"], rows, numbers={1})


def _describe_limit(rule: Mapping[str, Any]) -> str:
    """The number that a metric is compared with, and the metric that it comes from."""
    threshold = rule[JudgedRule.THRESHOLD]
    parts = [threshold] if isinstance(threshold, str) else []
    if margin := rule[JudgedRule.MARGIN]:
        change = margin if rule[JudgedRule.DIRECTION] == "at_most" else -margin
        parts = [*(parts or [_show_number(threshold)]), f"{change:+.1%}"]
    limit = _show_number(rule.get(JudgedRule.LIMIT))
    return f"{limit} ({' '.join(parts)})" if parts else limit


def _show_number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.3f}"


def _predictions(run: RunSummary) -> str:
    how = "asked in a batch" if run.report.outcome is Outcome.TRANSFORMED else "asked through InvokeEndpoint"
    rows = [[p.asked, _show(p.predicted), _show(p.actual)] for p in run.predictions]
    return render_table([how, "predicted", "actual"], rows, numbers={1, 2})


def _show(value: float | str | None) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else value or ""
