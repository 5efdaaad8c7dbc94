"""Forecasts of daily demand."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

from headrace.demand import Series, read_demand
from headrace.demand.json_lines import dump_instances, find_cut, list_instances, number_categories
from headrace.recipes import Recipe, forecasting
from headrace.workloads import demand
from headrace.workloads.delivery import Place, Prefix, bring_file
from headrace.workloads.workload import ASKED, IN_BATCH, Answers, Prediction, Scores, Site, spread

_BATCH_FILE: Final = "batch.jsonl"
_MIDDLE: Final = "0.5"
_JSON: Final = "application/json"

Instance = Mapping[str, Any]


class Run:
    """A file of daily demand, made up where none is given; one that cannot be used is refused before anything runs."""

    recipe: ClassVar[Recipe] = forecasting.RECIPE
    scores: ClassVar[Scores] = Scores(
        columns={"sMAPE": ".2f", "quantile loss": ".4f", "RMSE": ",.1f", "coverage off by": ".3f"},
        rows={
            "boosted quantiles": (
                forecasting.TEST_SMAPE,
                forecasting.TEST_QUANTILE_LOSS,
                forecasting.TEST_RMSE,
                forecasting.TEST_COVERAGE_ERROR,
            ),
            "seasonal naive": (forecasting.BASELINE_SMAPE, forecasting.BASELINE_QUANTILE_LOSS),
        },
    )

    def __init__(self, given: Path | None, scratch: Path) -> None:
        self.data = str(given) if given else "made up"
        self._given = given is not None
        self._scratch = scratch
        self._file = given or scratch / "made_up_demand.csv"
        scratch.mkdir(parents=True, exist_ok=True)
        if given is None:
            demand.write_csv(self._file)
        self._series = read_demand(self._file, str(self._file))

    def bring_data(self, site: Site) -> None:
        """Put the file into the raw bucket, or use what somebody else has put there instead of generated rows."""
        place = Prefix(site.raw_bucket, self.recipe.raw_prefix)
        self._file, foreign = bring_file(
            site.delivery, place, self._file, is_given=self._given, ending=".csv", scratch=self._scratch
        )
        if foreign:
            self.data = place.address
            self._series = read_demand(self._file, foreign)

    def ask_endpoint(self, site: Site, endpoint_name: str) -> Answers:
        """Ask for the held-out days of a few series, of which the model knows those before."""
        asked = spread(self._cut(site), ASKED)
        # DeepAR answers with means and samples as well unless it is asked for quantiles alone.
        configuration = {"output_types": ["quantiles"], "quantiles": self._list_quantiles(site)}
        body = json.dumps({"instances": asked, "configuration": configuration}).encode()
        answer = site.invoke(endpoint_name, body, content_type=_JSON, accept=_JSON)
        return Answers(self._describe(list(zip(asked, json.loads(answer)["predictions"], strict=True))))

    def bring_batch(self, site: Site, place: Place) -> None:
        """Put the series there without the held-out days, one a line."""
        if site.delivery.find_foreign([place]):
            return
        file = self._scratch / _BATCH_FILE
        file.write_text(dump_instances(self._cut(site)[:IN_BATCH]), encoding="utf-8")
        site.delivery.bring(place, {file.name: file})

    def read_batch(self, given: Place, answers: Place) -> list[Prediction]:
        """What was answered to a few series, spread over the first object of the batch."""
        name = min(given.list_files())
        asked, answered = (
            [json.loads(line) for line in body.decode().splitlines()]
            for body in (given.read(name), answers.read(f"{name}.out"))
        )
        # A job that joins puts an answer beside what it was asked.
        forecasts = [answer.get("SageMakerOutput", answer) for answer in answered]
        return self._describe(spread(list(zip(asked, forecasts, strict=False)), ASKED))

    def _cut(self, site: Site) -> list[Instance]:
        """The series without the days that are held out of training; only those that began before these."""
        days = int(site.read_training_request(self.recipe)["HyperParameters"]["prediction_length"])
        return list(list_instances(self._series, end=find_cut(self._series, days)))

    def _list_quantiles(self, site: Site) -> list[str]:
        quantiles = site.read_training_request(self.recipe)["HyperParameters"]["test_quantiles"]
        return [str(quantile) for quantile in json.loads(quantiles)]

    def _describe(self, answered: Sequence[tuple[Instance, Mapping[str, Any]]]) -> list[Prediction]:
        """One day of each forecast, and what was sold then; the days are spread over the horizon."""
        return [
            self._describe_day(instance, forecast["quantiles"], (place + 1) / len(answered))
            for place, (instance, forecast) in enumerate(answered)
        ]

    def _describe_day(self, instance: Instance, quantiles: Mapping[str, Sequence[float]], share: float) -> Prediction:
        values = list(quantiles.values())
        place = round(share * len(values[0])) - 1
        low, high = (min(value[place] for value in values), max(value[place] for value in values))
        day = date.fromisoformat(instance["start"].partition(" ")[0]) + timedelta(days=len(instance["target"]) + place)
        series = self._by_category.get(tuple(instance.get("cat", ())))
        middle = quantiles.get(_MIDDLE, values[len(values) // 2])[place]
        return Prediction(
            asked=f"item {series.item} in store {series.store} on {day}" if series else f"a series on {day}",
            predicted=f"{middle:.1f} ({low:.1f} to {high:.1f})",
            actual=_find_sales(series, day) if series else None,
        )

    @property
    def _by_category(self) -> Mapping[tuple[int, ...], Series]:
        stores, items = number_categories(self._series)
        return {(stores[one.store], items[one.item]): one for one in self._series}


def _find_sales(series: Series, day: date) -> float | None:
    place = (day - series.start).days
    return series.sales[place] if 0 <= place < len(series.sales) else None
