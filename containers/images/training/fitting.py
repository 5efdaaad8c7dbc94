"""Fitting the linear classifier."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from containers.shared.images.classifier import Classifier
from containers.shared.job.checkpoints import CheckpointFolder, Checkpoints
from containers.shared.job.events import warn_event

from .examples import Examples
from .saving import open_components, open_regression

# Of several thousand features; above some hundreds, accuracy no longer grows but the time to fit does.
MOST_COMPONENTS = 512
# The regression begins anew after so many steps, from the weights it has, and can be saved in between.
ROUND_STEPS = 100
MOST_ROUNDS = 10
# Large matrices are decomposed with random projections.
SEED = 42

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Projection:
    """Principal components of features, one a row, and the features' mean."""

    components: NDArray[np.float32]
    mean: NDArray[np.float32]

    def reduce(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """The features' principal components, one row per row of features."""
        return features @ self.components.T - self.mean @ self.components.T


def fit_classifier(examples: Examples, inverse_regularization: float, folder: CheckpointFolder) -> Classifier:
    """Logistic regression on the features' principal components, written as weights of the features themselves."""
    views = examples.features.shape[1]
    features = examples.features.reshape(len(examples.features) * views, -1)
    classes = np.repeat(examples.classes, views)
    components = min(MOST_COMPONENTS, *features.shape)
    projection = find_projection(features, components, open_components(folder, features, components))
    reduced = projection.reduce(features)
    saved = open_regression(folder, reduced, classes, inverse_regularization)
    regression = fit_regression(reduced, classes, inverse_regularization, saved)
    return unfold(projection, *split_binary(regression.coef_, regression.intercept_))


def find_projection(features: NDArray[np.float32], components: int, checkpoints: Checkpoints) -> Projection:
    """The features' projection, as it was saved or found anew."""
    for part in checkpoints.load():
        return Projection(part["components"], part["mean"])
    found = PCA(n_components=components, random_state=SEED).fit(features)
    projection = Projection(found.components_, found.mean_)
    checkpoints.save({"components": projection.components, "mean": projection.mean}, 1)
    return projection


def fit_regression(
    reduced: NDArray[np.float32], classes: NDArray[np.intp], inverse_regularization: float, checkpoints: Checkpoints
) -> LogisticRegression:
    """A regression that was fitted in rounds, the first ones of which may have been saved."""
    regression = LogisticRegression(C=inverse_regularization, max_iter=ROUND_STEPS, warm_start=True)
    is_done = False
    for part in checkpoints.load():
        regression.coef_, regression.intercept_ = part["weights"], part["intercepts"]
        is_done = bool(part["is_done"])
    rounds = checkpoints.done
    with checkpoints.offering(), warnings.catch_warnings():
        # Of a round that is not the last one.
        warnings.simplefilter("ignore", ConvergenceWarning)
        while not is_done and rounds < MOST_ROUNDS:
            regression.fit(reduced, classes)
            rounds += 1
            is_done = int(regression.n_iter_.max()) < ROUND_STEPS
            part = {"weights": regression.coef_, "intercepts": regression.intercept_, "is_done": np.array(is_done)}
            checkpoints.save({name: np.asarray(array) for name, array in part.items()}, 1)
    if not is_done:
        warn_event("classifier_not_converged", steps=rounds * ROUND_STEPS)
    return regression


def split_binary(weights: Floats, intercepts: Floats) -> tuple[Floats, Floats]:
    """One row of weights per class, also for two classes, for which the regression has one row for the second."""
    if len(weights) > 1:
        return weights, intercepts
    return np.concatenate([np.zeros_like(weights), weights]), np.concatenate([np.zeros(1), intercepts])


def unfold(projection: Projection, weights: Floats, intercepts: Floats) -> Classifier:
    """The classifier of features that scores as these weights score the components."""
    unfolded = weights @ projection.components
    return Classifier(
        weights=unfolded.astype(np.float32),
        intercepts=(intercepts - unfolded @ projection.mean).astype(np.float32),
    )
