from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from containers.forecasting.engine.features import NAMES, History, make_features
from containers.forecasting.engine.quantiles import combine

START = date(2022, 1, 1)


def test_knows_nothing_of_the_days_within_the_horizon() -> None:
    demand = np.arange(1.0, 801.0)
    changed = demand.copy()
    changed[700 - 90 + 1 :] = 1e6

    before, after = (make_features(History(START, values), np.array([700]), 90) for values in (demand, changed))

    np.testing.assert_array_equal(before.rows, after.rows)
    np.testing.assert_array_equal(before.levels, after.levels)


def test_makes_the_same_features_of_days_to_come_as_of_days_that_have_come() -> None:
    demand = np.random.default_rng(1).uniform(10, 20, 900)
    days = np.arange(800, 890)

    known = make_features(History(START, demand), days, 90)
    to_come = make_features(History(START, demand[:800]), days, 90)

    np.testing.assert_array_equal(known.rows, to_come.rows)
    assert known.rows.shape == (90, len(NAMES))


def test_has_no_level_where_too_little_is_known() -> None:
    levels = make_features(History(START, np.ones(56)), np.arange(56, 84), 28).levels

    assert np.isnan(levels[:-1]).all()
    assert np.isnan(make_features(History(START, np.ones(0)), np.arange(3), 28).levels).all()
    assert make_features(History(START, np.ones(84)), np.arange(84, 85), 28).levels == [1.0]


def test_makes_the_same_of_a_series_ten_times_as_large() -> None:
    demand = np.random.default_rng(2).uniform(10, 20, 900)
    days = np.arange(850, 900)

    small, large = (make_features(History(START, demand * size), days, 28) for size in (1, 10))

    np.testing.assert_allclose(small.rows, large.rows, rtol=1e-6)


@given(
    arrays(np.float64, (5, 3), elements=st.floats(-2, 5)),
    arrays(np.float64, 3, elements=st.floats(0.5, 2)),
    arrays(np.float64, 5, elements=st.floats(0, 1e6)),
)
def test_never_crosses_quantiles_and_never_forecasts_negative_demand(
    shares: np.ndarray, factors: np.ndarray, levels: np.ndarray
) -> None:
    forecasts = combine(shares, factors, levels)

    assert (np.diff(forecasts, axis=1) >= 0).all()
    assert (forecasts >= 0).all()
