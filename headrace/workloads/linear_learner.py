"""Sales of Big Mart by linear models."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

import numpy as np

from headrace.recipes import Recipe, linear_learner
from headrace.recordio import read_rows
from headrace.workloads.encoded import EncodedRun, Row, format_csv
from headrace.workloads.tables import CSV
from headrace.workloads.workload import Scores, Site

_JSON: Final = "application/json"
_REGRESSOR: Final = "regressor"


class Run(EncodedRun):
    """A file of Big Mart sales, made up where none is given; the endpoint is asked about rows that were held out."""

    recipe: ClassVar[Recipe] = linear_learner.RECIPE
    title: ClassVar[str] = "the linear learner"
    scores: ClassVar[Scores] = Scores(
        columns={"accuracy": ".3f", "macro F1": ".3f", "RMSE": ",.1f", "accuracy of two": ".3f"},
        rows={
            "linear model": (
                linear_learner.VALIDATION_ACCURACY,
                linear_learner.VALIDATION_F1,
                linear_learner.VALIDATION_RMSE,
                linear_learner.VALIDATION_BINARY_ACCURACY,
            ),
            "simplest answer": (
                linear_learner.BASELINE_ACCURACY,
                linear_learner.BASELINE_F1,
                linear_learner.BASELINE_RMSE,
                linear_learner.BASELINE_BINARY_ACCURACY,
            ),
        },
    )

    def read_held_out(self, content: bytes) -> Iterator[Row]:
        """Records of RecordIO-protobuf."""
        rows = read_rows(io.BytesIO(content))
        labels = [] if rows.labels is None else rows.labels.tolist()
        yield from zip(labels, np.asarray(rows.features).tolist(), strict=True)

    def ask_about_encoded(self, rows: Sequence[Sequence[float]], site: Site, endpoint_name: str) -> list[float]:
        """Ask in CSV; answers come in JSON."""
        answer = site.invoke(endpoint_name, format_csv(rows), content_type=CSV, accept=_JSON)
        return [float(one.get("predicted_label", one["score"])) for one in json.loads(answer)["predictions"]]

    def has_classes(self, hyperparameters: Mapping[str, str]) -> bool:
        """Whether the model predicts ranges."""
        return hyperparameters.get("predictor_type") != _REGRESSOR
