"""The settings of the gate that a trained model passes before it is served."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from headrace.contract import SERVING_THRESHOLD
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Allowed, Section, Setting

Metric = Annotated[str, StringConstraints(min_length=1, max_length=255)]
_METRIC = Allowed("the name of a metric that the training job reports")


class RuleSettings(Section):
    """What a metric of the training job must reach."""

    metric: Annotated[Metric, _METRIC, Setting("the metric", cost=NOTHING, change=NEXT_EXECUTION)]
    direction: Annotated[
        Literal["at_least", "at_most"],
        Setting("whether the metric must be at least or at most the threshold", cost=NOTHING, change=NEXT_EXECUTION),
    ]
    threshold: Annotated[
        Annotated[float, Field(allow_inf_nan=False)] | Metric,
        Allowed(
            "a number, the name of another metric that the training job reports, or "
            f"`{SERVING_THRESHOLD}` for the same metric of the version that serves"
        ),
        Setting("what the metric is compared with", cost=NOTHING, change=NEXT_EXECUTION),
    ]
    margin: Annotated[
        float,
        Field(gt=-1, lt=1),
        Setting(
            "by which part of the threshold the metric may be worse; below 0, by which it must be better",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = 0.0

    def list_metrics(self) -> Iterator[tuple[str, str]]:
        """The metrics that it reads, by the keys that name them."""
        yield "metric", self.metric
        if isinstance(self.threshold, str) and self.threshold != SERVING_THRESHOLD:
            yield "threshold", self.threshold

    @model_validator(mode="after")
    def _check_metrics(self) -> Self:
        if self.threshold == self.metric:
            raise ValueError(f"'{self.metric}' would be compared with itself; name another metric, or a number")
        return self


Rules = Annotated[
    tuple[RuleSettings, ...],
    Field(max_length=20, strict=False),
    Setting(
        "what a model must satisfy to be served, all of it; without rules every model is",
        cost=NOTHING,
        change=NEXT_EXECUTION,
    ),
]


class GateSettings(Section):
    """The gate: a model that does not satisfy every rule is not served."""

    rules: Rules = ()
