"""Fitting the linear classifier."""

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from containers.shared.images.classifier import Classifier

from .examples import Examples

# Of several thousand features; above some hundreds, accuracy no longer grows but the time to fit does.
MOST_COMPONENTS = 512
MOST_STEPS = 1000
# Large matrices are decomposed with random projections.
SEED = 42


def fit_classifier(examples: Examples, inverse_regularization: float) -> Classifier:
    """Logistic regression on the features' principal components, written as weights of the features themselves."""
    views = examples.features.shape[1]
    features = examples.features.reshape(len(examples.features) * views, -1)
    classes = np.repeat(examples.classes, views)
    components = PCA(n_components=min(MOST_COMPONENTS, *features.shape), random_state=SEED)
    regression = LogisticRegression(C=inverse_regularization, max_iter=MOST_STEPS)
    regression.fit(components.fit_transform(features), classes)
    return unfold(components, *split_binary(regression.coef_, regression.intercept_))


def split_binary(
    weights: NDArray[np.float64], intercepts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One row of weights per class, also for two classes, for which the regression has one row for the second."""
    if len(weights) > 1:
        return weights, intercepts
    return np.concatenate([np.zeros_like(weights), weights]), np.concatenate([np.zeros(1), intercepts])


def unfold(components: PCA, weights: NDArray[np.float64], intercepts: NDArray[np.float64]) -> Classifier:
    """The classifier of features that scores as these weights score the components."""
    unfolded = weights @ components.components_
    return Classifier(
        weights=unfolded.astype(np.float32),
        intercepts=(intercepts - unfolded @ components.mean_).astype(np.float32),
    )
