"""Writing the network as an ONNX model, which holds data only and cannot run code.

The graph is put together here from the weights: PyTorch's exporters would need a package more and change with its
versions, and the architecture is known.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from headrace.algorithms.image_classification import CHANNELS

from . import contract
from .architecture import Architecture, Convolution

# What ONNX Runtime reads.
OPSET: Final = 21
IR_VERSION: Final = 10
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
    graph = _Graph()
    values = graph.add("Cast", contract.INPUT_NAME, to=onnx.TensorProto.FLOAT)
    values = graph.add("Transpose", values, perm=[0, 3, 1, 2])
    values = graph.add("Div", values, graph.keep("middle", np.array(MIDDLE, np.float32)))
    values = graph.add("Sub", values, graph.keep("one", np.array(1, np.float32)))
    for name, array in weights.items():
        graph.keep(name, array)
    values = graph.convolve(architecture.stem, values)
    if architecture.is_pooled:
        values = graph.add("MaxPool", values, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for unit in architecture.units:
        kept = graph.convolve(unit.shortcut, values) if unit.shortcut else values
        for step in unit.steps:
            values = graph.convolve(step, values)
        values = graph.add("Relu", graph.add("Add", values, kept))
    values = graph.add("Flatten", graph.add("GlobalAveragePool", values))
    values = graph.add("Gemm", values, "head.weight", "head.bias", transB=1)
    graph.add("Softmax", values, axis=-1, output=contract.OUTPUT_NAME)
    return graph.finish(architecture)


class _Graph:
    """Nodes and the arrays that they use."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._arrays: list[onnx.TensorProto] = []

    def keep(self, name: str, array: NDArray[np.float32]) -> str:
        """An array, by its name."""
        self._arrays.append(onnx.numpy_helper.from_array(array, name))
        return name

    def add(self, operation: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """A node, and the name of what it gives."""
        output = output or f"value{len(self._nodes)}"
        self._nodes.append(onnx.helper.make_node(operation, list(inputs), [output], **attributes))
        return output

    def convolve(self, convolution: Convolution, values: str) -> str:
        """A convolution of kept weights."""
        values = self.add(
            "Conv",
            values,
            f"{convolution.name}.weight",
            f"{convolution.name}.bias",
            kernel_shape=[convolution.kernel] * 2,
            strides=[convolution.stride] * 2,
            pads=[convolution.padding] * 4,
        )
        return self.add("Relu", values) if convolution.is_rectified else values

    def finish(self, architecture: Architecture) -> onnx.ModelProto:
        """The model of all nodes."""
        shape = [None, architecture.side, architecture.side, CHANNELS]
        graph = onnx.helper.make_graph(
            self._nodes,
            "resnet",
            [onnx.helper.make_tensor_value_info(contract.INPUT_NAME, onnx.TensorProto.UINT8, shape)],
            [
                onnx.helper.make_tensor_value_info(
                    contract.OUTPUT_NAME, onnx.TensorProto.FLOAT, [None, architecture.classes]
                )
            ],
            self._arrays,
        )
        opset = onnx.helper.make_opsetid("", OPSET)
        model: onnx.ModelProto = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model


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
