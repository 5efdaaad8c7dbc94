"""Choosing the rows that are held out for testing."""

import numpy as np

from .failures import SalesError
from .sales import Mask


def choose_held_out_rows(rows: int, *, ratio: float, seed: int) -> Mask:
    """True for exactly `round(rows * ratio)` rows, the same ones for the same seed."""
    held_out = round(rows * ratio)
    if held_out in (0, rows):
        raise SalesError(
            f"the input has {rows} rows, too few to split at a ratio of {ratio}: "
            f"{rows - held_out} would be left for training and {held_out} for testing; "
            "add rows or choose a ratio that leaves at least one row for each"
        )
    mask = np.zeros(rows, dtype=np.bool_)
    mask[np.random.default_rng(seed).choice(rows, held_out, replace=False, shuffle=False)] = True
    return mask
