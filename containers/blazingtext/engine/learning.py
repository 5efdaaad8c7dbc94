"""Learning with fastText, whose bindings the container image alone has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fasttext

from containers.shared.cpus import count_cpus
from containers.shared.job.training_failures import TrainingDataError
from headrace.algorithms.hyperparameters import Value

from . import contract

# What fastText has no use for.
UNUSED = ("batch_size", "early_stopping", "evaluation", "min_epochs", "patience")


def learn(text: Path, asked: Mapping[str, Value]) -> Any:
    """A model of the sentences of a file.

    Args:
        text: The file, a sentence a line.
        asked: All hyperparameters.

    Raises:
        TrainingDataError: If no word is frequent enough.
    """
    shared = {
        "input": str(text),
        "dim": asked["vector_dim"],
        "epoch": asked["epochs"],
        "lr": asked["learning_rate"],
        "minCount": asked["min_count"],
        "bucket": asked["buckets"],
        "thread": count_cpus(),
        "verbose": 0,
    }
    try:
        if asked["mode"] == contract.SUPERVISED:
            return fasttext.train_supervised(**shared, wordNgrams=asked["word_ngrams"], loss="softmax")
        parts = {"minn": asked["min_char"], "maxn": asked["max_char"]} if asked["subwords"] else {"minn": 0, "maxn": 0}
        return fasttext.train_unsupervised(
            **shared,
            **parts,
            # Sharing negative samples in batches, as batch_skipgram does, changes the speed and not the model.
            model="cbow" if asked["mode"] == "cbow" else "skipgram",
            loss="ns",
            neg=asked["negative_samples"],
            t=asked["sampling_threshold"],
            ws=asked["window_size"],
        )
    except (RuntimeError, ValueError) as error:
        raise TrainingDataError(
            f"channel {contract.TRAIN_CHANNEL!r}: fastText cannot learn from it: {error}; give more text, or lower "
            f"min_count, {asked['min_count']}"
        ) from error


def measure_accuracy(model: Any, text: Path) -> tuple[int, float]:
    """How many sentences a file has, and the part of them whose likeliest label is one of theirs."""
    rows, precision, _ = model.test(str(text))
    return int(rows), float(precision)
