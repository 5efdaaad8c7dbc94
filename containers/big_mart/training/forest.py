"""Fitting the random forest."""

import time
from collections.abc import Callable

from sklearn.ensemble import RandomForestRegressor

from containers.shared.job.checkpoints import NO_CHECKPOINTS, Checkpoints
from containers.shared.job.training_failures import HyperparameterError
from headrace.cpus import count_cpus

from .channels import Dataset
from .hyperparameters import Hyperparameters
from .saving import dump_trees, resume_forest

PROGRESS_STEPS = 10
# What is growing when the job is interrupted is saved within the two minutes that SageMaker gives it.
MOST_STEP_SECONDS = 30.0
# About 40 bytes each in ONNX, whose files end at 2 GB.
MOST_NODES = 40_000_000


def fit_forest(
    data: Dataset,
    hyperparameters: Hyperparameters,
    report: Callable[[int, float], None],
    checkpoints: Checkpoints = NO_CHECKPOINTS,
) -> RandomForestRegressor:
    """A forest grown in steps on all cores; `report` hears the trees done and the seconds since the start.

    The trees are the same in whatever steps they grow, and so they are where those of checkpoints are taken over.
    """
    forest = RandomForestRegressor(
        min_samples_leaf=hyperparameters.min_samples_leaf,
        max_features=hyperparameters.max_features,
        max_depth=hyperparameters.max_depth,
        random_state=hyperparameters.seed,
        n_jobs=-1,
        warm_start=True,
    )
    with checkpoints.offering():
        _grow(forest, data, hyperparameters.n_estimators, report, checkpoints)
    return forest


def _grow(
    forest: RandomForestRegressor,
    data: Dataset,
    most: int,
    report: Callable[[int, float], None],
    checkpoints: Checkpoints,
) -> None:
    resume_forest(forest, checkpoints, data.features.shape[1])
    saved = resumed = trees = len(getattr(forest, "estimators_", ()))
    start = time.monotonic()
    while trees < most:
        elapsed = time.monotonic() - start
        trees = min(most, trees + choose_step(most, trees - resumed, elapsed, checkpoints.interval_seconds))
        forest.set_params(n_estimators=trees).fit(data.features, data.labels)
        check_size(forest, most)
        report(trees, time.monotonic() - start)
        # What follows, the evaluation and the export, may be interrupted, too.
        if checkpoints.is_due or trees == most:
            checkpoints.save(dump_trees(forest.estimators_[saved:]), trees - saved)
            saved = trees


def choose_step(trees: int, grown: int, elapsed: float, interval_seconds: float | None) -> int:
    """How many trees of a forest grow next, one for each core at least.

    Args:
        trees: How many the forest will have.
        grown: How many have grown,
        elapsed: and in how many seconds.
        interval_seconds: How much time an interruption may cost; None where nothing is saved.
    """
    if interval_seconds is None:
        return -(-trees // PROGRESS_STEPS)
    seconds = min(interval_seconds, MOST_STEP_SECONDS)
    return max(count_cpus(), int(grown / elapsed * seconds) if elapsed else 0)


def check_size(forest: RandomForestRegressor, trees: int) -> None:
    """Refuse, as early as it shows, a forest that will not fit into a model file."""
    grown = [tree.tree_.node_count for tree in forest.estimators_]
    nodes = sum(grown) * trees // len(grown)
    if nodes > MOST_NODES:
        raise HyperparameterError(
            f"the forest would have about {nodes} nodes, more than the {MOST_NODES} a model file can hold; "
            "raise min_samples_leaf, or lower max_depth or n_estimators"
        )
