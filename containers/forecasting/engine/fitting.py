"""Growing trees for each quantile, choosing among ways to grow them, and calibrating what they say.

All of it happens before the test: the last windows of the training channel are held out of the trees that are compared
on them. Quantiles of what really came there are the calibration; then trees are grown from all days.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from containers.shared.job.events import log_event
from containers.shared.job.training_failures import TrainingDataError

from .channels import Span
from .examples import Examples, make_examples
from .features import Values
from .hyperparameters import Hyperparameters
from .quantiles import combine
from .scores import find_quantile_loss

LEAST_EXAMPLES = 100
# Beyond these, the windows say more about their own days than about the trees.
LEAST_FACTOR, MOST_FACTOR = 0.5, 2.0
_SMALLEST_SHARE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to grow trees."""

    max_iter: int
    learning_rate: float
    max_leaf_nodes: int
    min_samples_leaf: int


WAYS = (
    Way(max_iter=60, learning_rate=0.12, max_leaf_nodes=15, min_samples_leaf=100),
    Way(max_iter=60, learning_rate=0.12, max_leaf_nodes=31, min_samples_leaf=50),
    Way(max_iter=60, learning_rate=0.12, max_leaf_nodes=7, min_samples_leaf=200),
)


@dataclass(frozen=True)
class Forecaster:
    """Trees for each quantile, and what calibration multiplies their answers by."""

    quantiles: tuple[float, ...]
    trees: tuple[HistGradientBoostingRegressor, ...]
    factors: Values

    def forecast(self, examples: Examples) -> Values:
        """The quantiles of each example's demand."""
        return combine(ask(self.trees, examples), self.factors, examples.levels)


@dataclass(frozen=True)
class Choice:
    """The way that erred least on the windows before the test, with its calibration there."""

    way: Way
    factors: Values
    loss: float

    def describe(self) -> Mapping[str, object]:
        """The choice as data."""
        return {**asdict(self.way), "factors": [round(float(factor), 6) for factor in self.factors], "loss": self.loss}


def choose_way(span: Span, hyperparameters: Hyperparameters) -> Choice:
    """Try all ways on the last windows of the training days."""
    horizon = hyperparameters.prediction_length
    begin, train = split_windows(span, hyperparameters)
    held_out = make_examples(span, begin, span.end, horizon)
    choices = []
    for way in WAYS:
        trees = grow(train, way, hyperparameters)
        said = ask(trees, held_out)
        factors = calibrate(said, held_out, hyperparameters.test_quantiles)
        forecasts = combine(said, factors, held_out.levels)
        loss = round(find_quantile_loss(held_out.demand, forecasts, hyperparameters.test_quantiles), 6)
        log_event("way_tried", leaves=way.max_leaf_nodes, trees=way.max_iter, mean_wQuantileLoss=loss)
        choices.append(Choice(way, factors, loss))
    return min(choices, key=lambda choice: choice.loss)


def split_windows(span: Span, hyperparameters: Hyperparameters) -> tuple[int, Examples]:
    """The first day of the windows, as many as leave enough to learn from, and the examples before it."""
    horizon = hyperparameters.prediction_length
    for windows in range(hyperparameters.calibration_windows, 0, -1):
        begin = span.end - windows * horizon
        examples = make_examples(span, 0, max(begin, 0), horizon)
        if len(examples) >= LEAST_EXAMPLES:
            log_event("windows_held_out", windows=windows, days=windows * horizon, examples=len(examples))
            return begin, examples
    raise TrainingDataError(
        f"fewer than {LEAST_EXAMPLES} days of all series can be learnt from; give more history or more series, "
        "or lower prediction_length"
    )


def fit(span: Span, choice: Choice, hyperparameters: Hyperparameters) -> Forecaster:
    """Grow trees from all training days in the way that was chosen."""
    examples = make_examples(span, 0, span.end, hyperparameters.prediction_length)
    log_event("fitting", examples=len(examples), features=examples.features.shape[1], **asdict(choice.way))
    trees = grow(examples, choice.way, hyperparameters)
    return Forecaster(hyperparameters.test_quantiles, trees, choice.factors)


def grow(examples: Examples, way: Way, hyperparameters: Hyperparameters) -> tuple[HistGradientBoostingRegressor, ...]:
    """Trees for each quantile."""
    # scikit-learn finds no thresholds in a column without a value, such as two years before a short history.
    features = np.where(np.isnan(examples.features).all(axis=0), np.float32(0), examples.features)
    return tuple(
        HistGradientBoostingRegressor(
            loss="quantile",
            quantile=quantile,
            early_stopping=False,
            random_state=hyperparameters.seed,
            **asdict(way),
        ).fit(features, examples.shares)
        for quantile in hyperparameters.test_quantiles
    )


def ask(trees: tuple[HistGradientBoostingRegressor, ...], examples: Examples) -> Values:
    """What the trees say of each example, a column a quantile."""
    return np.stack([grown.predict(examples.features) for grown in trees], axis=1)


def calibrate(said: Values, examples: Examples, quantiles: tuple[float, ...]) -> Values:
    """What to multiply each quantile by, so that as many days as it says stay below it."""
    selling = examples.levels > 0
    if not selling.any():
        return np.ones(len(quantiles))
    ratios = examples.shares[selling, None] / np.maximum(said[selling], _SMALLEST_SHARE)
    factors = [np.quantile(ratios[:, place], quantile) for place, quantile in enumerate(quantiles)]
    return np.clip(factors, LEAST_FACTOR, MOST_FACTOR)
