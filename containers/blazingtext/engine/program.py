"""The training steps in their order: read, learn, judge, write."""

import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.shared import sagemaker
from containers.shared.job.algorithm_hyperparameters import (
    check_hyperparameters,
    fill_hyperparameters,
    parse_hyperparameters,
    warn_ignored,
)
from containers.shared.job.events import log_event
from containers.shared.job.inputs import JobInputs
from containers.shared.job.outputs import Outputs
from containers.shared.job.scores import dump_evaluation, format_metric
from containers.shared.job.training_channels import find_channel
from containers.shared.job.training_job import Job, check_command, read_job
from headrace.algorithms.words import list_own_mistakes
from headrace.provenance import EVALUATION_FILE, INPUTS_FILE

from . import contract
from .binary import Binary, read_binary
from .corpus import gather, list_text_files
from .features import Features
from .learning import UNUSED, count_right, learn
from .model import Model

NOT_AWS = (
    "this is not AWS's algorithm: it is an open program that keeps the contract of SageMaker's built-in BlazingText, "
    "with the engine of fastText"
)


def train(root: Path, arguments: Sequence[str], outputs: Outputs) -> None:
    """Write a model, its evaluation and the record of its inputs from the channels under the root."""
    check_command(arguments)
    log_event("engine", program="headrace", note=repr(NOT_AWS))
    job = read_job(root)
    given = check_hyperparameters(contract.ALGORITHM, job.hyperparameters, list_own_mistakes)
    asked = fill_hyperparameters(contract.ALGORITHM, parse_hyperparameters(contract.ALGORITHM, given))
    warn_ignored(given, UNUSED, "fastText_has_no_use_for_them")
    is_supervised = asked["mode"] == contract.SUPERVISED
    inputs = JobInputs()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        counts = read_channels(root, job, scratch, inputs, is_supervised=is_supervised)
        rows = {channel: count.total() for channel, count in counts.items()}
        log_event("data_read", **rows)
        learnt = learn(scratch / contract.TRAIN_CHANNEL, asked)
        metrics = judge(learnt, scratch, counts) if is_supervised else {}
        learnt.save_model(str(scratch / "model"))
        content = (scratch / "model").read_bytes()
    binary = read_binary(content)
    with outputs:
        folder = root / sagemaker.MODEL_FOLDER
        outputs.add(folder / (contract.CLASSIFIER_FILE if is_supervised else contract.VECTORS_FILE)).write_bytes(
            content
        )
        if not is_supervised:
            write_vectors(binary, outputs.add(folder / contract.VECTORS_TEXT_FILE))
        beside = root / sagemaker.OUTPUT_DATA_FOLDER
        evaluation = dump_evaluation(metrics, {**rows, "words": len(binary.words)}, asked)
        outputs.add(beside / EVALUATION_FILE).write_text(evaluation, "utf-8")
        outputs.add(beside / INPUTS_FILE).write_bytes(inputs.dump())
    log_event("training_end", **Model(binary).describe())


def read_channels(
    root: Path, job: Job, scratch: Path, inputs: JobInputs, *, is_supervised: bool
) -> dict[str, Counter[str]]:
    """Gather the sentences of each channel in a file of its name, and count what they are of."""
    counts = {}
    for name in (contract.TRAIN_CHANNEL, contract.VALIDATION_CHANNEL):
        if name == contract.TRAIN_CHANNEL or (is_supervised and name in job.channels):
            folder = find_channel(root, name, job.channels)
            inputs.add_files(name, folder, *list_text_files(folder))
            counts[name] = gather(folder, scratch / name, is_labelled=is_supervised)
    return counts


def judge(learnt: Any, scratch: Path, counts: Mapping[str, Counter[str]]) -> dict[str, float]:
    """Say in the algorithm's own words how often the model is right, and how often the most frequent label is."""
    metrics = {}
    for name, count in counts.items():
        rows = count.total()
        accuracy = count_right(learnt, scratch / name) / rows
        metrics[f"{name}:accuracy"] = accuracy
        sys.stdout.write(f"#{name}_accuracy: {accuracy:.4f}\nNumber of {name} examples: {rows}\n")
    if judged_by := counts.get(contract.VALIDATION_CHANNEL):
        ((label, _),) = counts[contract.TRAIN_CHANNEL].most_common(1)
        metrics[contract.BASELINE_ACCURACY] = judged_by[label] / judged_by.total()
        sys.stdout.write(format_metric(contract.BASELINE_ACCURACY, metrics[contract.BASELINE_ACCURACY]))
    return metrics


def write_vectors(binary: Binary, path: Path) -> None:
    """Write the vector of each word in word2vec's text format: how many and how long they are, then a word a line."""
    features = Features(binary)
    with path.open("wb") as file:
        file.write(f"{len(binary.words)} {binary.inputs.shape[1]}\n".encode())
        for word in binary.words:
            vector = binary.inputs[features.find_word(word)].mean(axis=0)
            file.write(word + b" " + " ".join(f"{value:.5g}" for value in vector.tolist()).encode() + b"\n")
