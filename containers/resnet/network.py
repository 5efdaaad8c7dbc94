"""The network while it learns, in PyTorch."""

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from .architecture import Architecture, Convolution

# Photographs come as bytes from 0 to 255.
MIDDLE: Final = 127.5
Weights = dict[str, NDArray[np.float32]]


class Network:
    """A residual network that learns.

    Args:
        architecture: Its shape.
        device: Where it is computed.
    """

    def __init__(self, architecture: Architecture, device: str) -> None:
        self.architecture = architecture
        self._layers: dict[str, Any] = {
            convolution.name: _make_layer(convolution).to(device) for convolution in architecture.list_convolutions()
        }
        self._head = nn.Linear(architecture.width, architecture.classes).to(device)
        self.modules = nn.ModuleList([*self._layers.values(), self._head])
        self.device = device

    def score(self, photographs: NDArray[np.uint8]) -> Any:
        """The scores of each class, a row a photograph; their softmax are the probabilities.

        Args:
            photographs: By photograph, row, column and colour.
        """
        pixels = torch.from_numpy(np.ascontiguousarray(photographs)).to(self.device)
        return self.classify(pixels.permute(0, 3, 1, 2).float() / MIDDLE - 1)

    def classify(self, values: Any) -> Any:
        """The scores of photographs that are tensors already, by photograph, colour, row and column, from -1 to 1."""
        values = self._apply(self.architecture.stem, values)
        if self.architecture.is_pooled:
            values = functional.max_pool2d(values, 3, 2, 1)
        for unit in self.architecture.units:
            kept = self._apply(unit.shortcut, values) if unit.shortcut else values
            for step in unit.steps:
                values = self._apply(step, values)
            values = torch.relu(values + kept)
        return self._head(values.mean((2, 3)))

    def export(self) -> Weights:
        """The weights of the model that is served: batch normalization is part of the convolutions there."""
        weights: Weights = {}
        for name, (convolution, norm) in self._layers.items():
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weights[f"{name}.weight"] = _to_array(convolution.weight * scale[:, None, None, None])
            weights[f"{name}.bias"] = _to_array(norm.bias - norm.running_mean * scale)
        weights["head.weight"], weights["head.bias"] = _to_array(self._head.weight), _to_array(self._head.bias)
        return weights

    def _apply(self, convolution: Convolution, values: Any) -> Any:
        values = self._layers[convolution.name](values)
        return torch.relu(values) if convolution.is_rectified else values


def _make_layer(convolution: Convolution) -> Any:
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


def _to_array(tensor: Any) -> NDArray[np.float32]:
    return np.asarray(tensor.detach().cpu().numpy(), np.float32)
