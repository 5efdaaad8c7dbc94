"""The detector while it learns, in PyTorch."""

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from containers.shared.networks.layers import Layers, Weights, make_layer, read_pixels, to_array

from .architecture import Architecture

# Nearly all cells have no object: so a detector that knows nothing begins (https://arxiv.org/abs/1708.02002, 4.1).
_FIRST_BIAS: Final = -4.0
_FIRST_DEVIATION: Final = 0.01


class Network:
    """A detector that learns.

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
        self._head = nn.Conv2d(architecture.joined.outputs, architecture.outputs, 1)
        nn.init.normal_(self._head.weight, std=_FIRST_DEVIATION)
        nn.init.zeros_(self._head.bias)
        with torch.no_grad():
            self._head.bias[: architecture.classes] = _FIRST_BIAS
        self._head.to(device)
        self.modules = nn.ModuleList([*layers.values(), self._head])
        self.device = device

    def compute(self, photographs: NDArray[np.uint8]) -> Any:
        """What each cell says, by photograph, number, row and column: a logit for each class, then the box.

        Args:
            photographs: By photograph, row, column and colour.
        """
        values = self._layers.apply(self.architecture.stem, read_pixels(photographs, self.device))
        said = []
        for level in self.architecture.levels:
            values = self._layers.pass_unit(level.unit, self._layers.apply(level.shrinking, values))
            said.append(self._layers.apply(level.lateral, values))
        joined = said.pop()
        while said:
            finer = said.pop()
            grown = functional.interpolate(joined, scale_factor=2, mode="nearest")
            joined = finer + grown[:, :, : finer.shape[2], : finer.shape[3]]
        return self._head(self._layers.apply(self.architecture.joined, torch.relu(joined)))

    def export(self) -> Weights:
        """The weights of the model that is served."""
        return {
            **self._layers.export(),
            "head.weight": to_array(self._head.weight),
            "head.bias": to_array(self._head.bias),
        }
