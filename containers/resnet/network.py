"""The network while it learns, in PyTorch."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from containers.shared.networks.layers import Layers, Weights, make_layer, read_pixels, to_array

from .architecture import Architecture


class Network:
    """A residual network that learns.

    Args:
        architecture: Its shape.
        device: Where it is computed.
    """

    def __init__(self, architecture: Architecture, device: str) -> None:
        self.architecture = architecture
        layers: dict[str, Any] = {
            convolution.name: make_layer(convolution).to(device) for convolution in architecture.list_convolutions()
        }
        self._layers = Layers(layers)
        self._head = nn.Linear(architecture.width, architecture.classes).to(device)
        self.modules = nn.ModuleList([*layers.values(), self._head])
        self.device = device

    def score(self, photographs: NDArray[np.uint8]) -> Any:
        """The scores of each class, a row a photograph; their softmax are the probabilities.

        Args:
            photographs: By photograph, row, column and colour.
        """
        return self.classify(read_pixels(photographs, self.device))

    def classify(self, values: Any) -> Any:
        """The scores of photographs that are tensors already, by photograph, colour, row and column, from -1 to 1."""
        values = self._layers.apply(self.architecture.stem, values)
        if self.architecture.is_pooled:
            values = functional.max_pool2d(values, 3, 2, 1)
        for unit in self.architecture.units:
            values = self._layers.pass_unit(unit, values)
        return self._head(values.mean((2, 3)))

    def export(self) -> Weights:
        """The weights of the model that is served."""
        return {
            **self._layers.export(),
            "head.weight": to_array(self._head.weight),
            "head.bias": to_array(self._head.bias),
        }
