"""Turning the images of a list into features, on all cores."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import BoundedSemaphore

import numpy as np
from numpy.typing import NDArray

from containers.shared.cpus import count_cpus
from containers.shared.images.decoding import DecodingError, decode_image
from containers.shared.images.features import FeatureSettings, count_features, extract_features
from containers.shared.job.events import log_event, warn_event
from containers.shared.job.training_failures import TrainingDataError

from .lists import ImageList, Row
from .sources import PhotographSource

BATCH = 512
NAMED_IMAGES = 3


@dataclass(frozen=True)
class BadImage:
    """An image that cannot be used: where it comes from, its path there and the reason."""

    source: str
    path: str
    reason: str


@dataclass(frozen=True)
class Examples:
    """The images of a list that could be used.

    Args:
        features: By image, view and feature; the first view is the image as it is.
        classes: The class of each image.
        bad: The images that could not be used.
    """

    features: NDArray[np.float32]
    classes: NDArray[np.intp]
    bad: Sequence[BadImage]


def read_examples(images: ImageList, settings: FeatureSettings, *, mirror: bool) -> Examples:
    """The features of a list's images in its order, with those of their mirror images if wanted."""
    views = 2 if mirror else 1
    features = np.empty((len(images.rows), views, count_features(settings)), dtype=np.float32)
    bad: dict[int, BadImage] = {}
    # Threads wait for a network side by side, but work only as many as there are cores.
    cpus = BoundedSemaphore(count_cpus())
    read = partial(read_image, images.photographs, cpus=cpus, settings=settings, views=views)
    with ThreadPoolExecutor(images.photographs.threads) as pool:
        for start in range(0, len(images.rows), BATCH):
            batch = images.rows[start : start + BATCH]
            for position, result in enumerate(pool.map(read, batch), start=start):
                if isinstance(result, BadImage):
                    bad[position] = result
                    warn_event("image_skipped", list=images.path.name, path=result.path, reason=repr(result.reason))
                else:
                    features[position] = result
            read_so_far = {"images": start + len(batch), "bad": len(bad)}
            log_event("images_read", list=images.path.name, source=repr(images.photographs.name), **read_so_far)
    good = [position for position in range(len(images.rows)) if position not in bad]
    classes = np.array([images.rows[position].number for position in good], dtype=np.intp)
    return Examples(features[good] if bad else features, classes, list(bad.values()))


def read_image(
    photographs: PhotographSource, row: Row, *, cpus: BoundedSemaphore, settings: FeatureSettings, views: int
) -> NDArray[np.float32] | BadImage:
    """The features of each view of an image, or why there are none."""
    try:
        with photographs.open(row.path) as photograph, cpus:
            pixels = decode_image(photograph, settings.side)
            return np.stack([extract_features(view, settings) for view in (pixels, pixels[:, ::-1])[:views]])
    except DecodingError as error:
        return BadImage(photographs.name, row.path, str(error))


def check_examples(train: Examples, validation: Examples, *, classes: int, max_bad_images: int) -> None:
    """Refuse images of which too many cannot be used."""
    bad = [*train.bad, *validation.bad]
    if len(bad) > max_bad_images:
        raise TrainingDataError(
            f"{len(bad)} images cannot be used, more than max_bad_images={max_bad_images}: {name_images(bad)}; "
            "replace them, remove their rows, or raise max_bad_images"
        )
    lost = sorted(set(range(classes)) - set(train.classes.tolist()))
    if lost:
        raise TrainingDataError(
            f"no training image of class {lost[0]} can be used: {name_images(train.bad)}; replace them"
        )
    if not len(validation.classes):
        raise TrainingDataError(f"no validation image can be used: {name_images(validation.bad)}; replace them")


def name_images(bad: Sequence[BadImage]) -> str:
    """The first few images with their reasons, for a message."""
    named = [f"{image.path} of {image.source} ({image.reason})" for image in bad[:NAMED_IMAGES]]
    return ", ".join(named) + (f" and {len(bad) - NAMED_IMAGES} more" if len(bad) > NAMED_IMAGES else "")
