"""Made-up street scenes with the boxes of what is in them, for running the detection workload without data.

A scene is a street between sky, houses and pavement. Cars and buses are on the street, pedestrians and traffic lights
beside it; their number, place, size, colour and light vary, some stand before others, and the photograph is blurred and
grained.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFilter

from headrace.files import whole_folder
from headrace.workloads.photographs import PALE, VIVID, add_noise, pick_colour

DEFAULT_COUNT: Final = 260
DEFAULT_SEED: Final = 2019
# The boxes of a folder of photographs, as COCO has them.
ANNOTATIONS_FILE: Final = "annotations.json"
CLASSES: Final = ("bus", "car", "pedestrian", "traffic light")
SIZES: Final = ((320, 240), (360, 240), (300, 300))
FEWEST, MOST = 2, 6
QUALITY: Final = 85
# How much of the smaller of two boxes may be shared: what is hidden could not be found.
_MOST_SHARED: Final = 0.35
_ATTEMPTS: Final = 20
_DARK: Final = "#202428"

Corners = tuple[int, int, int, int]


@dataclass(frozen=True)
class Thing:
    """Something in a scene: its class by number, and left, top, right and bottom of its box in pixels."""

    label: int
    corners: Corners


@dataclass(frozen=True)
class Scene:
    """A street scene and what is in it."""

    photograph: Image.Image
    things: tuple[Thing, ...]


def make_scenes(folder: Path, count: int = DEFAULT_COUNT, seed: int = DEFAULT_SEED) -> None:
    """Make a folder of JPEG files with their boxes, the same for the same seed and release of Pillow.

    The boxes are COCO's instances (https://cocodataset.org/#format-data). The folder appears whole or not at all, and
    must not be there before.
    """
    with whole_folder(folder) as partial:
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for number, scene in enumerate(draw_scenes(count, seed), start=1):
            name = f"scene_{number:04d}.jpg"
            scene.photograph.save(partial / name, quality=QUALITY)
            width, height = scene.photograph.size
            images.append({"id": number, "file_name": name, "width": width, "height": height})
            for thing in scene.things:
                annotations.append({"id": len(annotations) + 1, "image_id": number, **_describe_thing(thing)})
        categories = [{"id": label + 1, "name": name} for label, name in enumerate(CLASSES)]
        document = {"images": images, "annotations": annotations, "categories": categories}
        (partial / ANNOTATIONS_FILE).write_text(json.dumps(document) + "\n", encoding="utf-8")


def _describe_thing(thing: Thing) -> dict[str, Any]:
    left, top, right, bottom = thing.corners
    box = [left, top, right - left, bottom - top]
    return {"category_id": thing.label + 1, "bbox": box, "area": _measure(thing.corners), "iscrowd": 0}


def draw_scenes(count: int, seed: int = DEFAULT_SEED) -> Iterator[Scene]:
    """Scenes, the same for the same seed and release of Pillow; each depends on the seed and its own number only."""
    for number in range(count):
        # Made-up data need no cryptographic randomness, but the same bytes for a seed.
        yield draw_scene(random.Random(f"{seed} {number}"))  # noqa: S311


def draw_scene(chance: random.Random) -> Scene:
    """One scene."""
    size = chance.choice(SIZES)
    photograph = _draw_street(size, chance)
    things: list[Thing] = []
    for _ in range(chance.randint(FEWEST, MOST)):
        thing = _place_thing(size, things, chance)
        if thing:
            things.append(thing)
    # What stands further down is nearer, and before the others.
    for thing in sorted(things, key=lambda each: each.corners[3]):
        _DRAWERS[CLASSES[thing.label]](ImageDraw.Draw(photograph), thing.corners, chance)
    blurred = photograph.filter(ImageFilter.GaussianBlur(chance.uniform(0, 1)))
    return Scene(add_noise(blurred, chance), tuple(things))


def _find_shared(one: Corners, other: Corners) -> float:
    """What two boxes share, as a part of the smaller one."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, width) * max(0, height) / min(_measure(one), _measure(other))


def _measure(corners: Corners) -> int:
    return (corners[2] - corners[0]) * (corners[3] - corners[1])


