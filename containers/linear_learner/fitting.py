"""Fitting linear models side by side in mini-batches, and keeping the best of them."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from containers.shared.job.training_failures import HyperparameterError, TrainingDataError
from containers.shared.tables.labelled import Table

from . import contract
from .hyperparameters import Hyperparameters
from .losses import Loss, choose_loss
from .optimizers import make_optimizer
from .scaling import Scaling, fit_scaling

# How the models that are fitted differ: by what the learning rate and the weight decay are multiplied.
_VARIATIONS: Final = tuple((rate, decay) for decay, rate in itertools.product((1.0, 100.0, 0.0), (1.0, 0.3, 3.0, 0.1)))
_USUAL_MODELS: Final = 8
_USUAL_DECAY: Final = 1e-4
# A model that has lost so many times what it lost before it learnt anything will not come back.
_BEYOND: Final = 1e6
_USUAL_STEP, _USUAL_FACTOR, _USUAL_LEAST_RATE = 10, 0.99, 1e-4

Numbers = NDArray[np.float64]
Say = Callable[[str], Any]


@dataclass(frozen=True)
class Linear:
    """A linear model of features as they come: weights, a row for each score, and intercepts."""

    weights: Numbers
    intercepts: Numbers
    loss: Loss

    def score(self, features: Any) -> Numbers:
        """The scores, one row per row of features."""
        return np.asarray(features @ self.weights.T) + self.intercepts


class Candidate:
    """One of the models that are fitted side by side.

    Args:
        hyperparameters: The job's.
        start: The parameters to begin with: a row for each score, the bias last.
        rate: The learning rate.
        decay: The weight decay.
    """

    def __init__(self, hyperparameters: Hyperparameters, start: Numbers, rate: float, decay: float) -> None:
        self.rate, self.decay = rate, decay
        self.parameters = start.copy()
        self._optimizer = make_optimizer(hyperparameters)
        self._l1 = hyperparameters.number("l1")
        self._steps = 0
        self._least_rate = hyperparameters.number("lr_scheduler_minimum_lr", _USUAL_LEAST_RATE)
        self._every = hyperparameters.whole("lr_scheduler_step", _USUAL_STEP)
        schedules = hyperparameters.flag("use_lr_scheduler")
        self._factor = hyperparameters.number("lr_scheduler_factor", _USUAL_FACTOR) if schedules else 1.0
        uses_bias = hyperparameters.flag("use_bias")
        bias_rate = hyperparameters.number("bias_lr_mult", 1.0) if uses_bias else 0.0
        self._rates = np.append(np.ones(start.shape[1] - 1), bias_rate)
        self._decays = np.append(np.ones(start.shape[1] - 1), hyperparameters.number("bias_wd_mult", 0.0)) * decay

    def learn(self, features: Any, gradient: Numbers) -> None:
        """Follow the gradient by the scores of some rows, which is that of their mean loss."""
        by_weights = np.asarray((features.T @ gradient).T)
        whole = np.column_stack([by_weights, gradient.sum(axis=0)]) + self._decays * self.parameters
        rate = max(self.rate * self._factor ** (self._steps // self._every), min(self._least_rate, self.rate))
        self._steps += 1
        self.parameters -= rate * self._rates * self._optimizer.find_step(whole)
        if self._l1:
            weights = self.parameters[:, :-1]
            weights[:] = np.sign(weights) * np.maximum(np.abs(weights) - rate * self._l1, 0)

    def score(self, features: Any) -> Numbers:
        """The scores, one row per row of scaled features."""
        return np.asarray(features @ self.parameters[:, :-1].T) + self.parameters[:, -1]

    def take_back(self, scaling: Scaling, loss: Loss) -> Linear:
        """The model of features as they come."""
        return Linear(*scaling.take_back(self.parameters[:, :-1], self.parameters[:, -1]), loss)


def fit(training: Table, validation: Table | None, hyperparameters: Hyperparameters, *, host: str, say: Say) -> Linear:
    """The model whose loss was lowest after any epoch, in the rows to judge by where there are some.

    Args:
        training: The rows to learn from.
        validation: The rows to judge by.
        hyperparameters: The job's.
        host: What this instance is called.
        say: Writes a line of the log.

    Raises:
        HyperparameterError: If no model's loss stays finite, or there are fewer rows than in a mini-batch.
    """
    size = hyperparameters.whole("mini_batch_size")
    if size > len(training.labels):
        raise HyperparameterError(
            f"hyperparameter mini_batch_size: {size}, but channel 'train' has {len(training.labels)} rows; lower it"
        )
    scaling, loss = fit_scaling(training.features, training.labels, hyperparameters), choose_loss(hyperparameters)
    features, labels = scaling.scale_features(training.features), scaling.scale_labels(training.labels)
    candidates = make_candidates(hyperparameters, features.shape[1])
    batches = _Batches(features, labels, weigh_rows(training.labels, hyperparameters), size)
    watch = _Watch(hyperparameters)
    most = _BEYOND * max(float(loss.measure(candidates[0].score(features), labels)[0].mean()), 1.0)
    epochs = hyperparameters.whole("epochs")
    for epoch in range(epochs):
        start = time.monotonic()
        learnt = learn_epoch(candidates, batches, loss)
        seconds = time.monotonic() - start
        with np.errstate(over="ignore", invalid="ignore"):
            models = [candidate.take_back(scaling, loss) for candidate in candidates]
        judged = [_judge(model, validation) if validation else lost for model, lost in zip(models, learnt, strict=True)]
        judged = [value if lost < most else np.inf for value, lost in zip(judged, learnt, strict=True)]
        best = watch.look(models, judged)
        said = f"host={host}, epoch={epoch}"
        say(f"#quality_metric: {said}, train {loss.objective} <loss>={learnt[best]}")
        if validation:
            say(f"#quality_metric: {said}, validation {loss.objective} <loss>={judged[best]}")
        say(f"#early_stopping_criteria_metric: {said}, criteria={loss.objective}, value={judged[best]}")
        say(f"#progress_metric: host={host}, completed {100 * (epoch + 1) // epochs} % of epochs")
        say(f"#throughput_metric: host={host}, train throughput={len(labels) / max(seconds, 1e-6)} records/second")
        if watch.is_over:
            break
    if watch.model is None:
        raise HyperparameterError(
            "hyperparameter learning_rate: the loss of every model grew beyond all bounds; lower it, or set "
            "normalize_data to true"
        )
    chosen = candidates[watch.place]
    say(f'Best model found for hyperparameters: {{"learning_rate": {chosen.rate}, "wd": {chosen.decay}}}')
    return watch.model


class _Batches:
    """Rows in another order in each epoch, a mini-batch at a time, each with how much it counts."""

    def __init__(self, features: Any, labels: Numbers, weights: Numbers, size: int) -> None:
        self._features, self._labels, self._weights, self._size = features, labels, weights, size
        self._chance = np.random.default_rng(0)

    def __len__(self) -> int:
        return len(self._labels)

    def __iter__(self) -> Iterator[tuple[Any, Numbers, Numbers]]:
        order = self._chance.permutation(len(self._labels))
        for start in range(0, len(order), self._size):
            rows = order[start : start + self._size]
            yield self._features[rows], self._labels[rows], self._weights[rows]


def learn_epoch(candidates: list[Candidate], batches: _Batches, loss: Loss) -> list[float]:
    """Let each model learn from every row once, and return the mean loss of each while it learnt."""
    learnt = [0.0] * len(candidates)
    with np.errstate(over="ignore", invalid="ignore"):
        for features, labels, counts in batches:
            for place, candidate in enumerate(candidates):
                losses, gradient = loss.measure(candidate.score(features), labels)
                learnt[place] += float(losses @ counts)
                candidate.learn(features, gradient * counts[:, None] / len(labels))
    return [total / len(batches) for total in learnt]


class _Watch:
    """Keeps the best model so far, and knows when there is nothing more to be gained."""

    def __init__(self, hyperparameters: Hyperparameters) -> None:
        self.model: Linear | None = None
        self.place = 0
        self.is_over = False
        self._loss = np.inf
        self._patience = hyperparameters.whole("early_stopping_patience")
        self._tolerance = hyperparameters.number("early_stopping_tolerance")
        self._waited = 0

    def look(self, models: list[Linear], losses: list[float]) -> int:
        """Which model is the best of an epoch."""
        finite = [loss if np.isfinite(loss) else np.inf for loss in losses]
        best = int(np.argmin(finite))
        gained = self._loss - finite[best] if np.isfinite(self._loss) else np.inf
        improved = gained > self._tolerance * abs(finite[best]) and np.isfinite(finite[best])
        self._waited = 0 if improved else self._waited + 1
        self.is_over = self._waited >= self._patience
        if finite[best] < self._loss:
            self.model, self.place, self._loss = models[best], best, finite[best]
        return best


def make_candidates(hyperparameters: Hyperparameters, width: int) -> list[Candidate]:
    """The models that are fitted side by side: one as it is asked for, and others close to it."""
    classes = hyperparameters.whole("num_classes") if hyperparameters.predictor_type == contract.MULTICLASS else 1
    chance = np.random.default_rng(0)
    if hyperparameters.word("init_method") == "normal":
        start = chance.normal(0, hyperparameters.number("init_sigma"), (classes, width))
    else:
        scale = hyperparameters.number("init_scale")
        start = chance.uniform(-scale, scale, (classes, width))
    bias = hyperparameters.number("init_bias") if hyperparameters.flag("use_bias") else 0.0
    parameters = np.column_stack([start, np.full(classes, bias)])
    rate = hyperparameters.number("learning_rate", make_optimizer(hyperparameters).usual_rate)
    decay = hyperparameters.number("wd", _USUAL_DECAY)
    pairs = dict.fromkeys((rate * by_rate, decay * by_decay) for by_rate, by_decay in _VARIATIONS)
    count = hyperparameters.whole("num_models", _USUAL_MODELS)
    return [Candidate(hyperparameters, parameters, *pair) for pair in list(pairs)[:count]]


def weigh_rows(labels: NDArray[Any], hyperparameters: Hyperparameters) -> Numbers:
    """How much each row counts, 1 on average where classes are balanced."""
    kind = hyperparameters.predictor_type
    if kind == contract.MULTICLASS and hyperparameters.flag("balance_multiclass_weights"):
        classes, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
        return np.asarray((len(labels) / len(classes) / counts)[places])
    if kind != contract.BINARY:
        return np.ones(len(labels))
    positive = max(int(np.sum(labels == 1)), 1)
    balanced = (len(labels) - positive) / positive
    asked = hyperparameters.word("positive_example_weight_mult")
    weight = balanced if asked == "balanced" else hyperparameters.number("positive_example_weight_mult", 1.0)
    return np.where(labels == 1, weight, 1.0)


def _judge(model: Linear, validation: Table) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        losses, _ = model.loss.measure(model.score(validation.features), validation.labels.astype(np.float64))
    return float(losses.mean())


def check_features(channel: str, table: Table, width: int) -> None:
    """Refuse rows that a linear model cannot be fitted to, or asked about.

    Args:
        channel: The channel that they are from.
        table: The rows.
        width: How many features there must be.
    """
    found = table.features.shape[1]
    if found != width:
        raise TrainingDataError(f"channel {channel!r} has {found} features, but there must be {width}")
    values = getattr(table.features, "data", None) if hasattr(table.features, "tocsr") else table.features
    finite = np.isfinite(np.asarray(values))
    if not finite.all():
        row = int(np.argmin(finite.all(axis=1))) + 1 if finite.ndim > 1 else None
        place = f", row {row}" if row else ""
        raise TrainingDataError(
            f"channel {channel!r}{place}: a feature is missing or not finite, and a linear model takes numbers only; "
            "fill it in first, with the mean for example"
        )
