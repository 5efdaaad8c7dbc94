import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.big_mart.preprocessing.exact_sums import add_exactly
from containers.big_mart.preprocessing.fitting import (
    count_names,
    describe_category,
    find_fill,
    find_mean,
    find_scale,
    measure_groups,
)
from containers.big_mart.preprocessing.sales import CategoryColumn

NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), max_size=50)
SMALL = st.lists(st.floats(min_value=-1e-300, max_value=1e-300), max_size=20)


def column_of(*names: str) -> CategoryColumn:
    distinct = tuple(sorted(set(names) - {""}))
    return CategoryColumn(np.array([distinct.index(name) if name else -1 for name in names], np.int32), distinct)


def every_row(count: int) -> np.ndarray:
    return np.ones(count, np.bool_)


@given(NUMBERS | SMALL | st.just([1e300, 1.0, -1e300]))
def test_adds_without_rounding(numbers: list[float]) -> None:
    values = np.array(numbers)

    (total,) = add_exactly([Fraction(1)], values, np.zeros(len(values), np.intp))

    assert total == 1 + sum(map(Fraction, numbers))


def test_finds_means_of_named_groups_only() -> None:
    values, by = np.array([1.0, 5.0, 9.0, 2.0, np.nan]), column_of("a", "b", "", "a", "b")

    groups = measure_groups(values, by, every_row(5))

    fill = find_fill("Item_Weight", groups)
    assert fill.values == {"a": 1.5, "b": 5.0}
    assert fill.otherwise == 4.25
    assert find_mean(groups, fill) == 4.4


def test_takes_the_population_deviation_as_scale() -> None:
    groups = measure_groups(np.array([1.0, 3.0]), None, every_row(2))
    fill = find_fill("Item_MRP", groups)

    assert find_mean(groups, fill) == 2.0
    assert find_scale(Fraction(2), groups, fill, 2.0) == 1.0
    assert describe_category("Item_Type", {"b": 3, "a": 1}).mean == 0.75
    assert describe_category("Item_Type", {"b": 3, "a": 1}).scale == pytest.approx(math.sqrt(3) / 4)


def test_counts_names_that_are_spelt_twice_together() -> None:
    column = CategoryColumn(np.array([0, 1, 2, -1, 0], np.int32), ("Low Fat", "Low Fat", ""))

    assert count_names(column, np.array([True, True, True, True, False])) == {"Low Fat": 2}
