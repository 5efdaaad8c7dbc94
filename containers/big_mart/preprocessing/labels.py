"""The labels: the sales themselves, or which of some equal ranges they are in.

The ranges are fitted on the training part only; what is beyond them belongs to the first or the last. `bins.json`
holds their edges, and how many training rows are in each. A sample:

    {"edges": [33.29, 3295.52, 6557.74, 9819.97, 13082.19], "rows": [6170, 1378, 119, 4]}
"""

import json

import numpy as np
from numpy.typing import NDArray

from . import contract
from .failures import ArgumentError, SalesError
from .sales import Mask, Numbers

MOST_BINS = 100


def parse_bins(text: str) -> int:
    """In how many ranges the labels are put; 0 for numbers."""
    if not (text.isascii() and text.isdecimal() and (int(text[:9]) == 0 or 2 <= int(text[:9]) <= MOST_BINS)):
        raise ArgumentError(
            f"{contract.BINS_ARGUMENT}: {text[:100]!r} is neither 0 nor a whole number from 2 to {MOST_BINS}, such as 4"
        )
    return int(text)


def fit_edges(target: Numbers, training: Mask, bins: int) -> Numbers:
    """The edges of equal ranges from the least to the most that the training rows sell."""
    known = target[training]
    if known.min() == known.max():
        raise SalesError(
            f"all training rows have the same sales, {known.min():g}, and make no {bins} ranges; "
            f"add rows, or set {contract.BINS_ARGUMENT} to 0"
        )
    return np.linspace(known.min(), known.max(), bins + 1)


def find_bins(target: Numbers, edges: Numbers) -> NDArray[np.int64]:
    """The number of each row's range, from 0 on; an inner edge belongs to the lower one."""
    return np.searchsorted(edges[1:-1], target, side="left")


def dump_bins(edges: Numbers, labels: NDArray[np.int64]) -> str:
    """The file of the ranges, described at the head of this module."""
    rows = np.bincount(labels, minlength=len(edges) - 1)
    return json.dumps({"edges": edges.tolist(), "rows": rows.tolist()}, allow_nan=False) + "\n"
