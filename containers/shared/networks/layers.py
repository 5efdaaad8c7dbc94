"""Convolutions that learn, in PyTorch, and their weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from containers.shared.networks.convolutions import Convolution, Unit
from containers.shared.networks.graphs import MIDDLE

Weights = dict[str, NDArray[np.float32]]


def make_layer(convolution: Convolution) -> Any:
    """A convolution that knows nothing yet, with batch normalization behind it."""
    filters = nn.Conv2d(
        convolution.inputs,
        convolution.outputs,
        convolution.kernel,
        convolution.stride,
        convolution.padding,
        bias=False,
    )
    nn.init.kaiming_normal_(filters.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(filters, nn.BatchNorm2d(convolution.outputs))


class Layers:
    """The convolutions of a network, by their names."""

    def __init__(self, layers: Mapping[str, Any]) -> None:
        self._layers = layers

    def apply(self, convolution: Convolution, values: Any) -> Any:
        """What a convolution makes of values."""
        values = self._layers[convolution.name](values)
        return torch.relu(values) if convolution.is_rectified else values

    def pass_unit(self, unit: Unit, values: Any) -> Any:
        """What a unit makes of values."""
        kept = self.apply(unit.shortcut, values) if unit.shortcut else values
        for step in unit.steps:
            values = self.apply(step, values)
        return torch.relu(values + kept)

    def export(self) -> Weights:
        """The weights of the model that is served: batch normalization is part of the convolutions there."""
        weights: Weights = {}
        for name, (convolution, norm) in self._layers.items():
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weights[f"{name}.weight"] = to_array(convolution.weight * scale[:, None, None, None])
            weights[f"{name}.bias"] = to_array(norm.bias - norm.running_mean * scale)
        return weights


def read_pixels(photographs: NDArray[np.uint8], device: str) -> Any:
    """The pixels of photographs that come as bytes by photograph, row, column and colour, from -1 to 1."""
    pixels = torch.from_numpy(np.ascontiguousarray(photographs)).to(device)
    return pixels.permute(0, 3, 1, 2).float() / MIDDLE - 1


def to_array(tensor: Any) -> NDArray[np.float32]:
    """The numbers of a tensor."""
    return np.asarray(tensor.detach().cpu().numpy(), np.float32)
