"""Writing the network as an ONNX model, which holds data only and cannot run code."""

import hashlib
import json
from collections.abc import Sequence
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray

from containers.shared.job.onnx_graphs import Graph
from headrace.algorithms.image_classification import CHANNELS

from . import contract
from .architecture import Architecture, Convolution

MIDDLE: Final = 127.5
TOLERANCE: Final = 1e-3


class ResnetExportError(Exception):
    """An exported model that does not answer like the network it was made from."""


def export_network(architecture: Architecture, weights: dict[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """An ONNX model that takes bytes by photograph, row, column and colour, and gives probabilities.

    Args:
        architecture: The network's shape.
        weights: For each convolution `NAME.weight` and `NAME.bias`, and `head.weight` and `head.bias`.
    """
    graph = Graph()
    values = graph.add("Cast", contract.INPUT_NAME, to=onnx.TensorProto.FLOAT)
    values = graph.add("Transpose", values, perm=[0, 3, 1, 2])
    values = graph.add("Div", values, graph.keep("middle", np.array(MIDDLE, np.float32)))
    values = graph.add("Sub", values, graph.keep("one", np.array(1, np.float32)))
    for name, array in weights.items():
        graph.keep(name, array)
    values = _convolve(graph, architecture.stem, values)
    if architecture.is_pooled:
        values = graph.add("MaxPool", values, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for unit in architecture.units:
        kept = _convolve(graph, unit.shortcut, values) if unit.shortcut else values
        for step in unit.steps:
            values = _convolve(graph, step, values)
        values = graph.add("Relu", graph.add("Add", values, kept))
    values = graph.add("Flatten", graph.add("GlobalAveragePool", values))
    values = graph.add("Gemm", values, "head.weight", "head.bias", transB=1)
    graph.add("Softmax", values, axis=-1, output=contract.OUTPUT_NAME)
    sizes = (None, architecture.side, architecture.side, CHANNELS)
    return graph.finish(
        "resnet",
        {contract.INPUT_NAME: ("uint8", sizes)},
        {contract.OUTPUT_NAME: ("float32", (None, architecture.classes))},
    )


def _convolve(graph: Graph, convolution: Convolution, values: str) -> str:
    """A convolution of kept weights."""
    values = graph.add(
        "Conv",
        values,
        f"{convolution.name}.weight",
        f"{convolution.name}.bias",
        kernel_shape=[convolution.kernel] * 2,
        strides=[convolution.stride] * 2,
        pads=[convolution.padding] * 4,
    )
    return graph.add("Relu", values) if convolution.is_rectified else values


def check_export(answers: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """The largest difference between the probabilities of the model and of the network, an error if too large."""
    difference = float(np.max(np.abs(answers - expected)))
    if not difference <= TOLERANCE:
        raise ResnetExportError(f"the ONNX model differs from the network by {difference:.2e}, more than {TOLERANCE}")
    return difference


def dump_classes(labels: Sequence[str], model: bytes) -> str:
    """What the endpoint has to know beside the network.

    A sample:

    {"format": "headrace-resnet", "version": 1, "labels": ["accordion", "bonsai"], "model_sha256": "9f86d081…"}
    """
    document = {
        "format": contract.CLASSES_FORMAT,
        "version": contract.CLASSES_VERSION,
        "labels": list(labels),
        "model_sha256": hashlib.sha256(model).hexdigest(),
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
