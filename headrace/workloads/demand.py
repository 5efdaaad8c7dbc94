"""Made-up daily demand of items in stores: a trend, a week, a year, promotions and chance, the same for a seed.

The size of everything is that of a public data set of store-item demand: 10 to 100 pieces a day, a quarter more at
weekends than at the beginning of the week, half more in summer than in winter, some percent more each year.
"""

import csv
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from headrace.demand import COLUMNS
from headrace.files import whole_file

DEFAULT_SEED: Final = 42
STORES: Final = 2
ITEMS: Final = 10
FIRST_DAY: Final = date(2021, 1, 1)
LAST_DAY: Final = date(2024, 12, 31)

Row = tuple[str, str, str, str]

# From Monday to Sunday, as shares of the mean.
_WEEK: Final = (0.80, 0.92, 0.93, 0.99, 1.06, 1.13, 1.17)
_SMALLEST, _LARGEST = 12, 70
_YEAR_DAYS: Final = 365.25
# The summer is in July.
_PEAK_DAY: Final = 196
_PROMOTION_DAYS: Final = 7
_PROMOTIONS_A_YEAR: Final = 5
_PROMOTED: Final = 1.25


@dataclass(frozen=True)
class Article:
    """What decides how much of an item a store sells."""

    mean: float
    growth: float
    season: float
    promotions: frozenset[int]


def write_csv(path: Path, seed: int = DEFAULT_SEED, *, stores: int = STORES, items: int = ITEMS) -> None:
    """Write a file of made-up demand with a header; it appears whole or not at all."""
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(make_rows(seed, stores=stores, items=items))


def make_rows(seed: int, *, stores: int, items: int) -> Iterator[Row]:
    """Made-up rows, series by series, the same for the same seed."""
    # Made-up data need no cryptographic randomness, but the same bytes for a seed.
    chance = random.Random(seed)  # noqa: S311
    days = (LAST_DAY - FIRST_DAY).days + 1
    for store in range(1, stores + 1):
        size = chance.uniform(0.8, 1.2)
        for item in range(1, items + 1):
            article = _draw_article(size, days, chance)
            for day in range(days):
                sales = _draw_sales(article, day, chance)
                yield str(FIRST_DAY + timedelta(days=day)), str(store), str(item), str(sales)


def _draw_article(size: float, days: int, chance: random.Random) -> Article:
    count = round(days / _YEAR_DAYS * _PROMOTIONS_A_YEAR)
    starts = [chance.randrange(days) for _ in range(count)]
    return Article(
        mean=size * chance.uniform(_SMALLEST, _LARGEST),
        growth=chance.uniform(0.02, 0.08),
        season=chance.uniform(0.15, 0.35),
        promotions=frozenset(start + day for start in starts for day in range(_PROMOTION_DAYS)),
    )


def _draw_sales(article: Article, day: int, chance: random.Random) -> int:
    """The pieces sold on a day; chance moves them by somewhat more than a Poisson distribution does."""
    today = FIRST_DAY + timedelta(days=day)
    wave = math.cos(2 * math.pi * (today.timetuple().tm_yday - _PEAK_DAY) / _YEAR_DAYS)
    expected = article.mean * _WEEK[today.weekday()] * (1 + article.season * wave)
    expected *= (1 + article.growth) ** (day / _YEAR_DAYS) * (_PROMOTED if day in article.promotions else 1.0)
    return max(0, round(chance.gauss(expected, math.sqrt(1.5 * expected))))
