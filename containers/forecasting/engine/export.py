"""Turning the trees of all quantiles into one ONNX model, which holds data only and cannot run code.

It has one node, a tree ensemble with an output for each quantile. The converters of scikit-learn's models do not take
these trees.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from .examples import Examples
from .fitting import Forecaster, ask

# What the inference container's ONNX Runtime reads.
OPSETS: Final = {"": 21, "ai.onnx.ml": 3}
IR_VERSION: Final = 10
INPUT_NAME: Final = "features"
OUTPUT_NAME: Final = "shares"
COMPARED_ROWS: Final = 64
TOLERANCE: Final = 1e-4
BRANCH: Final = "BRANCH_LEQ"
LEAF: Final = "LEAF"


class QuantileExportError(Exception):
    """An exported model that does not answer like the trees it was made from."""


def export_trees(forecaster: Forecaster) -> onnx.ModelProto:
    """All trees as one ONNX model."""
    trees = [(target, stage[0].nodes) for target, grown in enumerate(forecaster.trees) for stage in grown._predictors]
    attributes: dict[str, Any] = {
        "n_targets": len(forecaster.trees),
        "base_values": [float(grown._baseline_prediction.item()) for grown in forecaster.trees],
        "post_transform": "NONE",
        "aggregate_function": "SUM",
        **_list_nodes(trees),
        **_list_leaves(trees),
    }
    width = forecaster.trees[0].n_features_in_
    node = onnx.helper.make_node(
        "TreeEnsembleRegressor", [INPUT_NAME], [OUTPUT_NAME], domain="ai.onnx.ml", **attributes
    )
    graph = onnx.helper.make_graph(
        [node],
        "quantiles",
        [onnx.helper.make_tensor_value_info(INPUT_NAME, onnx.TensorProto.FLOAT, [None, width])],
        [onnx.helper.make_tensor_value_info(OUTPUT_NAME, onnx.TensorProto.FLOAT, [None, len(forecaster.trees)])],
    )
    opsets = [onnx.helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    model: onnx.ModelProto = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model


def check_export(model: onnx.ModelProto, forecaster: Forecaster, examples: Examples) -> float:
    """The largest difference between model and trees on a few examples, an error if it is too large."""
    places = np.linspace(0, len(examples) - 1, min(COMPARED_ROWS, len(examples))).astype(int)
    rows = examples.features[places]
    # The reference evaluator shares no code with ONNX Runtime, and needs no package beside onnx.
    answers = cast("list[NDArray[np.float32]]", ReferenceEvaluator(model).run(None, {INPUT_NAME: rows}))[0]
    difference = float(np.max(np.abs(answers - ask(forecaster.trees, examples)[places])))
    if difference > TOLERANCE:
        raise QuantileExportError(f"the ONNX model differs from the trees by {difference:.2e}, more than {TOLERANCE}")
    return difference


Trees = list[tuple[int, NDArray[np.void]]]


def _list_nodes(trees: Trees) -> Mapping[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        name: []
        for name in (
            "nodes_treeids",
            "nodes_nodeids",
            "nodes_featureids",
            "nodes_values",
            "nodes_modes",
            "nodes_truenodeids",
            "nodes_falsenodeids",
            "nodes_missing_value_tracks_true",
        )
    }
    for tree, (_, nodes) in enumerate(trees):
        for row in _describe(tree, nodes):
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
    return columns


def _describe(tree: int, nodes: NDArray[np.void]) -> Iterator[tuple[Any, ...]]:
    for place, node in enumerate(nodes):
        if node["is_leaf"]:
            yield tree, place, 0, 0.0, LEAF, 0, 0, 0
        else:
            threshold = floor_to_float32(float(node["num_threshold"]))
            left, right, missing = (int(node[name]) for name in ("left", "right", "missing_go_to_left"))
            yield tree, place, int(node["feature_idx"]), threshold, BRANCH, left, right, missing


def floor_to_float32(threshold: float) -> float:
    """The largest float32 that is not above a number: so a float32 is below both or below neither.

    Example:
        >>> floor_to_float32(0.1) <= 0.1 < floor_to_float32(0.1) + 1e-8
        True
    """
    rounded = np.float32(threshold)
    return float(np.nextafter(rounded, np.float32(-np.inf)) if float(rounded) > threshold else rounded)


def _list_leaves(trees: Trees) -> Mapping[str, list[Any]]:
    leaves = [
        (tree, place, target, float(nodes[place]["value"]))
        for tree, (target, nodes) in enumerate(trees)
        for place in np.flatnonzero(nodes["is_leaf"]).tolist()
    ]
    names = ("target_treeids", "target_nodeids", "target_ids", "target_weights")
    return {name: list(column) for name, column in zip(names, zip(*leaves, strict=True), strict=True)}
