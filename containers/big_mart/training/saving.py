"""Trees of a forest as arrays, and back, so that a forest whose growth was interrupted grows on."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import sklearn
from numpy.lib.recfunctions import repack_fields
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor
from sklearn.tree._tree import NODE_DTYPE, TREE_LEAF, Tree

from containers.shared.job.array_files import ArrayLayout, Arrays, exactly
from containers.shared.job.checkpoints import CheckpointFolder, Checkpoints, Work, fingerprint_work

from .channels import Dataset
from .hyperparameters import Hyperparameters, describe_hyperparameters

FORMAT = "headrace-trees-1"
NAME = "part"
# scikit-learn's own has bytes in between that mean nothing.
NODE: np.dtype[np.void] = repack_fields(NODE_DTYPE)
# What scikit-learn numbers nodes with.
_MANY = range(1, 2**31)


def open_checkpoints(folder: CheckpointFolder, data: Dataset, hyperparameters: Hyperparameters) -> Checkpoints:
    """The checkpoints of a forest of these data and hyperparameters, grown by this version of scikit-learn."""
    settings = [FORMAT, sklearn.__version__, sorted(describe_hyperparameters(hyperparameters).items())]
    trees = range(1, hyperparameters.n_estimators + 1)
    layouts = {
        "nodes": ArrayLayout(NODE, (_MANY,)),
        "values": ArrayLayout(np.dtype("float64"), (_MANY, exactly(1), exactly(1))),
        "counts": ArrayLayout(np.dtype("int64"), (trees,)),
        "depths": ArrayLayout(np.dtype("int64"), (trees,)),
    }
    measure = partial(count_trees, most=hyperparameters.n_estimators, features=data.features.shape[1])
    return folder.open(Work(NAME, fingerprint_work(settings, [data.features, data.labels]), layouts, measure))


def dump_trees(trees: Sequence[DecisionTreeRegressor]) -> Arrays:
    """Grown trees as arrays: the nodes and values of all of them, and of each the number of nodes and the depth."""
    states = [tree.tree_.__getstate__() for tree in trees]
    return {
        "nodes": np.concatenate([state["nodes"] for state in states]).astype(NODE, copy=False),
        "values": np.concatenate([state["values"] for state in states]),
        "counts": np.array([state["node_count"] for state in states], "int64"),
        "depths": np.array([state["max_depth"] for state in states], "int64"),
    }


def count_trees(part: Arrays, *, most: int, features: int) -> int:
    """How many trees a part has.

    scikit-learn follows the numbers in a tree wherever they lead, so all of them are checked.

    Args:
        part: The arrays.
        most: How many trees the forest has.
        features: How many features a row has.

    Raises:
        ValueError: If these are not the next trees of such a forest.
    """
    nodes, counts, depths = part["nodes"], part["counts"], part["depths"]
    trees = len(counts)
    if counts.min() < 1 or not int(counts.sum()) == len(nodes) == len(part["values"]) or len(depths) != trees:
        raise ValueError("its arrays do not belong together")
    if int(part["begin"]) + trees > most:
        raise ValueError(f"with it the forest has more than {most} trees")
    roots = np.cumsum(counts) - counts
    sizes = np.repeat(counts, counts)
    places = np.arange(len(nodes)) - np.repeat(roots, counts)
    if not _are_trees(nodes, sizes, places, roots) or (depths < 0).any() or (depths >= counts).any():
        raise ValueError("its nodes are not those of trees")
    inner = nodes[nodes["left_child"] != TREE_LEAF]
    known = (inner["feature"] >= 0) & (inner["feature"] < features)
    if not known.all() or not np.isfinite(inner["threshold"]).all() or not np.isfinite(part["values"]).all():
        raise ValueError("its nodes ask for what no row has")
    return trees


def _are_trees(
    nodes: NDArray[np.void], sizes: NDArray[np.int64], places: NDArray[np.int64], roots: NDArray[np.int64]
) -> bool:
    """Whether every node is a leaf or has two children after it in its tree, and every node but a root one parent."""
    left, right = nodes["left_child"], nodes["right_child"]
    is_leaf = (left == TREE_LEAF) & (right == TREE_LEAF)
    after = (left > places) & (left < sizes) & (right > places) & (right < sizes)
    if not (is_leaf | after).all():
        return False
    begins = (np.arange(len(nodes)) - places)[~is_leaf]
    parents = np.bincount(np.concatenate([left[~is_leaf] + begins, right[~is_leaf] + begins]), minlength=len(nodes))
    expected = np.ones(len(nodes), dtype=np.intp)
    expected[roots] = 0
    return bool((parents == expected).all())


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
    trees = [tree for part in checkpoints.load() for tree in parse_trees(part, features)]
    if trees:
        forest.estimators_ = trees
        forest.n_features_in_, forest.n_outputs_ = features, 1
