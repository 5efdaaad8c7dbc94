"""A linear model as data: what it is in JSON, its numbers as NumPy's arrays.

A sample of the first:

{"format": "headrace-linear-learner", "version": 1, "predictor_type": "multiclass_classifier",
 "loss": "multiclass_cross_entropy", "threshold": 0.0, "features": 10, "weights_sha256": "9f86d081…"}
"""

import hashlib
import io
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from containers.shared.serving.array_files import read_arrays
from containers.shared.serving.model_files import ModelError, read_file

from . import contract
from .evaluation import Judged, answer
from .fitting import Linear

_WEIGHTS, _INTERCEPTS = "weights", "intercepts"
_MOST_MODEL_BYTES: Final = 64 * 1024
# A million classes of a hundred features.
MOST_WEIGHTS_BYTES: Final = 512 * 1024 * 1024
_KINDS: Final = (contract.BINARY, contract.MULTICLASS, contract.REGRESSOR)


def dump_weights(model: Linear) -> bytes:
    """The file of the numbers."""
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **{_WEIGHTS: model.weights, _INTERCEPTS: model.intercepts})
    return content.getvalue()


def dump_model(judged: Judged, weights: bytes) -> str:
    """The file of what the model is, described at the head of this module."""
    document = {
        "format": contract.MODEL_FORMAT,
        "version": contract.MODEL_VERSION,
        "predictor_type": judged.hyperparameters.predictor_type,
        "loss": judged.model.loss.name,
        "threshold": judged.threshold,
        "features": judged.model.weights.shape[1],
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    return json.dumps(document, allow_nan=False, indent=1) + "\n"


@dataclass(frozen=True)
class Served:
    """A model that answers."""

    kind: str
    loss: str
    threshold: float
    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]

    def answer(self, features: Any) -> list[dict[str, Any]]:
        """What is answered to rows, in the algorithm's form."""
        scores = np.asarray(features @ self.weights.T) + self.intercepts
        return answer(self.kind, self.loss, scores, self.threshold)


def load_model(folder: Path) -> Served:
    """The model in a folder, checked to be ours and whole."""
    path = folder / contract.MODEL_FILE
    try:
        document = json.loads(read_file(path, _MOST_MODEL_BYTES))
        found = (document["format"], document["version"])
        kind, loss, width = document["predictor_type"], document["loss"], int(document["features"])
        threshold, digest = float(document["threshold"]), str(document["weights_sha256"])
        if found != (contract.MODEL_FORMAT, contract.MODEL_VERSION) or kind not in _KINDS:
            raise ValueError(f"format {found[0]!r} version {found[1]!r} with {kind!r}")
        if not math.isfinite(threshold):
            raise ValueError(f"threshold {threshold}")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{path}: not what training writes: {error!r}; train again with this release") from error
    path = folder / contract.WEIGHTS_FILE
    content = read_file(path, MOST_WEIGHTS_BYTES)
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelError(f"{path}: not the one that {contract.MODEL_FILE} belongs to; deploy both of one job")
    weights, intercepts = read_arrays(path, content, (_WEIGHTS, _INTERCEPTS), np.float64)
    if weights.shape != (len(intercepts), width) or (kind != contract.MULTICLASS and len(intercepts) != 1):
        raise ModelError(f"{path}: weights of shape {weights.shape} for {width} features; train again")
    if not (np.isfinite(weights).all() and np.isfinite(intercepts).all()):
        raise ModelError(f"{path}: a weight is not a finite number; train again")
    return Served(kind, str(loss), threshold, weights, intercepts)
