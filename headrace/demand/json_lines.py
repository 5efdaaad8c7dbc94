"""Series as JSON Lines, which SageMaker's DeepAR reads: a series a line, with numbers for its store and its item.

{"start": "2013-01-01 00:00:00", "target": [13, 11, 14], "cat": [0, 0]}
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from headrace.demand.reading import Series


def number_categories(series: Iterable[Series]) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """The number of each store and of each item, in the order in which they come first."""
    listed = list(series)
    stores = dict.fromkeys(one.store for one in listed)
    items = dict.fromkeys(one.item for one in listed)
    return {name: place for place, name in enumerate(stores)}, {name: place for place, name in enumerate(items)}


def list_instances(series: Sequence[Series], *, end: date | None = None) -> Iterator[dict[str, Any]]:
    """The object of each series.

    Args:
        series: All series of a file.
        end: The first day that is left out; series that begin later are left out as well.
    """
    stores, items = number_categories(series)
    for one in series:
        days = min(len(one.sales), (end - one.start).days) if end else len(one.sales)
        if days > 0:
            yield {
                "start": f"{one.start} 00:00:00",
                "target": [_plain(sales) for sales in one.sales[:days]],
                "cat": [stores[one.store], items[one.item]],
            }


def find_cut(series: Sequence[Series], days: int) -> date:
    """The first of so many last days."""
    return max(one.end for one in series) - timedelta(days=days - 1)


def dump_instances(instances: Iterable[Mapping[str, Any]]) -> str:
    """The lines."""
    return "".join(f"{json.dumps(instance)}\n" for instance in instances)


def _plain(sales: float) -> float | int:
    return int(sales) if sales.is_integer() else sales
