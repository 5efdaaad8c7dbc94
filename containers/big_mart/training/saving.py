"""Trees of a forest as arrays, and back, so that a forest whose growth was interrupted grows on."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor
from sklearn.tree._tree import Tree

from .channels import Dataset
from .checkpoints import Arrays, Checkpoints, fingerprint_work
from .hyperparameters import Hyperparameters, describe_hyperparameters
from .last_save import LastSave

FORMAT = "headrace-trees-1"


def open_checkpoints(
    folder: Path, data: Dataset, hyperparameters: Hyperparameters, interval_seconds: float, last_save: LastSave
) -> Checkpoints:
    """The checkpoints of a forest of these data and hyperparameters, grown by this version of scikit-learn."""
    settings = [FORMAT, sklearn.__version__, sorted(describe_hyperparameters(hyperparameters).items())]
    return Checkpoints(folder, fingerprint_work(settings, [data.features, data.labels]), interval_seconds, last_save)


def dump_trees(trees: Sequence[DecisionTreeRegressor]) -> Arrays:
    """Grown trees as arrays: the nodes and values of all of them, and of each the number of nodes and the depth."""
    states = [tree.tree_.__getstate__() for tree in trees]
    return {
        "nodes": np.concatenate([state["nodes"] for state in states]),
        "values": np.concatenate([state["values"] for state in states]),
        "counts": np.array([state["node_count"] for state in states]),
        "depths": np.array([state["max_depth"] for state in states]),
    }


def count_trees(part: Arrays) -> int:
    """How many trees a part has; a ValueError for arrays that do not belong together."""
    nodes = int(part["counts"].sum())
    if not nodes == len(part["nodes"]) == len(part["values"]) or len(part["counts"]) != len(part["depths"]):
        raise ValueError("its arrays do not belong together")
    return len(part["counts"])


def parse_trees(part: Arrays, features: int) -> Iterator[DecisionTreeRegressor]:
    """The trees of a part, for rows of so many features."""
    end = 0
    for count, depth in zip(part["counts"].tolist(), part["depths"].tolist(), strict=True):
        begin, end = end, end + count
        tree = DecisionTreeRegressor()
        tree.n_features_in_, tree.n_outputs_ = features, 1
        tree.tree_ = Tree(features, np.ones(1, dtype=np.intp), 1)
        nodes, values = (np.ascontiguousarray(part[name][begin:end]) for name in ("nodes", "values"))
        tree.tree_.__setstate__({"max_depth": depth, "node_count": count, "nodes": nodes, "values": values})
        yield tree


def resume_forest(forest: RandomForestRegressor, checkpoints: Checkpoints, features: int) -> None:
    """Give a forest that has not grown yet the trees that were saved."""
    trees = [tree for part in checkpoints.load(count_trees) for tree in parse_trees(part, features)]
    if trees:
        forest.estimators_ = trees
        forest.n_features_in_, forest.n_outputs_ = features, 1
