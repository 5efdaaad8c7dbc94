"""Sales of Big Mart by gradient-boosted trees."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from headrace.errors import HeadraceError
from headrace.recipes import Recipe, xgboost
from headrace.workloads import sales
from headrace.workloads.delivery import Place
from headrace.workloads.tables import CSV, TableRun
from headrace.workloads.workload import Prediction, Scores, Site, spread

_OF_CLASSES: Final = "multi:"


class EncodedBatchError(HeadraceError):
    """A batch that only its owner can make."""


class Run(TableRun):
    """A file of Big Mart sales, made up where none is given; the endpoint is asked about rows that were held out."""

    recipe: ClassVar[Recipe] = xgboost.RECIPE
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
    made_up_file: ClassVar[str] = "made_up_sales.csv"

    def make_up(self, file: Path) -> None:
        """Write made-up sales."""
        sales.write_csv(file)

    def ask_endpoint(self, site: Site, endpoint_name: str) -> list[Prediction]:
        """Ask about a few rows that were held out: XGBoost takes features, as preprocessing has encoded them."""
        place = site.open_channel(xgboost.VALIDATION_CHANNEL)
        name = min(place.list_files())
        rows = list(enumerate(csv.reader(place.read(name).decode().splitlines()), start=1))
        asked = spread(rows)
        body = "".join(f"{','.join(features)}\n" for _, (_, *features) in asked)
        answer = site.invoke(endpoint_name, body.encode(), content_type=CSV, accept=CSV)
        hyperparameters = site.read_training_request(self.recipe)["HyperParameters"]
        word = "range " if str(hyperparameters.get("objective")).startswith(_OF_CLASSES) else ""
        return [
            Prediction(asked=f"row {number} of {name}", predicted=_name(word, value), actual=_name(word, label))
            for (number, (label, *_)), value in zip(asked, answer.decode().strip().split(","), strict=True)
        ]

    def ask_about(self, rows: Sequence[Mapping[str, str]], site: Site, endpoint_name: str) -> list[Prediction]:
        """Nothing can be asked about raw rows."""
        raise NotImplementedError

    def bring_batch(self, site: Site, place: Place) -> None:
        """See that there is a batch: its rows are encoded, and a run has only raw ones."""
        if not site.delivery.find_foreign([place]):
            raise EncodedBatchError(
                f"{place.address} is empty: with deploy batch, XGBoost is asked about encoded rows, which a run cannot "
                "make up; copy the features of a test output there, without the label"
            )


def _name(word: str, value: str) -> float | str:
    return f"{word}{float(value):.0f}" if word else float(value)
