"""The training steps in their order: read, grow, judge, write."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from containers.shared import sagemaker
from containers.shared.job.algorithm_hyperparameters import check_hyperparameters, parse_hyperparameters
from containers.shared.job.events import log_event
from containers.shared.job.hosts import HOSTS_VARIABLE, read_addresses
from containers.shared.job.inputs import JobInputs
from containers.shared.job.outputs import Outputs
from containers.shared.job.scores import dump_evaluation, format_metric
from containers.shared.job.training_channels import find_channel
from containers.shared.job.training_failures import TrainingDataError
from containers.shared.job.training_job import Job, check_command, read_job
from containers.shared.tables.labelled import list_data_files
from headrace.algorithms.boosted_trees import list_own_mistakes
from headrace.provenance import EVALUATION_FILE, INPUTS_FILE

from . import contract
from .boosting import grow, predicts_classes, to_matrix
from .checking import check_rows
from .evaluation import measure_baseline
from .reading import Dataset, read_dataset
from .together import Together, meet

NOT_AWS = (
    "this is not AWS's algorithm: it is an open program that keeps the contract of SageMaker's built-in XGBoost, "
    "with the engine of XGBoost itself"
)


def train(root: Path, arguments: Sequence[str], outputs: Outputs) -> None:
    """Write a model, its evaluation and the record of its inputs from the channels under the root."""
    check_command(arguments)
    log_event("engine", program="headrace", xgboost=xgboost.__version__, note=repr(NOT_AWS))
    job = read_job(root, is_distributed=True)
    texts = check_hyperparameters(contract.ALGORITHM, job.hyperparameters, list_own_mistakes)
    inputs = JobInputs()
    hyperparameters = parse_hyperparameters(contract.ALGORITHM, texts)
    training = read_channel(root, job, contract.TRAIN_CHANNEL, inputs, hyperparameters)
    validation = None
    if contract.VALIDATION_CHANNEL in job.channels:
        validation = read_channel(root, job, contract.VALIDATION_CHANNEL, inputs, hyperparameters)
    check_widths(training, validation)
    log_event("data_read", train=len(training), validation=len(validation or ()), features=training.features.shape[1])
    with meet(job, read_addresses(os.environ.get(HOSTS_VARIABLE, ""))) as together:
        grown = grow_together(together, hyperparameters, training, validation)
        inputs = together.gather_inputs(inputs)
    if together.is_first:
        write_results(root, outputs, grown, inputs)
    log_event("training_end", rounds=grown.booster.num_boosted_rounds())


@dataclass(frozen=True)
class Grown:
    """A model, its scores, the rows that it is made from, and how."""

    booster: xgboost.Booster
    metrics: Mapping[str, float]
    rows: Mapping[str, int]
    hyperparameters: Mapping[str, object]


def grow_together(
    together: Together, hyperparameters: Mapping[str, Any], training: Dataset, validation: Dataset | None
) -> Grown:
    """Grow the trees from the rows of all instances, and judge them."""
    matrix, judged_by = to_matrix(training), to_matrix(validation) if validation else None
    booster, history = grow(hyperparameters, matrix, judged_by, together)
    metrics = {f"{data}:{metric}": values[-1] for data, scores in history.items() for metric, values in scores.items()}
    learnt = together.gather(training.labels)
    judged = together.gather(validation.labels) if validation else np.empty(0, np.float32)
    if len(judged):
        baseline = measure_baseline(learnt, judged, of_classes=predicts_classes(hyperparameters))
        if together.is_first:
            for name, value in baseline.items():
                sys.stdout.write(format_metric(name, value))
        metrics |= baseline
    return Grown(booster, metrics, {"train": len(learnt), "validation": len(judged)}, hyperparameters)


def write_results(root: Path, outputs: Outputs, grown: Grown, inputs: JobInputs) -> None:
    """Write the model, its evaluation and the record of its inputs."""
    with outputs:
        model = outputs.add(root / sagemaker.MODEL_FOLDER / contract.MODEL_FILE)
        model.write_bytes(grown.booster.save_raw("ubj"))
        beside = root / sagemaker.OUTPUT_DATA_FOLDER
        evaluation = dump_evaluation(grown.metrics, grown.rows, grown.hyperparameters)
        outputs.add(beside / EVALUATION_FILE).write_text(evaluation, "utf-8")
        outputs.add(beside / INPUTS_FILE).write_bytes(inputs.dump())


def read_channel(root: Path, job: Job, name: str, inputs: JobInputs, hyperparameters: Mapping[str, Any]) -> Dataset:
    """The rows of a channel, checked, and taken down as what the model is made from."""
    folder = find_channel(root, name, job.channels)
    inputs.add_files(name, folder, *list_data_files(folder))
    content_type = job.content_types.get(name, contract.DEFAULT_CONTENT_TYPE)
    rows = read_dataset(folder, content_type, has_weights=hyperparameters.get("csv_weights") == 1)
    check_rows(name, rows, hyperparameters)
    return rows


def check_widths(training: Dataset, validation: Dataset | None) -> None:
    """Refuse rows to judge by that have other features than those to learn from; sparse ones may end earlier."""
    if validation and not hasattr(validation.features, "tocsr"):
        found, wanted = validation.features.shape[1], training.features.shape[1]
        if found != wanted:
            raise TrainingDataError(
                f"channel 'validation' has {found} features, and channel 'train' {wanted}; both need the same columns"
            )
