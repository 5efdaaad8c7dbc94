"""Putting ONNX models together from nodes and weights.

PyTorch's exporters would need a package more and change with its versions; where the architecture is known, its graph
is a page.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

# What ONNX Runtime reads.
OPSET: Final = 21
IR_VERSION: Final = 10
_TYPES: Final = {
    "bool": onnx.TensorProto.BOOL,
    "float32": onnx.TensorProto.FLOAT,
    "int32": onnx.TensorProto.INT32,
    "int64": onnx.TensorProto.INT64,
    "uint8": onnx.TensorProto.UINT8,
}
# The type and the sizes of what goes in or comes out, None for a size that differs.
Sizes = tuple[str, Sequence[int | None]]


class Graph:
    """Nodes and the arrays that they use."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._arrays: dict[str, onnx.TensorProto] = {}

    def keep(self, name: str, array: NDArray[Any]) -> str:
        """An array, by its name."""
        self._arrays[name] = onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def keep_numbers(self, *numbers: int) -> str:
        """A list of whole numbers, such as axes and shapes are, by its name."""
        return self.keep("numbers_" + "_".join(map(str, numbers)), np.array(numbers, np.int64))

    def add(self, operation: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """A node, and the name of the one thing that it gives."""
        return self.add_several(operation, *inputs, outputs=(output or f"value{len(self._nodes)}",), **attributes)[0]

    def add_several(
        self, operation: str, *inputs: str, outputs: Sequence[str] = (), count: int = 0, **attributes: Any
    ) -> tuple[str, ...]:
        """A node, and the names of what it gives: those that are said, or as many as are counted."""
        names = tuple(outputs) or tuple(f"value{len(self._nodes)}_{place}" for place in range(count))
        self._nodes.append(onnx.helper.make_node(operation, list(inputs), list(names), **attributes))
        return names

    def finish(self, name: str, inputs: Mapping[str, Sizes], outputs: Mapping[str, Sizes]) -> onnx.ModelProto:
        """The model of all nodes, checked.

        Args:
            name: What the graph is called.
            inputs: What goes in, by name.
            outputs: What comes out, likewise.
        """
        graph = onnx.helper.make_graph(
            self._nodes, name, _describe(inputs), _describe(outputs), list(self._arrays.values())
        )
        opset = onnx.helper.make_opsetid("", OPSET)
        model: onnx.ModelProto = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model


def _describe(ends: Mapping[str, Sizes]) -> list[onnx.ValueInfoProto]:
    return [onnx.helper.make_tensor_value_info(name, _TYPES[kind], list(sizes)) for name, (kind, sizes) in ends.items()]
