"""What turned out to be true, beside what was answered; standard library only."""

import json
import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from headrace.drift.captured import CapturedRequest
from headrace.drift.profiles import parse_number

DEFAULT_MIN_PAIRS: Final = 30


@dataclass
class Truths:
    """What files of ground truth say.

    Args:
        values: What turned out to be true of each row of a request, by the request's InferenceId.
        unread: How many lines could not be read, by why.
    """

    values: dict[str, Sequence[str]] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Quality:
    """How good answers were where the truth is known.

    Args:
        pairs: Of how many rows it is known.
        measure: What the value is: of numbers the root mean squared error, of classes the accuracy.
        value: The value; None where too few are known, or errors are larger than a number can be.
    """

    pairs: int
    measure: Literal["rmse", "accuracy"]
    value: float | None


def read_truths(lines: Iterable[bytes], names: Container[str] | None = None) -> Truths:
    r"""What lines of ground truth say: `{"inferenceId": "row-7", "truth": 1743.06}`, or a list for several rows.

    A later line of the same request takes the place of an earlier one. Model Monitor's own form is read as well:
    `{"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "row-7"}, "eventVersion": "0"}`
    (https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html).

    Args:
        lines: The lines of all files.
        names: The InferenceIds whose truth is kept in memory; None for all.
    """
    found = Truths()
    for line in lines:
        if not line.strip():
            continue
        try:
            name, values = _read_line(json.loads(line))
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            found.unread["is not a ground truth"] = found.unread.get("is not a ground truth", 0) + 1
        else:
            if names is None or name in names:
                found.values[name] = values
    return found


def judge(requests: Iterable[CapturedRequest], truths: Truths, *, min_pairs: int = DEFAULT_MIN_PAIRS) -> Quality:
    """How good answers were, where their requests have an InferenceId of which the truth is known.

    Args:
        requests: What was asked and answered.
        truths: What turned out to be true.
        min_pairs: Of fewer rows nothing is said.
    """
    pairs = [
        pair
        for request in requests
        if len(values := truths.values.get(request.id, ())) == len(request.answers)
        for pair in zip(request.answers, values, strict=True)
    ]
    numbers = [(parse_number(answer), parse_number(value)) for answer, value in pairs]
    errors = [answer - value for answer, value in numbers if answer is not None and value is not None]
    measure: Literal["rmse", "accuracy"] = "rmse" if pairs and len(errors) == len(pairs) else "accuracy"
    if not pairs or len(pairs) < min_pairs:
        return Quality(len(pairs), measure, None)
    if measure == "rmse":
        error = math.hypot(*errors) / math.sqrt(len(errors))
        return Quality(len(pairs), measure, error if math.isfinite(error) else None)
    return Quality(len(pairs), measure, sum(answer == value for answer, value in pairs) / len(pairs))


def _read_line(content: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    if "groundTruthData" in content:
        text = content["groundTruthData"]["data"]
        return str(content["eventMetadata"]["eventId"]), [value.strip() for value in text.split(",")]
    truth = content["truth"]
    values = truth if isinstance(truth, list) else [truth]
    if any(isinstance(value, list | dict) or value is None for value in values):
        raise ValueError(truth)
    return str(content["inferenceId"]), [str(value) for value in values]
