"""Measures of forecasts; all but the quantile loss, and how often demand stays below a quantile, are of the median."""

from collections.abc import Sequence

import numpy as np

from .features import Values


def find_smape(demand: Values, forecast: Values) -> float:
    """The symmetric mean absolute percentage error: 0 to 200, and 0 for a day rightly without demand."""
    total = demand + forecast
    return 200 * float(np.mean(np.divide(np.abs(demand - forecast), total, out=np.zeros_like(total), where=total > 0)))


def find_rmse(demand: Values, forecast: Values) -> float:
    """The root of the mean squared error."""
    return float(np.sqrt(np.mean((demand - forecast) ** 2)))


def find_quantile_loss(demand: Values, forecasts: Values, quantiles: Sequence[float]) -> float:
    """DeepAR's mean weighted quantile loss: of each quantile twice the loss over all demand, and the mean of these."""
    total = max(float(np.sum(np.abs(demand))), 1e-9)
    return float(np.mean([_sum_loss(demand, forecasts[:, i], q) / total for i, q in enumerate(quantiles)]))


def find_coverages(demand: Values, forecasts: Values) -> list[float]:
    """The share of days whose demand is not above each quantile."""
    return [float(share) for share in np.mean(demand[:, None] <= forecasts, axis=0)]


def _sum_loss(demand: Values, forecast: Values, quantile: float) -> float:
    above = demand - forecast
    return 2 * float(np.sum(np.maximum(quantile * above, (quantile - 1) * above)))
