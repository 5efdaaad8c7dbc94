"""Judging the forecasts on the last days of the test channel, beside the seasonal naive.

The naive forecast is the same weekday of the last week before the test, or of a year before: the better one on these
days, which makes it hard to beat. `evaluation.json` holds what the log says, and more. A sample:

    {"metrics": {"test:smape": 11.58, "test:mean_wQuantileLoss": 0.09, "test:RMSE": 9.1, "test:coverage_error": 0.012,
                 "baseline:smape": 16.75, "baseline:mean_wQuantileLoss": 0.15},
     "baseline": "same weekday a year before", "coverage": {"0.1": 0.101, "0.5": 0.488, "0.9": 0.903},
     "days": 90, "series": 30, "chosen": {"max_leaf_nodes": 15, …, "factors": [0.974, 0.972, 0.97]},
     "hyperparameters": {"prediction_length": 90, …},
     "shown": [{"series": 1, "start": "2017-10-03", "before": [18, …], "demand": [20, …],
                "quantiles": {"0.1": [14.2, …], …}}]}
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from containers.shared.job.scores import METRIC_DIGITS, format_metric
from containers.shared.job.training_failures import TrainingDataError

from . import contract
from .channels import Span
from .examples import Examples, make_last_examples
from .features import WEEK, YEAR, Days, History, Values
from .fitting import Choice, Forecaster
from .hyperparameters import MEDIAN, Hyperparameters, describe_hyperparameters
from .scores import find_coverages, find_quantile_loss, find_rmse, find_smape

# Of a few series the file has the forecasts, for those who draw them.
SHOWN_SERIES = 4
LAST_WEEK = "same weekday of the last week"
LAST_YEAR = "same weekday a year before"


@dataclass(frozen=True)
class Evaluation:
    """What the test found."""

    metrics: Mapping[str, float]
    coverage: Mapping[str, float]
    baseline: str
    shown: Sequence[Mapping[str, object]]
    series: int


def evaluate(forecaster: Forecaster, span: Span, horizon: int) -> Evaluation:
    """The metrics of the job, by the names it publishes them under, and what else is worth knowing."""
    examples = make_last_examples(span, horizon)
    if not len(examples):
        raise TrainingDataError(
            f"channel {contract.TEST_CHANNEL!r} has no series with a known demand and enough days before its last "
            f"{horizon}; give more history"
        )
    quantiles = forecaster.quantiles
    forecasts = forecaster.forecast(examples)
    median = forecasts[:, quantiles.index(MEDIAN)]
    coverages = find_coverages(examples.demand, forecasts)
    baseline, naive = choose_naive(examples, span, horizon)
    metrics = {
        contract.TEST_SMAPE: find_smape(examples.demand, median),
        contract.TEST_QUANTILE_LOSS: find_quantile_loss(examples.demand, forecasts, quantiles),
        contract.TEST_RMSE: find_rmse(examples.demand, median),
        contract.TEST_COVERAGE_ERROR: max(abs(a - b) for a, b in zip(coverages, quantiles, strict=True)),
        contract.BASELINE_SMAPE: find_smape(examples.demand, naive),
        contract.BASELINE_QUANTILE_LOSS: find_quantile_loss(
            examples.demand, np.repeat(naive[:, None], len(quantiles), axis=1), quantiles
        ),
    }
    return Evaluation(
        metrics={name: round(value, METRIC_DIGITS) for name, value in metrics.items()},
        coverage={str(q): round(share, METRIC_DIGITS) for q, share in zip(quantiles, coverages, strict=True)},
        baseline=baseline,
        shown=[
            _show(number, examples, forecasts, span, quantiles)
            for number in range(len(span.histories))
            if (examples.series == number).any()
        ][:SHOWN_SERIES],
        series=len(span.histories),
    )


def choose_naive(examples: Examples, span: Span, horizon: int) -> tuple[str, Values]:
    """The seasonal naive that errs less, by its name, and what it says of each example."""
    days = [examples.days[examples.series == number] for number in range(len(span.histories))]
    candidates = {
        name: np.concatenate([say(history, own, horizon) for history, own in zip(span.histories, days, strict=True)])
        for name, say in ((LAST_WEEK, _repeat_week), (LAST_YEAR, _repeat_year))
    }
    name = min(candidates, key=lambda one: find_smape(examples.demand, candidates[one]))
    return name, candidates[name]


def _repeat_week(history: History, days: Days, horizon: int) -> Values:
    begin = len(history.demand) - horizon
    return np.nan_to_num(history.look_back(begin - WEEK + (days - begin) % WEEK, 0))


def _repeat_year(history: History, days: Days, horizon: int) -> Values:
    said = history.look_back(days, YEAR)
    return np.where(np.isfinite(said), said, _repeat_week(history, days, horizon))


def _show(
    number: int, examples: Examples, forecasts: Values, span: Span, quantiles: Sequence[float]
) -> Mapping[str, object]:
    """A series as it was and as it was forecast."""
    own = examples.series == number
    days, history = examples.days[own], span.histories[number]
    begin = int(days[0])
    before = history.demand[max(0, begin - len(days)) : begin]
    return {
        "series": number + 1,
        "start": str(span.first + timedelta(days=begin)),
        "before": [None if np.isnan(value) else float(value) for value in before],
        "demand": examples.demand[own].tolist(),
        "quantiles": {
            str(quantile): [round(value, 3) for value in forecasts[own, place].tolist()]
            for place, quantile in enumerate(quantiles)
        },
    }


def list_log_lines(evaluation: Evaluation) -> list[str]:
    """The lines that the job's MetricDefinitions look for; two of them as DeepAR writes them."""
    loss, rmse = (evaluation.metrics[name] for name in (contract.TEST_QUANTILE_LOSS, contract.TEST_RMSE))
    return [
        *(format_metric(name, value) for name, value in evaluation.metrics.items()),
        f"#quality_metric: host=algo-1, test RMSE <loss>={rmse:.{METRIC_DIGITS}f}\n",
        f"#quality_metric: host=algo-1, test mean_wQuantileLoss <loss>={loss:.{METRIC_DIGITS}f}\n",
    ]


def dump_evaluation(evaluation: Evaluation, choice: Choice, hyperparameters: Hyperparameters) -> str:
    """The evaluation's file, described at the head of this module."""
    document = {
        "metrics": evaluation.metrics,
        "baseline": evaluation.baseline,
        "coverage": evaluation.coverage,
        "days": hyperparameters.prediction_length,
        "series": evaluation.series,
        "chosen": choice.describe(),
        "hyperparameters": describe_hyperparameters(hyperparameters),
        "shown": evaluation.shown,
    }
    return json.dumps(document, allow_nan=False) + "\n"
