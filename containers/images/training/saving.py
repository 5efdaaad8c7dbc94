"""Photographs that were looked at and the classifier's fit as arrays, and back, so that interrupted work goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial

import numpy as np
import PIL
import sklearn
from numpy.typing import NDArray

from containers.shared.images.features import FeatureSettings, count_features
from containers.shared.job.array_files import ArrayLayout, Arrays, exactly
from containers.shared.job.checkpoints import CheckpointFolder, Checkpoints, Work, fingerprint_work
from headrace.provenance import InputFile

from . import contract
from .lists import PhotographList

FORMAT = "headrace-photographs-1"
COMPONENTS = "components"
REGRESSION = "regression"
_DIGEST_BYTES = 32
# What the features of a normalized image depend on besides its photograph.
_SOURCE_VARIABLES = (contract.IMAGES_VARIABLE, contract.IMAGES_PREFIX_VARIABLE, contract.IMAGES_OPTIONS_VARIABLE)


def open_photographs(
    folder: CheckpointFolder,
    listed: PhotographList,
    settings: FeatureSettings,
    views: int,
    environment: Mapping[str, str],
) -> Checkpoints:
    """The checkpoints of a list's photographs, looked at with these settings from so many views."""
    rows = range(1, len(listed.rows) + 1)
    layouts = {
        "places": ArrayLayout(np.dtype("int64"), (rows,)),
        "features": ArrayLayout(np.dtype("float32"), (rows, exactly(views), exactly(count_features(settings)))),
        "digests": ArrayLayout(np.dtype("uint8"), (rows, exactly(_DIGEST_BYTES))),
        "sizes": ArrayLayout(np.dtype("int64"), (rows,)),
    }
    source = [environment.get(name) for name in _SOURCE_VARIABLES]
    versions = [FORMAT, np.__version__, PIL.__version__]
    described = [*versions, *source, sorted(asdict(settings).items()), views, [row.path for row in listed.rows]]
    measure = partial(count_photographs, rows=len(listed.rows))
    return folder.open(Work(listed.photographs.channel, fingerprint_work(described, []), layouts, measure))


def count_photographs(part: Arrays, *, rows: int) -> int:
    """How many photographs of a list a part has; a ValueError if it has others."""
    places, sizes = part["places"], part["sizes"]
    if not len(places) == len(part["features"]) == len(part["digests"]) == len(sizes):
        raise ValueError("its arrays do not belong together")
    if places.min() < 0 or places.max() >= rows or (sizes < 0).any() or not np.isfinite(part["features"]).all():
        raise ValueError("its photographs are not those of the list")
    return len(places)


def dump_photographs(listed: PhotographList, places: Sequence[int], features: NDArray[np.float32]) -> Arrays:
    """The features of the photographs at some places of a list, and what was taken down when they were read."""
    files = [listed.photographs.taken[listed.rows[place].path] for place in places]
    return {
        "places": np.array(places, "int64"),
        "features": features[places],
        "digests": np.array([list(bytes.fromhex(file.sha256)) for file in files], "uint8"),
        "sizes": np.array([file.size for file in files], "int64"),
    }


def resume_photographs(listed: PhotographList, features: NDArray[np.float32], checkpoints: Checkpoints) -> set[int]:
    """Put the features that were saved where they belong, and give the places that have theirs.

    A photograph whose size has changed since has none. What was read of the others is taken down as it was then.
    """
    resumed = set()
    for part in checkpoints.load():
        for i, place in enumerate(part["places"].tolist()):
            path, size = listed.rows[place].path, int(part["sizes"][i])
            if listed.photographs.measure(path) in (size, None):
                listed.photographs.take(InputFile(path, part["digests"][i].tobytes().hex(), size))
                features[place] = part["features"][i]
                resumed.add(place)
    return resumed


def open_components(folder: CheckpointFolder, features: NDArray[np.float32], components: int) -> Checkpoints:
    """The checkpoints of so many principal components of the features; there is one part."""
    width = exactly(features.shape[1])
    layouts = {
        "components": ArrayLayout(features.dtype, (exactly(components), width)),
        "mean": ArrayLayout(features.dtype, (width,)),
    }
    fingerprint = fingerprint_work([FORMAT, sklearn.__version__, components], [features])
    return folder.open(Work(COMPONENTS, fingerprint, layouts, count_finite))


def open_regression(
    folder: CheckpointFolder, reduced: NDArray[np.float32], classes: NDArray[np.intp], inverse_regularization: float
) -> Checkpoints:
    """The checkpoints of a logistic regression on these principal components."""
    count = int(classes.max()) + 1
    rows = exactly(count if count > 2 else 1)
    layouts = {
        "weights": ArrayLayout(reduced.dtype, (rows, exactly(reduced.shape[1]))),
        "intercepts": ArrayLayout(reduced.dtype, (rows,)),
        "is_done": ArrayLayout(np.dtype("bool")),
    }
    fingerprint = fingerprint_work([FORMAT, sklearn.__version__, inverse_regularization], [reduced, classes])
    return folder.open(Work(REGRESSION, fingerprint, layouts, count_finite, is_cumulative=True))


def count_finite(part: Arrays) -> int:
    """One, for a part of finite numbers; else a ValueError."""
    if not all(np.isfinite(array).all() for array in part.values() if array.dtype.kind == "f"):
        raise ValueError("its numbers are not finite")
    return 1
