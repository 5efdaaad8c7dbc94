"""The shape of a network, as data: the same for training, which has PyTorch, and for the models that are served.

An encoder of LSTM layers in both directions reads the source. A decoder of LSTM layers reads the translation so far;
attention compares its state with what the encoder knows of each token, and what both say together gives the next token,
as in https://arxiv.org/abs/1508.04025.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

# Arrays by the names that they have in the models that are served.
Weights = dict[str, NDArray[np.float32]]


class Attention(StrEnum):
    """How a state is compared with a token of the source, by the algorithm's names."""

    DOT = "dot"
    MLP = "mlp"
    BILINEAR = "bilinear"


class Start(StrEnum):
    """What the decoder starts from: the encoder's last state, the mean of all, or nothing."""

    LAST = "last"
    AVERAGE = "avg"
    ZERO = "zero"


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A network.

    Args:
        source_tokens: How many tokens the source's vocabulary has.
        target_tokens: The same of the target's.
        source_width: How many numbers describe a token of the source.
        target_width: The same of the target.
        hidden: How many units a layer has, an even number.
        encoder_layers: How many layers the encoder has.
        decoder_layers: How many the decoder has.
        attention: How a state is compared with a token.
        attention_width: In how many units, for `mlp`.
        start: What the decoder starts from.
    """

    source_tokens: int
    target_tokens: int
    source_width: int
    target_width: int
    hidden: int
    encoder_layers: int
    decoder_layers: int
    attention: Attention
    attention_width: int
    start: Start

    def list_encoder_inputs(self) -> Iterator[tuple[str, int]]:
        """The name of each layer of the encoder, and how many numbers go in."""
        for layer in range(self.encoder_layers):
            yield f"encoder{layer}", self.hidden if layer else self.source_width

    def list_decoder_inputs(self) -> Iterator[tuple[str, int]]:
        """The same of the decoder."""
        for layer in range(self.decoder_layers):
            yield f"decoder{layer}", self.hidden if layer else self.target_width
