"""Made-up photographs, for running the image workload on a machine that has no data.

Each class is a shape, plain or striped, in a range of hues that overlaps with those of other classes. Place, size, turn
and light vary, and some shapes are hidden in part, so that a classifier learns the classes well but not perfectly.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from headrace.errors import HeadraceError
from headrace.files import whole_folder

DEFAULT_CLASSES = 6
DEFAULT_PER_CLASS = 20
DEFAULT_SEED = 2021

SHORTEST_SIDE, LONGEST_SIDE = 120, 260
HUE_SPREAD = 30
NOISE_SHARE = 0.2
HIDDEN_SHARE = 0.2
# Percents, from the least to the most.
VIVID = (40, 90)
PALE = (5, 45)
QUALITY = 88

Point = tuple[float, float]


class PhotographsError(HeadraceError, ValueError):
    """Numbers of classes or photographs that cannot be made."""


@dataclass(frozen=True)
class Shape:
    """A class: its name, the corners of its outline on the unit circle and the middle of its hues.

    Args:
        inner: How far the outline draws in between two corners; 1 leaves it on the circle.
        stripes: Whether the shape is striped rather than plain.
    """

    name: str
    corners: int
    inner: float
    hue: int
    stripes: bool = False


SHAPES = (
    Shape("ball", 36, 1.0, 0),
    Shape("cross", 4, 0.25, 42),
    Shape("gear", 12, 0.7, 85),
    Shape("kite", 4, 0.75, 128),
    Shape("star", 5, 0.4, 170),
    Shape("wedge", 3, 0.5, 212),
    Shape("striped_ball", 36, 1.0, 128, stripes=True),
    Shape("striped_cross", 4, 0.25, 170, stripes=True),
    Shape("striped_gear", 12, 0.7, 213, stripes=True),
    Shape("striped_kite", 4, 0.75, 0, stripes=True),
    Shape("striped_star", 5, 0.4, 42, stripes=True),
    Shape("striped_wedge", 3, 0.5, 84, stripes=True),
)


def make_photographs(
    folder: Path,
    classes: int = DEFAULT_CLASSES,
    per_class: int = DEFAULT_PER_CLASS,
    seed: int = DEFAULT_SEED,
) -> None:
    """Make a folder of JPEG files in one sub-folder per class, the same for the same seed and release of Pillow.

    The folder appears whole or not at all, and must not be there before.
    """
    if not 1 <= classes <= len(SHAPES) or per_class < 1:
        raise PhotographsError(
            f"cannot make {per_class} photographs of {classes} classes; ask for 1 to {len(SHAPES)} classes "
            "and at least 1 photograph of each"
        )
    with whole_folder(folder) as partial:
        for path, photograph in draw_photographs(SHAPES[:classes], per_class, seed):
            (partial / path).parent.mkdir(exist_ok=True)
            photograph.save(partial / path, quality=QUALITY)


def draw_photographs(shapes: Sequence[Shape], per_class: int, seed: int) -> Iterator[tuple[str, Image.Image]]:
    """The photographs and their paths; each depends on the seed and its own path only."""
    for shape in shapes:
        for number in range(1, per_class + 1):
            path = f"{shape.name}/{shape.name}_{number:04d}.jpg"
            # Made-up data need no cryptographic randomness, but the same bytes for a seed.
            yield path, draw_photograph(shape, random.Random(f"{seed} {path}"))  # noqa: S311


def draw_photograph(shape: Shape, chance: random.Random) -> Image.Image:
    """One photograph of the shape."""
    size = (chance.randint(SHORTEST_SIDE, LONGEST_SIDE), chance.randint(SHORTEST_SIDE, LONGEST_SIDE))
    photograph = draw_ground(size, chance)
    colours = [pick_colour(shape.hue, VIVID, chance) for _ in range(2)]
    filling = draw_stripes(size, colours, chance) if shape.stripes else Image.new("RGB", size, colours[0])
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).polygon(place_outline(shape, size, chance), fill=255)
    photograph.paste(filling, mask=mask)
    if chance.random() < HIDDEN_SHARE:
        hide_part(photograph, chance)
    return add_noise(photograph.filter(ImageFilter.GaussianBlur(chance.uniform(0, 1.2))), chance)


def draw_ground(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """A background that runs from one colour into another."""
    ramp = Image.linear_gradient("L").rotate(chance.choice((0, 90, 180, 270))).resize(size)
    first, second = (Image.new("RGB", size, pick_colour(chance.randrange(256), PALE, chance)) for _ in range(2))
    return Image.composite(first, second, ramp)


def pick_colour(hue: int, saturations: tuple[int, int], chance: random.Random) -> str:
    """A colour near the hue, which runs from 0 to 255, as Pillow writes it."""
    near = (hue + chance.uniform(-HUE_SPREAD, HUE_SPREAD)) % 256 * 360 / 256
    return f"hsv({near:.1f},{chance.uniform(*saturations):.1f}%,{chance.uniform(35, 95):.1f}%)"


def draw_stripes(size: tuple[int, int], colours: Sequence[str], chance: random.Random) -> Image.Image:
    """Upright stripes in two colours."""
    stripes = Image.new("RGB", size, colours[0])
    pen = ImageDraw.Draw(stripes)
    width = chance.randint(5, 10)
    for left in range(0, size[0], 2 * width):
        pen.rectangle((left, 0, left + width - 1, size[1]), fill=colours[1])
    return stripes


def place_outline(shape: Shape, size: tuple[int, int], chance: random.Random) -> list[Point]:
    """The outline's corners in the photograph: near its middle, a little turned and squeezed."""
    middle = [side * chance.uniform(0.42, 0.58) for side in size]
    radius = min(size) * chance.uniform(0.28, 0.46)
    squeeze = chance.uniform(0.75, 1.0)
    turn = chance.uniform(-0.3, 0.3) - math.pi / 2
    points = []
    for step in range(2 * shape.corners):
        reach = radius * (shape.inner if step % 2 else 1.0)
        angle = turn + step * math.pi / shape.corners
        points.append((middle[0] + reach * squeeze * math.cos(angle), middle[1] + reach * math.sin(angle)))
    return points


def hide_part(photograph: Image.Image, chance: random.Random) -> None:
    """Put a bar of one colour over the photograph."""
    width, height = photograph.size
    left, top = width * chance.uniform(0.1, 0.8), height * chance.uniform(0.1, 0.8)
    corners = (left, top, left + width * chance.uniform(0.15, 0.4), top + height * chance.uniform(0.15, 0.4))
    ImageDraw.Draw(photograph).rectangle(corners, fill=pick_colour(chance.randrange(256), PALE, chance))


def add_noise(photograph: Image.Image, chance: random.Random) -> Image.Image:
    """The photograph with grain."""
    grain = Image.frombytes("L", photograph.size, chance.randbytes(photograph.width * photograph.height))
    return Image.blend(photograph, ImageChops.overlay(photograph, grain.convert("RGB")), NOISE_SHARE)
