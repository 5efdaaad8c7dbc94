"""Writing the classifier as data, which cannot run code.

The classifier is two arrays, so NumPy's own format without pickled objects holds it, and the endpoint needs nothing but
NumPy to run it. `classifier.json` beside it says how to make features and binds the weights by their digest:

    {"format": "headrace-image-classifier", "version": 1,
     "labels": ["accordion", "bonsai"],
     "features": {"side": 96, "cells": [16, 32], "orientations": 18, "grid": 4},
     "weights_sha256": "9f86d081…"}
"""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from containers.shared.images.classifier import INTERCEPTS, WEIGHTS, Classifier
from containers.shared.images.features import FeatureSettings

from . import contract


def dump_weights(classifier: Classifier) -> bytes:
    """The weights file."""
    buffer = io.BytesIO()
    arrays = {WEIGHTS: classifier.weights, INTERCEPTS: classifier.intercepts}
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def dump_classifier(labels: Sequence[str], settings: FeatureSettings, weights: bytes) -> str:
    """The classifier's file, described at the head of this module."""
    document = {
        "format": contract.CLASSIFIER_FORMAT,
        "version": contract.CLASSIFIER_VERSION,
        "labels": list(labels),
        "features": asdict(settings),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
