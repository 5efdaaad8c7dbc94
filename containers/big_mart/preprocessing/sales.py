"""The sales table in memory: one array per column, whatever it was read from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
# Of the least type that has room for them: they are most of what is there for each row.
Codes = NDArray[np.signedinteger[Any]]
Mask = NDArray[np.bool_]

# Features are float32, so larger numbers are as good as infinite.
LARGEST_NUMBER = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class CategoryColumn:
    """A text column: each row's index into `names`, -1 where the cell is empty.

    Names may repeat, and an empty name is a missing value.
    """

    codes: Codes
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Sales:
    """Raw sales: numbers with NaN for empty cells, categories, the target, and the raw columns in file order."""

    columns: tuple[str, ...]
    numbers: dict[str, Numbers]
    categories: dict[str, CategoryColumn]
    target: Numbers

    def slice(self, start: int, stop: int) -> "Sales":
        """Some of the rows, without copying them."""
        return Sales(
            columns=self.columns,
            numbers={column: values[start:stop] for column, values in self.numbers.items()},
            categories={
                column: CategoryColumn(category.codes[start:stop], category.names)
                for column, category in self.categories.items()
            },
            target=self.target[start:stop],
        )


def concatenate_sales(parts: Sequence[Sales]) -> Sales:
    """The rows of all parts in their order; each part is emptied as it is copied, so that rows are not held twice."""
    first = parts[0]
    return Sales(
        columns=first.columns,
        numbers={
            column: np.concatenate([part.numbers.pop(column) for part in parts]) for column in list(first.numbers)
        },
        categories={
            column: concatenate_categories([part.categories.pop(column) for part in parts])
            for column in list(first.categories)
        },
        target=np.concatenate([part.target for part in parts]),
    )


def concatenate_categories(parts: Sequence[CategoryColumn]) -> CategoryColumn:
    """One column of parts whose names may differ; its own are sorted."""
    names = tuple(sorted({name for part in parts for name in part.names}))
    places = {name: place for place, name in enumerate(names)}
    # The code of a missing name, -1, is the table's last entry.
    tables = [np.array([*(places[name] for name in part.names), -1], choose_code_type(len(names))) for part in parts]
    return CategoryColumn(np.concatenate([table[part.codes] for table, part in zip(tables, parts, strict=True)]), names)


def choose_code_type(names: int) -> type[np.signedinteger[Any]]:
    """The least type of the codes of so many names."""
    return next(kind for kind in (np.int8, np.int16, np.int32) if names <= np.iinfo(kind).max)
