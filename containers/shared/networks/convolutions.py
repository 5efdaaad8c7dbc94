"""The parts of a network, as data: the same for training, which has PyTorch, and for the model that is served."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Convolution:
    """A convolution with a batch normalization behind it.

    Args:
        name: Its name, unique in the network.
        inputs: How many channels go in.
        outputs: How many come out.
        kernel: Its side in pixels.
        stride: How many pixels it moves at a time.
        is_rectified: Whether negative values become 0 behind it.
    """

    name: str
    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    is_rectified: bool = True

    @property
    def padding(self) -> int:
        """How many rows of zeros are put around what goes in."""
        return self.kernel // 2


@dataclass(frozen=True)
class Unit:
    """Convolutions whose result is added to what went in, which one more convolution may have fitted to it."""

    steps: tuple[Convolution, ...]
    shortcut: Convolution | None
