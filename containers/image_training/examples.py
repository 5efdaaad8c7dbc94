"""Turning the images of a list into features, on all cores."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .decoding import ImageError, decode_image
from .events import log_event, warn_event
from .failures import ChannelError
from .features import FeatureSettings, count_features, extract_features
from .lists import ImageList, Row

BATCH = 512
NAMED_IMAGES = 3


@dataclass(frozen=True)
class BadImage:
    """An image that cannot be decoded: its place and the reason."""

    channel: str
    path: str
    reason: str


@dataclass(frozen=True)
class Examples:
    """The images of a list that could be decoded.

    Args:
        features: By image, view and feature; the first view is the image as it is.
        classes: The class of each image.
        bad: The images that could not be decoded.
    """

    features: NDArray[np.float32]
    classes: NDArray[np.intp]
    bad: Sequence[BadImage]


def read_examples(images: ImageList, settings: FeatureSettings, *, mirror: bool) -> Examples:
    """The features of a list's images in its order, with those of their mirror images if wanted."""
    views = 2 if mirror else 1
    features = np.empty((len(images.rows), views, count_features(settings)), dtype=np.float32)
    bad: dict[int, BadImage] = {}
    read = partial(read_image, images.images, settings=settings, views=views)
    with ThreadPoolExecutor(count_cpus()) as pool:
        for start in range(0, len(images.rows), BATCH):
            batch = images.rows[start : start + BATCH]
            for position, result in enumerate(pool.map(read, batch), start=start):
                if isinstance(result, BadImage):
                    bad[position] = result
                    warn_event("image_skipped", channel=result.channel, path=result.path, reason=repr(result.reason))
                else:
                    features[position] = result
            log_event("images_read", channel=images.images.name, images=start + len(batch), bad=len(bad))
    good = [position for position in range(len(images.rows)) if position not in bad]
    classes = np.array([images.rows[position].number for position in good], dtype=np.intp)
    return Examples(features[good] if bad else features, classes, list(bad.values()))


def read_image(folder: Path, row: Row, *, settings: FeatureSettings, views: int) -> NDArray[np.float32] | BadImage:
    """The features of each view of an image, or why there are none."""
    try:
        pixels = decode_image(folder / row.path, settings.side)
    except ImageError as error:
        return BadImage(folder.name, row.path, str(error))
    return np.stack([extract_features(view, settings) for view in (pixels, pixels[:, ::-1])[:views]])


def count_cpus() -> int:
    """The CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_examples(train: Examples, validation: Examples, *, classes: int, max_bad_images: int) -> None:
    """Refuse images of which too many cannot be decoded."""
    bad = [*train.bad, *validation.bad]
    if len(bad) > max_bad_images:
        raise ChannelError(
            f"{len(bad)} images cannot be decoded, more than max_bad_images={max_bad_images}: {name_images(bad)}; "
            "replace them, remove their rows, or raise max_bad_images"
        )
    lost = sorted(set(range(classes)) - set(train.classes.tolist()))
    if lost:
        raise ChannelError(
            f"no training image of class {lost[0]} can be decoded: {name_images(train.bad)}; replace them"
        )
    if not len(validation.classes):
        raise ChannelError(f"no validation image can be decoded: {name_images(validation.bad)}; replace them")


def name_images(bad: Sequence[BadImage]) -> str:
    """The first few images with their reasons, for a message."""
    named = [f"{image.path} of channel {image.channel!r} ({image.reason})" for image in bad[:NAMED_IMAGES]]
    return ", ".join(named) + (f" and {len(bad) - NAMED_IMAGES} more" if len(bad) > NAMED_IMAGES else "")
