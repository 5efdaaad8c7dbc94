"""Turning the photographs of a list into features, on all cores."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import BoundedSemaphore

import numpy as np
from numpy.typing import NDArray

from containers.shared.images.decoding import DecodingError, decode_photograph
from containers.shared.images.features import FeatureSettings, count_features, extract_features
from containers.shared.job.checkpoints import Checkpoints
from containers.shared.job.events import log_event, warn_event
from containers.shared.job.training_failures import TrainingDataError
from headrace.cpus import count_cpus

from .lists import PhotographList, Row
from .saving import dump_photographs, resume_photographs
from .sources import PhotographSource

BATCH = 512
NAMED_PHOTOGRAPHS = 3


@dataclass(frozen=True)
class BadPhotograph:
    """A photograph that cannot be used: where it comes from, its path there and the reason."""

    source: str
    path: str
    reason: str


@dataclass(frozen=True)
class Examples:
    """The photographs of a list that could be used.

    Args:
        features: By photograph, view and feature; the first view is the photograph as it is.
        classes: The class of each photograph.
        bad: The photographs that could not be used.
    """

    features: NDArray[np.float32]
    classes: NDArray[np.intp]
    bad: Sequence[BadPhotograph]


def read_examples(
    listed: PhotographList, settings: FeatureSettings, *, views: int, checkpoints: Checkpoints
) -> Examples:
    """The features of a list's photographs in its order, with those of their mirror images for two views."""
    features = np.empty((len(listed.rows), views, count_features(settings)), dtype=np.float32)
    bad: dict[int, BadPhotograph] = {}
    # Threads wait for a network side by side, but work only as many as there are cores.
    cpus = BoundedSemaphore(count_cpus())
    read = partial(read_photograph, listed.photographs, cpus=cpus, settings=settings, views=views)
    with ThreadPoolExecutor(listed.photographs.threads) as pool, checkpoints.offering():
        resumed = resume_photographs(listed, features, checkpoints)
        waiting = [place for place in range(len(listed.rows)) if place not in resumed]
        unsaved: list[int] = []
        for end in range(BATCH, len(waiting) + BATCH, BATCH):
            batch = waiting[end - BATCH : end]
            for place, result in zip(batch, pool.map(read, [listed.rows[place] for place in batch]), strict=True):
                if isinstance(result, BadPhotograph):
                    bad[place] = skip_photograph(listed, result)
                else:
                    features[place] = result
                    unsaved.append(place)
            log_progress(listed, len(resumed) + len(waiting[:end]), len(bad))
            if unsaved and (checkpoints.is_due or end >= len(waiting)):
                checkpoints.save(dump_photographs(listed, unsaved, features), len(unsaved))
                unsaved = []
    good = [place for place in range(len(listed.rows)) if place not in bad]
    classes = np.array([listed.rows[place].number for place in good], dtype=np.intp)
    return Examples(features[good] if bad else features, classes, list(bad.values()))


def skip_photograph(listed: PhotographList, photograph: BadPhotograph) -> BadPhotograph:
    """The photograph, once the log names it."""
    warn_event("photograph_skipped", list=listed.path.name, path=photograph.path, reason=repr(photograph.reason))
    return photograph


def log_progress(listed: PhotographList, photographs: int, bad: int) -> None:
    """Say how many photographs of a list have been looked at."""
    source = repr(listed.photographs.name)
    log_event("photographs_read", list=listed.path.name, source=source, photographs=photographs, bad=bad)


def read_photograph(
    photographs: PhotographSource, row: Row, *, cpus: BoundedSemaphore, settings: FeatureSettings, views: int
) -> NDArray[np.float32] | BadPhotograph:
    """The features of each view of a photograph, or why there are none."""
    try:
        with photographs.open(row.path) as photograph, cpus:
            pixels = decode_photograph(photograph, settings.side)
            return np.stack([extract_features(view, settings) for view in (pixels, pixels[:, ::-1])[:views]])
    except DecodingError as error:
        return BadPhotograph(photographs.name, row.path, str(error))


def check_examples(train: Examples, validation: Examples, *, classes: int, max_bad_photographs: int) -> None:
    """Refuse photographs of which too many cannot be used."""
    bad = [*train.bad, *validation.bad]
    if len(bad) > max_bad_photographs:
        raise TrainingDataError(
            f"{len(bad)} photographs cannot be used, more than max_bad_photographs={max_bad_photographs}: "
            f"{name_photographs(bad)}; replace them, remove their rows, or raise max_bad_photographs"
        )
    lost = sorted(set(range(classes)) - set(train.classes.tolist()))
    if lost:
        raise TrainingDataError(
            f"no training photograph of class {lost[0]} can be used: {name_photographs(train.bad)}; replace them"
        )
    if not len(validation.classes):
        raise TrainingDataError(
            f"no validation photograph can be used: {name_photographs(validation.bad)}; replace them"
        )


def name_photographs(bad: Sequence[BadPhotograph]) -> str:
    """The first few photographs with their reasons, for a message."""
    named = [
        f"{photograph.path} of {photograph.source} ({photograph.reason})" for photograph in bad[:NAMED_PHOTOGRAPHS]
    ]
    return ", ".join(named) + (f" and {len(bad) - NAMED_PHOTOGRAPHS} more" if len(bad) > NAMED_PHOTOGRAPHS else "")
