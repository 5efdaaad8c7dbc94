"""The shape of the detector, as data: the same for training, which has PyTorch, and for the model that is served.

A photograph is made smaller four times, to a quarter, an eighth, a sixteenth and a thirty-second of its side. What the
last three say is brought together at an eighth, from the coarsest on (https://arxiv.org/abs/1612.03144). Each cell of
that grid then says for each class how sure it is that the middle of an object is near, and where the object's box is
(without boxes to begin from, as https://arxiv.org/abs/1904.01355 and https://arxiv.org/abs/1904.07850 have it).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from containers.shared.networks.convolutions import Convolution, Unit

CHANNELS: Final = 3
# How far a box's middle is from its cell's, and the logarithms of its width and height, in cells.
BOX_NUMBERS: Final = 4
_STEM_WIDTH: Final = 16
_WIDTHS: Final = (32, 64, 96)
_JOINED_WIDTH: Final = 48


@dataclass(frozen=True, kw_only=True)
class Level:
    """What makes a photograph half as large, and what it says to the grid.

    Args:
        shrinking: A convolution of every second value.
        unit: What comes behind it.
        lateral: What of it is brought to the grid.
    """

    shrinking: Convolution
    unit: Unit
    lateral: Convolution


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A detector.

    Args:
        side: Rows and columns of a photograph.
        classes: How many classes there are.
        stem: The first convolution.
        levels: What comes then, the first of them as fine as the grid.
        joined: The convolution behind what the levels say.
    """

    side: int
    classes: int
    stem: Convolution
    levels: tuple[Level, ...]
    joined: Convolution

    @property
    def grid(self) -> int:
        """Rows and columns of the grid."""
        return shrink(shrink(self.side, self.stem), self.levels[0].shrinking)

    @property
    def outputs(self) -> int:
        """How many numbers each cell of the grid says."""
        return self.classes + BOX_NUMBERS

    def list_convolutions(self) -> Iterator[Convolution]:
        """All convolutions but the last, which has no normalization, in order."""
        yield self.stem
        for level in self.levels:
            yield from (level.shrinking, *level.unit.steps, level.lateral)
        yield self.joined


def shrink(side: int, convolution: Convolution) -> int:
    """The side of what a convolution makes of something with a side."""
    return (side + 2 * convolution.padding - convolution.kernel) // convolution.stride + 1


def design(side: int, classes: int) -> Architecture:
    """The detector for photographs of a side, and so many classes.

    Example:
        >>> design(300, 4).grid
        38
    """
    levels: list[Level] = []
    inputs = _STEM_WIDTH
    for place, width in enumerate(_WIDTHS):
        levels.append(_make_level(f"level{place}", inputs, width))
        inputs = width
    return Architecture(
        side=side,
        classes=classes,
        stem=Convolution(name="stem", inputs=CHANNELS, outputs=_STEM_WIDTH, kernel=7, stride=4),
        levels=tuple(levels),
        joined=Convolution(name="joined", inputs=_JOINED_WIDTH, outputs=_JOINED_WIDTH, kernel=3),
    )


def _make_level(name: str, inputs: int, width: int) -> Level:
    first = Convolution(name=f"{name}.unit0", inputs=width, outputs=width, kernel=3)
    second = Convolution(name=f"{name}.unit1", inputs=width, outputs=width, kernel=3, is_rectified=False)
    return Level(
        shrinking=Convolution(name=f"{name}.shrinking", inputs=inputs, outputs=width, kernel=3, stride=2),
        unit=Unit((first, second), None),
        lateral=Convolution(name=f"{name}.lateral", inputs=width, outputs=_JOINED_WIDTH, kernel=1, is_rectified=False),
    )
