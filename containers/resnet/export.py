"""Writing the network as an ONNX model, which holds data only and cannot run code."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray

from containers.shared.networks.described import describe_network
from containers.shared.networks.graphs import PhotographGraph, describe_photographs

from . import contract
from .architecture import Architecture

TOLERANCE: Final = 1e-3


class ResnetExportError(Exception):
    """An exported model that does not answer like the network it was made from."""


def export_network(architecture: Architecture, weights: dict[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """An ONNX model that takes bytes by photograph, row, column and colour, and gives probabilities.

    Args:
        architecture: The network's shape.
        weights: For each convolution `NAME.weight` and `NAME.bias`, and `head.weight` and `head.bias`.
    """
    graph = PhotographGraph()
    values = graph.scale_photographs(contract.INPUT_NAME)
    for name, array in weights.items():
        graph.keep(name, array)
    values = graph.convolve(architecture.stem, values)
    if architecture.is_pooled:
        values = graph.add("MaxPool", values, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for unit in architecture.units:
        values = graph.pass_unit(unit, values)
    values = graph.add("Flatten", graph.add("GlobalAveragePool", values))
    values = graph.add("Gemm", values, "head.weight", "head.bias", transB=1)
    graph.add("Softmax", values, axis=-1, output=contract.OUTPUT_NAME)
    return graph.finish(
        "resnet",
        {contract.INPUT_NAME: describe_photographs(architecture.side)},
        {contract.OUTPUT_NAME: ("float32", (None, architecture.classes))},
    )


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
    return describe_network(contract.CLASSES_FORMAT, contract.CLASSES_VERSION, model, labels=list(labels))
