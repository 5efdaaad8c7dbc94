"""A model of each kind that is served."""

from pathlib import Path

import numpy as np
import pytest

from containers.images.training.export import dump_classifier, dump_weights
from containers.shared.images.classifier import Classifier
from containers.shared.images.features import FeatureSettings, count_features


@pytest.fixture(scope="session")
def image_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of an image classifier that has learnt nothing."""
    root = tmp_path_factory.mktemp("image_root")
    settings = FeatureSettings()
    classifier = Classifier(np.zeros((2, count_features(settings)), dtype=np.float32), np.zeros(2, dtype=np.float32))
    weights = dump_weights(classifier)
    (root / "model").mkdir()
    (root / "model/weights.npz").write_bytes(weights)
    (root / "model/classifier.json").write_text(dump_classifier(["gear", "star"], settings, weights))
    return root
