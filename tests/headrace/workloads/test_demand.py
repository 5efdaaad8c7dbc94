import statistics
from datetime import date
from pathlib import Path

import pytest

from headrace.demand import Series, read_demand
from headrace.workloads import demand


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[Series]:
    path = tmp_path_factory.mktemp("demand") / "demand.csv"
    demand.write_csv(path)
    return read_demand(path)


def test_writes_the_same_bytes_for_the_same_seed(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        demand.write_csv(tmp_path / name, seed, stores=1, items=1)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_makes_up_four_years_of_every_item_in_every_store(series: list[Series]) -> None:
    assert len(series) == demand.STORES * demand.ITEMS
    assert {(one.start, one.end) for one in series} == {(date(2021, 1, 1), date(2024, 12, 31))}


def test_makes_up_growth_a_week_and_a_year(series: list[Series]) -> None:
    def mean(part: slice) -> float:
        return statistics.fmean(value for one in series for value in one.sales[part])

    assert 1.04 < mean(slice(1096, 1461)) / mean(slice(0, 365)) < 1.25
    # 2021 begins on a Friday.
    assert mean(slice(2, None, 7)) > 1.3 * mean(slice(3, None, 7))
    assert mean(slice(180, 210)) > 1.3 * mean(slice(0, 30))
