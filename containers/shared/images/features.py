"""What the classifier looks at: edges, texture and colour by place.

Edges are histograms of oriented gradients (Dalal and Triggs, 2005) at one or more cell sizes, texture is uniform local
binary patterns (Ojala and others, 2002), colour is a histogram over hue, saturation and value. Each of the parts has
length 1, so that none drowns the others.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from containers.shared.images.decoding import Pixels

# A block of 2 x 2 cells is normalised, clipped and normalised again.
BLOCK_CLIP = 0.2
BLOCK_FLOOR = 1e-4
# Neighbours closer to the centre's brightness than this are noise.
TEXTURE_STEP = 0.01
NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
COLOUR_BINS = (8, 3, 3)
COLOURS = int(np.prod(COLOUR_BINS))

Floats = NDArray[np.floating[Any]]
Numbers = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class FeatureSettings:
    """How features are made from pixels.

    Args:
        side: Rows and columns of the photograph that is looked at.
        cells: Sides of the cells of gradients, each a divisor of `side`.
        orientations: Directions of gradients that are distinguished, over the full circle.
        grid: Rows and columns of places whose texture and colour are described.
    """

    side: int = 96
    cells: tuple[int, ...] = (16, 32)
    orientations: int = 18
    grid: int = 4


def list_pattern_numbers() -> Numbers:
    """The number of each of the 256 patterns: uniform ones have their own, the others share the last."""
    bits = np.arange(256)[:, None] >> np.arange(8) & 1
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    return np.where(uniform, np.cumsum(uniform) - 1, uniform.sum())


PATTERN_NUMBERS = list_pattern_numbers()
PATTERNS = int(PATTERN_NUMBERS.max()) + 1
# What each hue, saturation and value adds to the number of a colour's bin.
COLOUR_NUMBERS = [
    np.arange(256) * count // 256 * step
    for count, step in zip(COLOUR_BINS, (COLOUR_BINS[1] * COLOUR_BINS[2], COLOUR_BINS[2], 1), strict=True)
]


def count_features(settings: FeatureSettings) -> int:
    """How many features a photograph has."""
    blocks = sum((settings.side // cell - 1) ** 2 for cell in settings.cells)
    return blocks * 4 * settings.orientations + settings.grid**2 * (PATTERNS + COLOURS)


def extract_features(pixels: Pixels, settings: FeatureSettings) -> NDArray[np.float32]:
    """The features of a square of pixels."""
    # Each colour in one piece: across the three, NumPy takes several times as long.
    colours = np.ascontiguousarray(np.moveaxis(pixels, 2, 0)).astype(np.float32) / 255
    magnitudes, angles = find_gradients(colours)
    parts = [describe_edges(magnitudes, angles, cell, settings.orientations) for cell in settings.cells]
    parts.append(describe_places(number_patterns(colours.mean(axis=0)), PATTERNS, settings.grid))
    parts.append(describe_places(number_colours(pixels), COLOURS, settings.grid))
    return np.concatenate([scale_to_unit(part) for part in parts]).astype(np.float32)


def find_gradients(colours: Floats) -> tuple[Floats, Floats]:
    """Size and angle of each pixel's gradient, in the colour where it is largest."""
    across = np.zeros_like(colours)
    down = np.zeros_like(colours)
    across[:, :, 1:-1] = colours[:, :, 2:] - colours[:, :, :-2]
    down[:, 1:-1] = colours[:, 2:] - colours[:, :-2]
    sizes = np.hypot(across, down)
    size, right, below = sizes[0], across[0], down[0]
    for colour in range(1, len(colours)):
        is_larger = sizes[colour] > size
        size = np.where(is_larger, sizes[colour], size)
        right = np.where(is_larger, across[colour], right)
        below = np.where(is_larger, down[colour], below)
    angles = np.arctan2(below, right)
    return size, np.where(angles < 0, angles + 2 * np.pi, angles)


def describe_edges(magnitudes: Floats, angles: Floats, cell: int, orientations: int) -> Floats:
    """The histograms of oriented gradients over cells of this side, by blocks of 2 x 2."""
    count = len(angles) // cell
    places = number_places(len(angles), count) * orientations
    position = angles / (2 * np.pi) * orientations
    lower = np.floor(position).astype(np.intp)
    share = position - lower
    size = count * count * orientations
    # A gradient between two directions counts for both, by nearness.
    histograms = np.bincount(
        (places + lower % orientations).ravel(), ((1 - share) * magnitudes).ravel(), size
    ) + np.bincount((places + (lower + 1) % orientations).ravel(), (share * magnitudes).ravel(), size)
    grid = histograms.reshape(count, count, orientations)
    blocks = np.concatenate([grid[:-1, :-1], grid[1:, :-1], grid[:-1, 1:], grid[1:, 1:]], axis=2)
    clipped = np.minimum(normalise_blocks(blocks), BLOCK_CLIP)
    return normalise_blocks(clipped).ravel()


def normalise_blocks(blocks: Floats) -> Floats:
    """Blocks of length 1, or less where there are almost no edges."""
    lengths: Floats = np.sqrt((blocks**2).sum(axis=2, keepdims=True) + BLOCK_FLOOR)
    return blocks / lengths


def number_patterns(grey: Floats) -> Numbers:
    """The local binary pattern of every pixel but those on the rim."""
    side = len(grey)
    centre = grey[1:-1, 1:-1] + TEXTURE_STEP
    patterns = np.zeros(centre.shape, dtype=np.intp)
    for bit, (down, across) in enumerate(NEIGHBOURS):
        neighbour = grey[1 + down : side - 1 + down, 1 + across : side - 1 + across]
        patterns |= (neighbour > centre).astype(np.intp) << bit
    return PATTERN_NUMBERS[patterns]


def number_colours(pixels: Pixels) -> Numbers:
    """The bin of every pixel's colour."""
    channels = np.asarray(Image.fromarray(pixels).convert("HSV"))
    hue, saturation, value = (COLOUR_NUMBERS[i][channels[..., i]] for i in range(len(COLOUR_BINS)))
    return np.asarray(hue + saturation + value)


def describe_places(numbers: Numbers, kinds: int, grid: int) -> Floats:
    """How often each kind occurs at each place, the root of it, so that frequent kinds do not drown rare ones."""
    places = number_places(len(numbers), grid) * kinds
    counts = np.bincount((places + numbers).ravel(), minlength=grid * grid * kinds).reshape(-1, kinds)
    shares: Floats = np.sqrt(counts / counts.sum(axis=1, keepdims=True))
    return shares.ravel()


def number_places(side: int, count: int) -> Numbers:
    """For every pixel of a square the number of its place among `count` x `count`."""
    places = np.arange(side) * count // side
    return places[:, None] * count + places


def scale_to_unit(part: Floats) -> Floats:
    """The part with length 1; a part of zeros, such as the edges of a blank photograph, as it is."""
    length = float(np.linalg.norm(part))
    return part / length if length else part
