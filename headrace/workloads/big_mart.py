"""Sales of Big Mart."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from headrace.recipes import Recipe, big_mart
from headrace.workloads import sales
from headrace.workloads.tables import CSV, TableRun, to_csv
from headrace.workloads.workload import Prediction, Scores, Site

_SALES: Final = sales.COLUMNS[-1]


class Run(TableRun):
    """A file of Big Mart sales, made up where none is given."""

    recipe: ClassVar[Recipe] = big_mart.RECIPE
    scores: ClassVar[Scores] = Scores(
        columns={"RMSE": ",.1f", "R²": ".3f"},
        rows={
            "random forest": (big_mart.VALIDATION_RMSE, big_mart.VALIDATION_R2),
            "mean predictor": (big_mart.BASELINE_RMSE, big_mart.BASELINE_R2),
        },
    )
    made_up_file: ClassVar[str] = "made_up_sales.csv"
    answered: ClassVar[str | None] = _SALES

    def make_up(self, file: Path) -> None:
        """Write made-up sales."""
        sales.write_csv(file)

    def describe(self, row: Mapping[str, str]) -> str:
        """An item in an outlet."""
        return f"{row['Item_Identifier']} at {row['Outlet_Identifier']}"

    def ask_about(self, rows: Sequence[Mapping[str, str]], site: Site, endpoint_name: str) -> list[Prediction]:
        """Ask for the sales of some items in some outlets."""
        answer = site.invoke(endpoint_name, to_csv(rows), content_type=CSV, accept="application/json")
        return [
            Prediction(
                asked=self.describe(row),
                predicted=float(value),
                actual=float(row[_SALES]) if row.get(_SALES) else None,
            )
            for row, value in zip(rows, json.loads(answer)["predictions"], strict=True)
        ]
