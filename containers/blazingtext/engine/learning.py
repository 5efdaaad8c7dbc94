"""Learning with fastText, whose bindings the container image alone has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fasttext

from containers.shared.job.training_failures import TrainingDataError
from headrace.algorithms.hyperparameters import Value
from headrace.cpus import count_cpus

from . import contract

# What fastText says when its numbers have grown beyond all bounds.
_LOST = "NaN"
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
        text_advice = f"give more text, or lower min_count, {asked['min_count']}"
        advice = f"lower learning_rate, {asked['learning_rate']}" if _LOST in str(error) else text_advice
        raise TrainingDataError(
            f"channel {contract.TRAIN_CHANNEL!r}: fastText cannot learn from it: {error}; {advice}"
        ) from error


def count_right(model: Any, text: Path) -> int:
    """How many sentences of a file have the label that is the likeliest one.

    fastText leaves out those of whose labels it knows none, and is wrong about each of them.
    """
    rows, precision, _ = model.test(str(text))
    return round(rows * precision) if rows else 0
