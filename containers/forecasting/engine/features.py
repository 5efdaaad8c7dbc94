"""What a model knows of a day to come: the calendar, and what was sold at least a horizon before it.

Training and serving make features by these same rules. All demand is divided by the series' own level, its mean over
a year, so that one model serves large and small series, and those that it has never seen.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Days = NDArray[np.int64]

WEEK = 7
# Weeks, so that a day is compared with the same weekday.
YEAR = 52 * WEEK
# Without two months of sales there is no level to speak of.
LEAST_LEVEL_DAYS = 8 * WEEK
MOST_HORIZON = YEAR
RECENT_WEEKS = 8
NAMES = (
    "weekday",
    "day_of_year",
    "day_of_month",
    "same_weekday_1",
    "same_weekday_2",
    "same_weekday_3",
    "same_weekday_4",
    "same_weekday_mean",
    "a_year_before",
    "two_years_before",
    "week_a_year_before",
    "month_a_year_before",
    "month_two_years_before",
    "last_week",
    "last_month",
    "last_quarter",
    "growth_of_the_year",
    "growth_of_the_month",
    "season_a_year_before",
)


@dataclass(frozen=True)
class Features:
    """Features of some days of a series, a row a day, and the level that demand is divided by on each; NaN for none."""

    rows: NDArray[np.float32]
    levels: Values


class History:
    """What is known of a series.

    Args:
        start: Its first day.
        demand: What was sold on each day, NaN where it is not known.
    """

    def __init__(self, start: date, demand: Values) -> None:
        self.start = start
        self.demand = demand
        known = np.isfinite(demand)
        self._sums = np.concatenate([[0.0], np.cumsum(np.where(known, demand, 0.0))])
        self._counts = np.concatenate([[0], np.cumsum(known)])

    def look_back(self, days: Days, distance: int) -> Values:
        """What was sold so many days before each day."""
        places = days - distance
        inside = (places >= 0) & (places < len(self.demand))
        if not len(self.demand):
            return np.full(len(days), np.nan)
        return np.where(inside, self.demand[np.clip(places, 0, len(self.demand) - 1)], np.nan)

    def average(self, ends: Days, width: int, least: int | None = None) -> Values:
        """The mean of so many days up to each end; NaN where fewer than the least number, or half, are known."""
        stops = np.clip(ends + 1, 0, len(self.demand))
        starts = np.clip(ends + 1 - width, 0, len(self.demand))
        counts = self._counts[stops] - self._counts[starts]
        sums = self._sums[stops] - self._sums[starts]
        enough = counts >= (least or (width + 1) // 2)
        return np.where(enough, sums / np.maximum(counts, 1), np.nan)


def make_features(history: History, days: Days, horizon: int) -> Features:
    """The features of days by their numbers from the first day on, from what was known a horizon before each."""
    latest = days - horizon
    levels = history.average(latest, YEAR, LEAST_LEVEL_DAYS)
    # A series that sells nothing has no rhythm: every feature of it says so.
    divisors = np.where(levels > 0, levels, np.nan)
    nearest = -(-horizon // WEEK) * WEEK
    recent = np.stack([history.look_back(days, nearest + WEEK * week) for week in range(RECENT_WEEKS)])
    month_before = history.average(latest - YEAR, 28)
    columns = [
        *_list_dates(history.start, days),
        *(recent[:4] / divisors),
        recent.mean(axis=0) / divisors,
        history.look_back(days, YEAR) / divisors,
        history.look_back(days, 2 * YEAR) / divisors,
        history.average(days - YEAR + 3, WEEK) / divisors,
        history.average(days - YEAR + 14, 29) / divisors,
        history.average(days - 2 * YEAR + 14, 29) / divisors,
        history.average(latest, WEEK) / divisors,
        history.average(latest, 28) / divisors,
        history.average(latest, 91) / divisors,
        _divide(divisors, history.average(latest - YEAR, YEAR)),
        _divide(history.average(latest, 28), month_before),
        _divide(history.average(days - YEAR + 14, 29), month_before),
    ]
    return Features(np.stack(columns, axis=1).astype(np.float32), levels)


def _list_dates(start: date, days: Days) -> list[Values]:
    dates = [start + timedelta(days=int(day)) for day in days]
    return [
        np.array([day.weekday() for day in dates], dtype=np.float64),
        np.array([day.timetuple().tm_yday for day in dates], dtype=np.float64),
        np.array([day.day for day in dates], dtype=np.float64),
    ]


def _divide(values: Values, by: Values) -> Values:
    return values / np.where(by > 0, by, np.nan)
