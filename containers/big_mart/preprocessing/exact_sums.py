"""Sums of numbers without any rounding, so that they depend neither on an order nor on who adds which part."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BLOCK_BITS: Final = 16
BLOCK_ROWS: Final = 2**_BLOCK_BITS
# Of a float64: bits of its digits, and the exponent of the least one.
_DIGITS: Final = 53
_LEAST_EXPONENT: Final = -1074


def add_exactly(totals: Sequence[Fraction], values: NDArray[np.float64], groups: NDArray[np.intp]) -> list[Fraction]:
    """Totals with the values of their groups added.

    Args:
        totals: One for each group.
        values: Finite numbers, at most `BLOCK_ROWS` of them.
        groups: The group of each.
    """
    added = list(totals)
    rest = values.copy()
    while rest.size and (largest := float(np.abs(rest).max())):
        # Multiples of a step that is coarse enough: so many of them add up without rounding.
        step = math.ldexp(1.0, max(math.frexp(largest)[1] + _BLOCK_BITS + 2 - _DIGITS, _LEAST_EXPONENT))
        shift = 1.5 * 2.0 ** (_DIGITS - 1) * step
        high = (rest + shift) - shift
        for group, total in enumerate(np.bincount(groups, high, minlength=len(added)).tolist()):
            if total:
                added[group] += Fraction(total)
        rest -= high
    return added
