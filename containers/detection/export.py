"""Writing the detector as an ONNX model."""

from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray

from containers.shared.job.onnx_graphs import Graph, Sizes
from containers.shared.networks.described import describe_network
from containers.shared.networks.graphs import PhotographGraph, describe_photographs

from . import contract
from .architecture import BOX_NUMBERS, Architecture, shrink
from .cells import MOST_LOGARITHM, list_middles

TOLERANCE: Final = 1e-3


class DetectorExportError(Exception):
    """An exported model that does not answer like the detector it was made from."""


def export_network(architecture: Architecture, weights: dict[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """An ONNX model that takes bytes by photograph, row, column and colour.

    It gives how sure each cell is of each class, by photograph, cell and class, and the box of each cell, its left,
    top, right and bottom as parts of the photograph.

    Args:
        architecture: The detector's shape.
        weights: For each convolution `NAME.weight` and `NAME.bias`, and `head.weight` and `head.bias`.
    """
    graph = PhotographGraph()
    values = graph.scale_photographs(contract.INPUT_NAME)
    for name, array in weights.items():
        graph.keep(name, array)
    joined = _join_levels(graph, architecture, values)
    joined = graph.convolve(architecture.joined, graph.add("Relu", joined))
    said = graph.add("Conv", joined, "head.weight", "head.bias", kernel_shape=[1, 1])
    said = graph.add("Reshape", said, graph.keep_numbers(0, architecture.outputs, -1))
    said = graph.add("Transpose", said, perm=[0, 2, 1])
    logits = _cut(graph, said, 0, architecture.classes, 2)
    graph.add("Sigmoid", logits, output=contract.SCORES_NAME)
    box = _cut(graph, said, architecture.classes, architecture.outputs, 2)
    _place_boxes(graph, box, architecture.grid)
    cells = architecture.grid**2
    outputs: dict[str, Sizes] = {
        contract.SCORES_NAME: ("float32", (None, cells, architecture.classes)),
        contract.BOXES_NAME: ("float32", (None, cells, BOX_NUMBERS)),
    }
    return graph.finish("detector", {contract.INPUT_NAME: describe_photographs(architecture.side)}, outputs)


def _join_levels(graph: PhotographGraph, architecture: Architecture, values: str) -> str:
    """What all levels say to the grid."""
    values = graph.convolve(architecture.stem, values)
    side = shrink(architecture.side, architecture.stem)
    said: list[tuple[str, int]] = []
    for level in architecture.levels:
        values = graph.pass_unit(level.unit, graph.convolve(level.shrinking, values))
        side = shrink(side, level.shrinking)
        said.append((graph.convolve(level.lateral, values), side))
    factors = graph.keep("factors", np.array([1, 1, 2, 2], np.float32))
    joined, _ = said.pop()
    while said:
        finer, side = said.pop()
        grown = graph.add(
            "Resize",
            joined,
            "",
            factors,
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        for axis in (2, 3):
            grown = _cut(graph, grown, 0, side, axis)
        joined = graph.add("Add", finer, grown)
    return joined


def _place_boxes(graph: Graph, box: str, grid: int) -> None:
    middles = graph.add("Add", _cut(graph, box, 0, 2, 2), graph.keep("cells", list_middles(grid)))
    middles = graph.add("Div", middles, graph.keep("grid", np.array(grid, np.float32)))
    bounds = [
        graph.keep(name, np.array(bound, np.float32))
        for name, bound in (("least", -MOST_LOGARITHM), ("most", MOST_LOGARITHM))
    ]
    sizes = graph.add("Exp", graph.add("Clip", _cut(graph, box, 2, BOX_NUMBERS, 2), *bounds))
    halves = graph.add("Div", sizes, graph.keep("twice", np.array(2 * grid, np.float32)))
    corners = graph.add("Concat", graph.add("Sub", middles, halves), graph.add("Add", middles, halves), axis=2)
    edges = [graph.keep(name, np.array(edge, np.float32)) for name, edge in (("first", 0), ("last", 1))]
    graph.add("Clip", corners, *edges, output=contract.BOXES_NAME)


def _cut(graph: Graph, values: str, begin: int, end: int, axis: int) -> str:
    """What is from one place to another along an axis."""
    return graph.add("Slice", values, *(graph.keep_numbers(number) for number in (begin, end, axis)))


def check_export(found: list[NDArray[np.float32]], expected: list[NDArray[np.float32]]) -> float:
    """The largest difference between what the model and the detector say, an error if too large."""
    difference = max(float(np.max(np.abs(one - other))) for one, other in zip(found, expected, strict=True))
    if not difference <= TOLERANCE:
        raise DetectorExportError(
            f"the ONNX model differs from the detector by {difference:.2e}, more than {TOLERANCE}"
        )
    return difference


def dump_detector(classes: int, nms_threshold: float, model: bytes) -> str:
    """What the endpoint has to know beside the network.

    A sample:

    {"format": "headrace-detection", "version": 1, "classes": 4, "nms_threshold": 0.45, "model_sha256": "9f86d081…"}
    """
    return describe_network(
        contract.DETECTOR_FORMAT, contract.DETECTOR_VERSION, model, classes=classes, nms_threshold=nms_threshold
    )
