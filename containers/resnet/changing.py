"""Changing the records of a batch as it is learnt: a random part of each, mirrored, in other colours.

What becomes of a record is drawn on the processor, so that it is the same wherever it is computed; the pixels are
changed where the network is. A part is scaled by two products of matrices, one for rows and one for columns, whose
weights are those of Pillow's bilinear filter: it averages what it shrinks. Brightness, contrast and saturation are one
linear map of a pixel's colours.

The parts are drawn as https://arxiv.org/abs/1409.4842 describes them, the colours as torchvision's ColorJitter does
with 0.4, in its order and without clipping in between.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from containers.shared.networks.graphs import MIDDLE

COLOURS: Final = 3
_LEAST_AREA: Final = 0.08
_RATIOS: Final = (3 / 4, 4 / 3)
_ATTEMPTS: Final = 10
_STRENGTH: Final = 0.4
# Rec. 601, as Pillow's and torchvision's grey.
_GREY: Final = (0.299, 0.587, 0.114)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Augmentation:
    """Which changes there are.

    Args:
        is_cropped: Whether a random part is taken and half of them are mirrored; else it is all of the record.
        is_coloured: Whether brightness, contrast and saturation change.
    """

    is_cropped: bool = False
    is_coloured: bool = False


@dataclass(frozen=True)
class Changes:
    """What becomes of each record of a batch.

    Args:
        boxes: Top, left, height and width of the part that is taken, in pixels; a negative width mirrors it.
        colours: Factors of brightness, contrast and saturation; None leaves colours as they are.
    """

    boxes: Floats
    colours: Floats | None = None


def open_chance(seed: int, epoch: int, step: int, instance: int) -> np.random.Generator:
    """What the changes of a step are drawn from.

    NumPy fills seeds up with zeros: counted from 0, the first step would have the numbers of the epoch's order.
    """
    return np.random.default_rng((seed, epoch, step + 1, instance))


def draw_changes(chance: np.random.Generator, count: int, size: tuple[int, int], augmentation: Augmentation) -> Changes:
    """What becomes of so many records.

    Args:
        chance: What is drawn from.
        count: How many there are.
        size: Their height and width.
        augmentation: Which changes there are.
    """
    boxes = np.tile(np.array([0, 0, *size], np.float32), (count, 1))
    if augmentation.is_cropped:
        boxes = _draw_boxes(chance, count, size)
        boxes[chance.random(count) < 0.5, 3] *= -1
    colours = None
    if augmentation.is_coloured:
        colours = chance.uniform(1 - _STRENGTH, 1 + _STRENGTH, (count, COLOURS)).astype(np.float32)
    return Changes(boxes, colours)


def _draw_boxes(chance: np.random.Generator, count: int, size: tuple[int, int]) -> Floats:
    """The first of some drawn parts that fits, or all of the record."""
    height, width = size
    areas = height * width * chance.uniform(_LEAST_AREA, 1, (_ATTEMPTS, count))
    least, most = np.log(_RATIOS)
    ratios = np.exp(chance.uniform(least, most, (_ATTEMPTS, count)))
    heights, widths = np.sqrt(areas / ratios), np.sqrt(areas * ratios)
    # One more, which always fits.
    heights, widths = (np.vstack([drawn, np.full(count, most)]) for drawn, most in ((heights, height), (widths, width)))
    first = ((heights <= height) & (widths <= width)).argmax(axis=0), np.arange(count)
    taken = np.stack([heights[first], widths[first]], axis=1)
    begins = chance.random((count, 2)) * (np.array(size) - taken)
    return np.hstack([begins, taken]).astype(np.float32)


def change(pixels: Any, boxes: Any, colours: Any, side: int, dtype: Any) -> Any:
    """The records as the network takes them: (records, 3, side, side), from -1 to 1.

    Args:
        pixels: uint8 tensor by record, row, column and colour.
        boxes: Those of the changes, as a tensor on the same device.
        colours: Likewise, or None.
        side: Rows and columns of the result.
        dtype: The type that it is computed in.
    """
    values = scale(pixels, boxes, side, dtype)
    if colours is not None:
        values = _colour(values, colours.to(dtype))
    return values.clamp(0, 2 * MIDDLE) / MIDDLE - 1


def scale(pixels: Any, boxes: Any, side: int, dtype: Any) -> Any:
    """A part of each record in another size: (records, 3, side, side), from 0 to 255; grey is three times the same."""
    count, height, width, colours = pixels.shape
    rows = _weigh(boxes[:, 0], boxes[:, 2], height, side).to(dtype)
    columns = _weigh(boxes[:, 1], boxes[:, 3], width, side).to(dtype)
    values = torch.bmm(rows, pixels.to(dtype).reshape(count, height, width * colours))
    values = values.reshape(count, side, width, colours).permute(0, 3, 1, 2).reshape(count, colours * side, width)
    values = torch.bmm(values, columns.transpose(1, 2)).reshape(count, colours, side, side)
    return values if colours == COLOURS else values.expand(count, COLOURS, side, side)


def _weigh(begins: Any, lengths: Any, size: int, side: int) -> Any:
    """How much each of `size` pixels counts for each of `side`: (records, side, size); negative lengths mirror."""
    steps = lengths.abs()[:, None] / side
    numbers = torch.arange(side, device=begins.device, dtype=begins.dtype)[None, :]
    numbers = torch.where(lengths[:, None] < 0, side - 1 - numbers, numbers)
    centres = begins[:, None] + (numbers + 0.5) * steps
    reach = steps.clamp(min=1)
    # As many pixels as the widest filter may cover.
    covered = torch.arange(int(2 * max(1.0, size / side)) + 2, device=begins.device, dtype=begins.dtype)
    places = (centres - reach).floor()[:, :, None] + covered
    weights = (1 - (places + 0.5 - centres[:, :, None]).abs() / reach[:, :, None]).clamp(min=0)
    weights = weights * ((places >= 0) & (places < size))
    weights = weights / weights.sum(2, keepdim=True)
    matrix = torch.zeros(len(begins), side, size, device=begins.device, dtype=begins.dtype)
    # Those beyond an end add nothing.
    return matrix.scatter_add_(2, places.clamp(0, size - 1).long(), weights)


def _colour(values: Any, factors: Any) -> Any:
    """Other brightness, contrast and saturation, as one map: x -> M x + o."""
    count, _, side, _ = values.shape
    brightness, contrast, saturation = (factors[:, place, None] for place in range(COLOURS))
    grey = torch.tensor(_GREY, device=values.device, dtype=values.dtype)
    mean = (values.mean((2, 3)) @ grey)[:, None]
    kept = torch.eye(COLOURS, device=values.device, dtype=values.dtype)
    mixed = saturation[:, :, None] * kept + (1 - saturation)[:, :, None] * grey.expand(COLOURS, COLOURS)
    matrix = (brightness * contrast)[:, :, None] * mixed
    offset = (brightness * (1 - contrast) * mean)[:, :, None]
    return torch.baddbmm(offset, matrix, values.reshape(count, COLOURS, -1)).reshape(count, COLOURS, side, side)
