"""The parts of ONNX models that look at photographs."""

from typing import Final

import numpy as np
import onnx

from containers.shared.job.onnx_graphs import Graph, Sizes
from containers.shared.networks.convolutions import Convolution, Unit

# Photographs come as bytes from 0 to 255.
MIDDLE: Final = 127.5
CHANNELS: Final = 3


def describe_photographs(side: int) -> Sizes:
    """What photographs of a side are as what goes in: bytes by photograph, row, column and colour."""
    return "uint8", (None, side, side, CHANNELS)


class PhotographGraph(Graph):
    """Nodes of a network of convolutions, and the arrays that they use."""

    def scale_photographs(self, name: str) -> str:
        """The pixels of photographs that go in by a name, from -1 to 1, by photograph, colour, row and column."""
        values = self.add("Transpose", self.add("Cast", name, to=onnx.TensorProto.FLOAT), perm=[0, 3, 1, 2])
        values = self.add("Div", values, self.keep("middle", np.array(MIDDLE, np.float32)))
        return self.add("Sub", values, self.keep("one", np.array(1, np.float32)))

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

    def pass_unit(self, unit: Unit, values: str) -> str:
        """A unit of kept weights."""
        kept = self.convolve(unit.shortcut, values) if unit.shortcut else values
        for step in unit.steps:
            values = self.convolve(step, values)
        return self.add("Relu", self.add("Add", values, kept))
