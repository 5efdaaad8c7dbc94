"""From what the trees say to forecasts: at the series' level, calibrated, never negative, never crossing."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def combine(shares: Values, factors: Values, levels: Values) -> Values:
    """The forecasts, a row a day and a column a quantile, the lowest quantile first.

    Args:
        shares: What the trees say of each day and quantile, as a share of the level.
        factors: What calibration multiplies each quantile by.
        levels: The level of the series on each day.
    """
    calibrated = np.maximum(shares * factors, 0.0)
    # Each quantile has trees of its own, which may contradict each other; in order, they err less.
    return np.asarray(np.sort(calibrated, axis=1) * levels[:, None])
