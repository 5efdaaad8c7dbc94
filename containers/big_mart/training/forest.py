"""Fitting the random forest."""

import time
from collections.abc import Callable

from sklearn.ensemble import RandomForestRegressor

from containers.shared.job.training_failures import HyperparameterError

from .channels import Dataset
from .hyperparameters import Hyperparameters

PROGRESS_STEPS = 10
# About 40 bytes each in ONNX, whose files end at 2 GB.
MOST_NODES = 40_000_000


def fit_forest(
    data: Dataset, hyperparameters: Hyperparameters, report: Callable[[int, float], None]
) -> RandomForestRegressor:
    """A forest grown in steps on all cores; `report` hears the trees done and the seconds since the start."""
    forest = RandomForestRegressor(
        min_samples_leaf=hyperparameters.min_samples_leaf,
        max_features=hyperparameters.max_features,
        max_depth=hyperparameters.max_depth,
        random_state=hyperparameters.seed,
        n_jobs=-1,
        warm_start=True,
    )
    start = time.monotonic()
    for trees in list_milestones(hyperparameters.n_estimators):
        forest.set_params(n_estimators=trees).fit(data.features, data.labels)
        check_size(forest, hyperparameters.n_estimators)
        report(trees, time.monotonic() - start)
    return forest


def check_size(forest: RandomForestRegressor, trees: int) -> None:
    """Refuse, as early as it shows, a forest that will not fit into a model file."""
    grown = [tree.tree_.node_count for tree in forest.estimators_]
    nodes = sum(grown) * trees // len(grown)
    if nodes > MOST_NODES:
        raise HyperparameterError(
            f"the forest would have about {nodes} nodes, more than the {MOST_NODES} a model file can hold; "
            "raise min_samples_leaf, or lower max_depth or n_estimators"
        )


def list_milestones(trees: int) -> list[int]:
    """Numbers of trees at which to report, the last one being all of them."""
    step = -(-trees // PROGRESS_STEPS)
    return [*range(step, trees, step), trees]
