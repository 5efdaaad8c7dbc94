"""What a training program has written about its model besides its metrics: `evaluation.json` in the job's output."""

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.provenance import EVALUATION_FILE


@dataclass(frozen=True, kw_only=True)
class ClassResult:
    """How a classifier did on the held-out examples of one class.

    Args:
        label: The class.
        examples: How many there are.
        recognized: How many were taken for it.
        taken_for: How many were taken for each other class, the most frequent first.
    """

    label: str
    examples: int
    recognized: int
    taken_for: Mapping[str, int]


def unpack_evaluation(archive: bytes) -> Mapping[str, Any]:
    """The evaluation in a job's `output.tar.gz`; empty if the program has written none."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        try:
            file = tar.extractfile(EVALUATION_FILE)
        except KeyError:
            return {}
        evaluation: Mapping[str, Any] = json.load(file) if file else {}
        return evaluation


def list_class_results(evaluation: Mapping[str, Any]) -> tuple[ClassResult, ...]:
    """The confusion by class; none if the program has written no confusion.

    Example:
        >>> list_class_results({"labels": ["accordion", "bonsai"], "confusion": [[2, 0], [1, 1]]})[1]
        ClassResult(label='bonsai', examples=2, recognized=1, taken_for={'accordion': 1})
    """
    labels = evaluation.get("labels", ())
    return tuple(
        ClassResult(
            label=label,
            examples=sum(row),
            recognized=row[number],
            taken_for={
                labels[other]: row[other]
                for other in sorted(range(len(row)), key=lambda other: -row[other])
                if row[other] and other != number
            },
        )
        for number, (label, row) in enumerate(zip(labels, evaluation.get("confusion", ()), strict=False))
    )
