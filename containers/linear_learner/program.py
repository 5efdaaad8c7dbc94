"""The training steps in their order: read, fit, judge, write."""

import sys
from collections.abc import Sequence
from pathlib import Path

from containers.shared import sagemaker
from containers.shared.job.events import log_event
from containers.shared.job.inputs import JobInputs
from containers.shared.job.outputs import Outputs
from containers.shared.job.scores import dump_evaluation, format_metric
from containers.shared.job.training_channels import find_channel
from containers.shared.job.training_job import Job, check_command, read_job
from containers.shared.tables.labelled import (
    Table,
    check_classes,
    list_data_files,
    read_csv,
    read_recordio,
    read_table,
)
from headrace.provenance import EVALUATION_FILE, INPUTS_FILE

from . import contract
from .evaluation import Judged, describe_scores, name_metrics
from .fitting import Linear, check_features, fit
from .hyperparameters import Hyperparameters, read_hyperparameters
from .model import dump_model, dump_weights
from .threshold import choose_threshold

NOT_AWS = (
    "this is not AWS's algorithm: it is an open program that keeps the contract of SageMaker's built-in linear learner"
)
_READERS = {contract.RECORDIO: read_recordio, contract.CSV: read_csv}


def train(root: Path, arguments: Sequence[str], outputs: Outputs) -> None:
    """Write a model, its evaluation and the record of its inputs from the channels under the root."""
    check_command(arguments)
    log_event("engine", program="headrace", note=repr(NOT_AWS))
    job = read_job(root)
    hyperparameters = read_hyperparameters(job.hyperparameters)
    inputs = JobInputs()
    tables = read_channels(root, job, hyperparameters, inputs)
    training, validation = tables[contract.TRAIN_CHANNEL], tables.get(contract.VALIDATION_CHANNEL)
    rows = {name: len(table.labels) for name, table in tables.items()}
    log_event("data_read", **rows, features=training.features.shape[1])

    host = job.host or "algo-1"
    model = fit(training, validation, hyperparameters, host=host, say=say)
    judged = judge(model, validation or training, hyperparameters)
    metrics = report(judged, tables, host)
    weights = dump_weights(model)
    with outputs:
        folder = root / sagemaker.MODEL_FOLDER
        outputs.add(folder / contract.WEIGHTS_FILE).write_bytes(weights)
        outputs.add(folder / contract.MODEL_FILE).write_text(dump_model(judged, weights), "utf-8")
        beside = root / sagemaker.OUTPUT_DATA_FOLDER
        evaluation = dump_evaluation(metrics, rows, hyperparameters.values)
        outputs.add(beside / EVALUATION_FILE).write_text(evaluation, "utf-8")
        outputs.add(beside / INPUTS_FILE).write_bytes(inputs.dump())
    log_event("training_end", features=model.weights.shape[1], scores=model.weights.shape[0])


def say(line: str) -> None:
    """Write a line of the log."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def read_channels(root: Path, job: Job, hyperparameters: Hyperparameters, inputs: JobInputs) -> dict[str, Table]:
    """The rows of each channel, taken down as what the model is made from or judged by."""
    tables: dict[str, Table] = {}
    for name in (contract.TRAIN_CHANNEL, contract.VALIDATION_CHANNEL, contract.TEST_CHANNEL):
        if name != contract.TRAIN_CHANNEL and name not in job.channels:
            continue
        folder = find_channel(root, name, job.channels)
        inputs.add_files(name, folder, *list_data_files(folder))
        content_type = job.content_types.get(name, contract.DEFAULT_CONTENT_TYPE)
        tables[name] = read_table(folder, content_type, _READERS, "the linear learner")
        width = hyperparameters.whole("feature_dim", tables[contract.TRAIN_CHANNEL].features.shape[1])
        check_features(name, tables[name], width)
        if hyperparameters.predictor_type == contract.MULTICLASS:
            check_classes(name, tables[name].labels, hyperparameters.whole("num_classes"), "num_classes")
        elif hyperparameters.predictor_type == contract.BINARY:
            check_classes(name, tables[name].labels, 2, contract.BINARY)
    return tables


def judge(model: Linear, table: Table, hyperparameters: Hyperparameters) -> Judged:
    """The model with its threshold, chosen in some rows."""
    threshold = 0.0
    if hyperparameters.predictor_type == contract.BINARY:
        threshold = choose_threshold(model.score(table.features)[:, 0], table.labels, 0.0, hyperparameters)
    return Judged(model, threshold, hyperparameters)


def report(judged: Judged, tables: dict[str, Table], host: str) -> dict[str, float]:
    """Write the scores to the log, in which SageMaker finds the metrics, and return them by name."""
    metrics: dict[str, float] = {}
    for part, table in tables.items():
        scores = judged.list_scores(table)
        for line in describe_scores(part, scores, host):
            say(line)
        metrics |= name_metrics(part, scores)
    if contract.VALIDATION_CHANNEL in tables:
        training, validation = tables[contract.TRAIN_CHANNEL], tables[contract.VALIDATION_CHANNEL]
        ours = dict(judged.list_baselines(training, validation))
        if mse := metrics.get("validation:mse"):
            ours[contract.VALIDATION_RMSE] = mse**0.5
        for name, value in ours.items():
            sys.stdout.write(format_metric(name, value))
        metrics |= ours
    return metrics
