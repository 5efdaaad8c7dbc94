"""Loading the classifier and answering with it; its files are described beside their writer in the training image."""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from containers.shared.images.classifier import INTERCEPTS, WEIGHTS, Classifier
from containers.shared.images.decoding import decode_photograph
from containers.shared.images.features import FeatureSettings, count_features, extract_features
from containers.shared.serving.array_files import read_arrays
from containers.shared.serving.model_files import ModelError, read_file

from . import contract

LARGEST_SIDE = 1024
# Thousands of classes with thousands of features each.
MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Model:
    """A classifier, how to make its features and the names of its classes."""

    labels: tuple[str, ...]
    features: FeatureSettings
    classifier: Classifier

    def classify(self, body: bytes) -> list[float]:
        """The probability of each class for the photograph in a request's body."""
        pixels = decode_photograph(io.BytesIO(body), self.features.side)
        features = extract_features(pixels, self.features)
        probabilities = self.classifier.find_probabilities(features[None])[0]
        return [float(probability) for probability in probabilities]


def load_model(folder: Path) -> Model:
    """The model in a folder, checked to be ours and whole."""
    path = folder / contract.CLASSIFIER_FILE
    labels, features, digest = parse_classifier(path, read_file(path, MOST_BYTES))
    path = folder / contract.WEIGHTS_FILE
    content = read_file(path, MOST_BYTES)
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelError(
            f"{path}: it belongs to another {contract.CLASSIFIER_FILE} than the one beside it; deploy both of one job"
        )
    return Model(labels, features, parse_weights(path, content, (len(labels), count_features(features))))


def parse_classifier(path: Path, content: bytes) -> tuple[tuple[str, ...], FeatureSettings, str]:
    """The labels, the feature settings and the digest of the weights in the classifier's file."""
    try:
        document = json.loads(content)
        found = (document["format"], document["version"])
        if found != (contract.CLASSIFIER_FORMAT, contract.CLASSIFIER_VERSION):
            raise ModelError(
                f"{path}: format {found[0]!r} version {found[1]!r}, but {contract.CLASSIFIER_FORMAT!r} version "
                f"{contract.CLASSIFIER_VERSION} is served; train again with this release"
            )
        labels = tuple(str(label) for label in document["labels"])
        return labels, parse_features(document["features"]), str(document["weights_sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: not a classifier: {error!r}; train again with this release") from error


def parse_features(document: dict[str, Any]) -> FeatureSettings:
    """The feature settings, checked to be such as can be computed."""
    settings = FeatureSettings(**{**document, "cells": tuple(document["cells"])})
    numbers = (settings.side, settings.orientations, settings.grid, *settings.cells)
    if not all(isinstance(number, int) and 0 < number <= LARGEST_SIDE for number in numbers):
        raise ValueError(f"features {document} are not numbers from 1 to {LARGEST_SIDE}")
    if 2 * max(settings.cells) > settings.side:
        raise ValueError(f"a photograph of side {settings.side} has no two cells of side {max(settings.cells)}")
    return settings


def parse_weights(path: Path, content: bytes, shape: tuple[int, int]) -> Classifier:
    """The classifier in the bytes of the weights file."""
    weights, intercepts = read_arrays(path, content, (WEIGHTS, INTERCEPTS), np.float32)
    if weights.shape != shape or intercepts.shape != shape[:1]:
        raise ModelError(
            f"{path}: it has weights of shape {weights.shape}, but {contract.CLASSIFIER_FILE} has "
            f"{shape[0]} labels and makes {shape[1]} features; deploy both of one job"
        )
    return Classifier(weights, intercepts)
