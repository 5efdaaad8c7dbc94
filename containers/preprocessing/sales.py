"""The sales table in memory: one array per column, whatever it was read from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Codes = NDArray[np.int32]
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