def _draw_street(size: tuple[int, int], chance: random.Random) -> Image.Image:
    width, height = size
    photograph = Image.new("RGB", size, pick_colour(150, PALE, chance))
    pen = ImageDraw.Draw(photograph)
    left = 0
    while left < width:
        right = left + chance.randint(30, 80)
        top = int(height * chance.uniform(0.05, 0.35))
        pen.rectangle((left, top, right, height), fill=pick_colour(chance.randrange(256), PALE, chance))
        for row in range(top + 6, height // 2, 16):
            for column in range(left + 5, right - 8, 14):
                pen.rectangle((column, row, column + 6, row + 8), fill=pick_colour(150, PALE, chance))
        left = right
    pen.rectangle((0, int(height * 0.52), width, height), fill=pick_colour(30, (0, 10), chance))
    grey = chance.randint(60, 110)
    pen.rectangle((0, int(height * 0.62), width, height), fill=(grey, grey, grey + 4))
    for dash in range(0, width, 40):
        pen.rectangle((dash, int(height * 0.8), dash + 18, int(height * 0.81)), fill="#d8d8c8")
    return photograph


def _place_thing(size: tuple[int, int], others: list[Thing], chance: random.Random) -> Thing | None:
    """Something where it neither covers much of another, nor is covered; None where no such place was found."""
    label = chance.randrange(len(CLASSES))
    for _ in range(_ATTEMPTS):
        corners = _PLACERS[CLASSES[label]](size, chance)
        if all(_find_shared(corners, other.corners) <= _MOST_SHARED for other in others):
            return Thing(label, corners)
    return None


def _place(
    size: tuple[int, int], ground: tuple[float, float], high: tuple[float, float], shape: float, chance: random.Random
) -> Corners:
    """A box that stands on a ground, is so high, and so many times as wide; ground and height are parts of the scene's.

    What stands further down is higher.
    """
    nearness = chance.random()
    bottom = int(size[1] * (ground[0] + nearness * (ground[1] - ground[0])))
    height = int(size[1] * (high[0] + nearness * (high[1] - high[0])) * chance.uniform(0.85, 1.15))
    width = int(height * shape * chance.uniform(0.85, 1.15))
    left = chance.randint(0, size[0] - width)
    return left, bottom - height, left + width, bottom


def _place_bus(size: tuple[int, int], chance: random.Random) -> Corners:
    return _place(size, (0.72, 0.97), (0.22, 0.4), 1.7, chance)


def _place_car(size: tuple[int, int], chance: random.Random) -> Corners:
    return _place(size, (0.7, 0.97), (0.12, 0.22), 2.0, chance)


def _place_pedestrian(size: tuple[int, int], chance: random.Random) -> Corners:
    return _place(size, (0.6, 0.97), (0.16, 0.34), 0.42, chance)


def _place_light(size: tuple[int, int], chance: random.Random) -> Corners:
    return _place(size, (0.3, 0.5), (0.14, 0.24), 0.42, chance)


def _draw_bus(pen: ImageDraw.ImageDraw, corners: Corners, chance: random.Random) -> None:
    left, top, right, bottom = corners
    wheel = max(3, (bottom - top) // 8)
    pen.rounded_rectangle(
        (left, top, right, bottom - wheel), radius=wheel, fill=pick_colour(chance.randrange(256), VIVID, chance)
    )
    pane = max(4, (right - left) // 7)
    for column in range(left + pane // 2, right - pane, pane + 2):
        pen.rectangle((column, top + wheel, column + pane - 2, top + (bottom - top) // 2), fill="#b8d4e4")
    for middle in (left + (right - left) // 5, right - (right - left) // 5):
        pen.ellipse((middle - wheel, bottom - 2 * wheel, middle + wheel, bottom), fill=_DARK)


def _draw_car(pen: ImageDraw.ImageDraw, corners: Corners, chance: random.Random) -> None:
    left, top, right, bottom = corners
    width, height = right - left, bottom - top
    colour = pick_colour(chance.randrange(256), VIVID, chance)
    waist, wheel = top + height // 2, max(3, height // 5)
    roof = [(left + width * part // 100, row) for part, row in ((18, waist), (32, top), (70, top), (86, waist))]
    pen.polygon(roof, fill=colour)
    pane = [(left + width * part // 100, row) for part, row in ((26, waist), (36, top + 3), (66, top + 3), (78, waist))]
    pen.polygon(pane, fill="#a8c4d8")
    pen.rounded_rectangle((left, waist, right, bottom - wheel // 2), radius=wheel, fill=colour)
    for middle in (left + width // 4, right - width // 4):
        pen.ellipse((middle - wheel, bottom - 2 * wheel, middle + wheel, bottom), fill=_DARK)


def _draw_pedestrian(pen: ImageDraw.ImageDraw, corners: Corners, chance: random.Random) -> None:
    left, top, right, bottom = corners
    width, height = right - left, bottom - top
    middle, head = (left + right) // 2, height // 10
    pen.ellipse((middle - head, top, middle + head, top + 2 * head), fill=chance.choice(("#e0b090", "#8d5a3c")))
    hips = top + height * 6 // 10
    trousers = pick_colour(chance.randrange(256), PALE, chance)
    stride = max(2, width // 5)
    for foot in (left + stride // 2, right - stride // 2):
        pen.line((middle, hips, foot, bottom), fill=trousers, width=stride)
    coat = pick_colour(chance.randrange(256), VIVID, chance)
    pen.rounded_rectangle(
        (middle - width // 4, top + 2 * head, middle + width // 4, hips), radius=max(1, width // 8), fill=coat
    )
    for hand in (left, right):
        pen.line((middle, top + 3 * head, hand, hips - head), fill=coat, width=max(2, width // 7))


def _draw_light(pen: ImageDraw.ImageDraw, corners: Corners, chance: random.Random) -> None:
    left, top, right, bottom = corners
    width, height = right - left, bottom - top
    middle = (left + right) // 2
    # The pole is not part of what is to be found.
    pen.rectangle((middle - 1, bottom, middle + 1, bottom + 3 * height), fill=_DARK)
    pen.rectangle(corners, fill=_DARK)
    lit = chance.randrange(3)
    for place, colour in enumerate(("#ff3020", "#ffc020", "#20e060")):
        row = top + height * (2 * place + 1) // 6
        radius = max(2, min(width, height // 3) * 2 // 5)
        shown = colour if place == lit else "#403c38"
        pen.ellipse((middle - radius, row - radius, middle + radius, row + radius), fill=shown)


_PLACERS: Final[dict[str, Callable[[tuple[int, int], random.Random], Corners]]] = {
    "bus": _place_bus,
    "car": _place_car,
    "pedestrian": _place_pedestrian,
    "traffic light": _place_light,
}
_DRAWERS: Final[dict[str, Callable[[ImageDraw.ImageDraw, Corners, random.Random], None]]] = {
    "bus": _draw_bus,
    "car": _draw_car,
    "pedestrian": _draw_pedestrian,
    "traffic light": _draw_light,
}
