"""Sales of Big Mart by gradient-boosted trees."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from headrace.recipes import Recipe, xgboost
from headrace.workloads.encoded import EncodedRun, Row, format_csv
from headrace.workloads.tables import CSV
from headrace.workloads.workload import Scores, Site

_OF_CLASSES: Final = "multi:"


class Run(EncodedRun):
    """A file of Big Mart sales, made up where none is given; the endpoint is asked about rows that were held out."""

    recipe: ClassVar[Recipe] = xgboost.RECIPE
    title: ClassVar[str] = "XGBoost"
    scores: ClassVar[Scores] = Scores(
        columns={"accuracy": ".3f", "precision": ".3f", "recall": ".3f", "F1": ".3f", "RMSE": ",.1f"},
        rows={
            "XGBoost": (
                xgboost.VALIDATION_ACCURACY,
                xgboost.VALIDATION_PRECISION,
                xgboost.VALIDATION_RECALL,
                xgboost.VALIDATION_F1,
                xgboost.VALIDATION_RMSE,
            ),
            "simplest answer": (
                xgboost.BASELINE_ACCURACY,
                xgboost.BASELINE_PRECISION,
                xgboost.BASELINE_RECALL,
                xgboost.BASELINE_F1,
                xgboost.BASELINE_RMSE,
            ),
        },
    )

    def read_held_out(self, content: bytes) -> Iterator[Row]:
        """Lines of CSV, the label first."""
        for label, *features in csv.reader(content.decode().splitlines()):
            yield float(label), [float(cell) for cell in features]

    def ask_about_encoded(self, rows: Sequence[Sequence[float]], site: Site, endpoint_name: str) -> list[float]:
        """Ask in CSV."""
        answer = site.invoke(endpoint_name, format_csv(rows), content_type=CSV, accept=CSV)
        return [float(value) for value in answer.decode().strip().split(",")]

    def has_classes(self, hyperparameters: Mapping[str, str]) -> bool:
        """Whether trees vote for ranges."""
        return str(hyperparameters.get("objective")).startswith(_OF_CLASSES)
