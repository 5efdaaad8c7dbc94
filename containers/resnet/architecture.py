"""The shape of a residual network, as data: the same for training, which has PyTorch, and for the model that is served.

From 33 rows on, the first layer makes photographs smaller; `headrace.algorithms.image_classification` has the sources.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from containers.shared.networks.convolutions import Convolution, Unit
from headrace.algorithms.image_classification import CHANNELS, LARGE_UNITS, SMALL_SIDE

LARGEST_UNSHRUNK_SIDE: Final = 32
_LEAST_BOTTLENECK: Final = 50
_NARROWING: Final = 4


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A residual network.

    Args:
        side: Rows and columns of a photograph.
        classes: How many classes there are.
        stem: The first convolution.
        is_pooled: Whether the largest of each 3 x 3 values goes on behind it, every second one.
        units: What comes then.
    """

    side: int
    classes: int
    stem: Convolution
    is_pooled: bool
    units: tuple[Unit, ...]

    @property
    def width(self) -> int:
        """How many numbers describe a photograph before they are weighted for the classes."""
        return self.units[-1].steps[-1].outputs

    def list_convolutions(self) -> Iterator[Convolution]:
        """All convolutions, in order."""
        yield self.stem
        for unit in self.units:
            yield from unit.steps
            if unit.shortcut:
                yield unit.shortcut


def design(layers: int, side: int, classes: int) -> Architecture:
    """The network of so many layers.

    Args:
        layers: One of those that the algorithm has for the side.
        side: Rows and columns of a photograph.
        classes: How many classes there are.

    Example:
        >>> sum(convolution.kernel > 1 for convolution in design(20, 28, 6).list_convolutions())
        19
    """
    counts: tuple[int, ...]
    widths: tuple[int, ...]
    if side <= SMALL_SIDE:
        counts, widths, first = ((layers - 2) // 6,) * 3, (16, 32, 64), 16
    else:
        counts, widths, first = LARGE_UNITS[layers], (64, 128, 256, 512), 64
    is_shrunk = side > LARGEST_UNSHRUNK_SIDE
    is_bottleneck = side > SMALL_SIDE and layers >= _LEAST_BOTTLENECK
    stem = Convolution(
        name="stem", inputs=CHANNELS, outputs=first, kernel=7 if is_shrunk else 3, stride=2 if is_shrunk else 1
    )
    units: list[Unit] = []
    inputs = first
    for stage, (count, width) in enumerate(zip(counts, widths, strict=True)):
        for place in range(count):
            stride = 2 if stage and not place else 1
            units.append(_make_unit(f"stage{stage}.unit{place}", inputs, width, stride, is_bottleneck=is_bottleneck))
            inputs = units[-1].steps[-1].outputs
    return Architecture(side=side, classes=classes, stem=stem, is_pooled=is_shrunk, units=tuple(units))


def _make_unit(name: str, inputs: int, width: int, stride: int, *, is_bottleneck: bool) -> Unit:
    outputs = width * _NARROWING if is_bottleneck else width
    shapes = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
    if not is_bottleneck:
        shapes = [(inputs, width, 3, stride), (width, width, 3, 1)]
    steps = tuple(
        Convolution(
            name=f"{name}.step{place}",
            inputs=before,
            outputs=after,
            kernel=kernel,
            stride=step,
            is_rectified=place < len(shapes) - 1,
        )
        for place, (before, after, kernel, step) in enumerate(shapes)
    )
    if inputs == outputs and stride == 1:
        return Unit(steps, None)
    shortcut = Convolution(
        name=f"{name}.shortcut", inputs=inputs, outputs=outputs, kernel=1, stride=stride, is_rectified=False
    )
    return Unit(steps, shortcut)
