"""Loading a model, and answering with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from containers.shared.serving.model_files import ModelError, read_file

from . import contract
from .binary import Binary, BinaryError, Matrix, read_binary
from .features import Features, split_words

# The algorithm's own buckets, with vectors of three hundred numbers.
MOST_MODEL_BYTES: Final = 4 * 1024**3
_LEAST_PROBABILITY: Final = 1e-5


class Model:
    """Word vectors, or a classifier of sentences."""

    def __init__(self, binary: Binary) -> None:
        self._binary = binary
        self._features = Features(binary)
        self.is_supervised = binary.is_supervised

    def describe(self) -> dict[str, object]:
        """How many words and labels it knows, and how long its vectors are."""
        binary = self._binary
        return {"words": len(binary.words), "labels": len(binary.labels), "dimensions": binary.inputs.shape[1]}

    def find_vector(self, word: str) -> Matrix:
        """The vector of a word; zeros for one that is unknown and whose parts do not count."""
        return self._mean(self._features.find_word(word.encode("utf-8", "replace")))

    def find_labels(self, sentence: str, most: int) -> list[tuple[str, float]]:
        """The labels of a sentence with the probability of each, the likeliest first."""
        rows = self._features.find_sentence(split_words(sentence))
        scores = self._binary.outputs.astype(np.float64) @ self._mean(rows)
        odds = np.exp(scores - scores.max())
        # fastText keeps every probability above 0.
        probabilities = np.minimum(odds / odds.sum() + _LEAST_PROBABILITY, 1 + _LEAST_PROBABILITY)
        order = np.argsort(-probabilities, kind="stable")[:most]
        return [(self._binary.labels[place], float(probabilities[place])) for place in order]

    def _mean(self, rows: Sequence[int]) -> Matrix:
        if not rows:
            return np.zeros(self._binary.inputs.shape[1], np.float32)
        return np.asarray(self._binary.inputs[rows].mean(axis=0, dtype=np.float32))


def load_model(folder: Path) -> Model:
    """The model in a folder, checked to be one of fastText's."""
    name = contract.CLASSIFIER_FILE if (folder / contract.CLASSIFIER_FILE).is_file() else contract.VECTORS_FILE
    path = folder / name
    try:
        return Model(read_binary(read_file(path, MOST_MODEL_BYTES)))
    except BinaryError as error:
        raise ModelError(f"{path}: {error}; train again, or save the model with fastText 0.9") from error
