"""The training steps in their order: read, grow, judge, write."""

import sys
from collections.abc import Sequence
from pathlib import Path

import xgboost

from containers.shared import sagemaker
from containers.shared.job.events import log_event
from containers.shared.job.inputs import JobInputs
from containers.shared.job.outputs import Outputs
from containers.shared.job.training_channels import find_channel
from containers.shared.job.training_failures import HyperparameterError, TrainingDataError
from containers.shared.job.training_hyperparameters import PLATFORM_PREFIXES
from containers.shared.job.training_job import Job, check_command, read_job
from headrace.algorithms.reading import find_algorithm
from headrace.provenance import EVALUATION_FILE, INPUTS_FILE

from . import contract
from .boosting import grow, parse_hyperparameters, predicts_classes, to_matrix
from .evaluation import dump_evaluation, format_metric, measure_baseline
from .reading import Dataset, list_data_files, read_dataset

NOT_AWS = (
    "this is not AWS's algorithm: it is an open program that keeps the contract of SageMaker's built-in XGBoost, "
    "with the engine of XGBoost itself"
)


def train(root: Path, arguments: Sequence[str], outputs: Outputs) -> None:
    """Write a model, its evaluation and the record of its inputs from the channels under the root."""
    check_command(arguments)
    log_event("engine", program="headrace", xgboost=xgboost.__version__, note=repr(NOT_AWS))
    job = read_job(root)
    texts = check_hyperparameters(job)
    hyperparameters = parse_hyperparameters(texts)
    inputs = JobInputs()
    has_weights = texts.get("csv_weights") == "1"
    training = read_channel(root, job, contract.TRAIN_CHANNEL, inputs, has_weights=has_weights)
    has_validation = contract.VALIDATION_CHANNEL in job.channels
    validation = (
        read_channel(root, job, contract.VALIDATION_CHANNEL, inputs, has_weights=has_weights)
        if has_validation
        else None
    )
    check_widths(training, validation)
    check_classes(training, hyperparameters)
    rows = {"train": len(training), "validation": len(validation or ())}
    log_event("data_read", **rows, features=training.features.shape[1])

    booster, history = grow(hyperparameters, to_matrix(training), to_matrix(validation) if validation else None)
    metrics = {f"{data}:{metric}": values[-1] for data, scores in history.items() for metric, values in scores.items()}
    if validation:
        of_classes = predicts_classes(hyperparameters)
        baseline = measure_baseline(training.labels, validation.labels, of_classes=of_classes)
        for name, value in baseline.items():
            sys.stdout.write(format_metric(name, value))
        metrics |= baseline
    with outputs:
        model = outputs.add(root / sagemaker.MODEL_FOLDER / contract.MODEL_FILE)
        model.write_bytes(booster.save_raw("ubj"))
        beside = root / sagemaker.OUTPUT_DATA_FOLDER
        evaluation = dump_evaluation(metrics, rows, hyperparameters)
        outputs.add(beside / EVALUATION_FILE).write_text(evaluation, "utf-8")
        outputs.add(beside / INPUTS_FILE).write_bytes(inputs.dump())
    log_event("training_end", rounds=booster.num_boosted_rounds())


def check_hyperparameters(job: Job) -> dict[str, str]:
    """The job's own hyperparameters, refused as the published table says."""
    own = {name: text for name, text in job.hyperparameters.items() if not name.startswith(PLATFORM_PREFIXES)}
    if mistakes := list(find_algorithm("xgboost").list_mistakes(own)):
        raise HyperparameterError("; ".join(f"hyperparameter {mistake}" for mistake in mistakes))
    return own


def read_channel(root: Path, job: Job, name: str, inputs: JobInputs, *, has_weights: bool) -> Dataset:
    """The rows of a channel, taken down as what the model is made from."""
    folder = find_channel(root, name, job.channels)
    inputs.add_files(name, folder, *list_data_files(folder))
    content_type = job.content_types.get(name, contract.DEFAULT_CONTENT_TYPE)
    return read_dataset(folder, content_type, has_weights=has_weights)


def check_widths(training: Dataset, validation: Dataset | None) -> None:
    """Refuse rows to judge by that have other features than those to learn from; sparse ones may end earlier."""
    if validation and not hasattr(validation.features, "tocsr"):
        found, wanted = validation.features.shape[1], training.features.shape[1]
        if found != wanted:
            raise TrainingDataError(
                f"channel 'validation' has {found} features, and channel 'train' {wanted}; both need the same columns"
            )


def check_classes(training: Dataset, hyperparameters: dict[str, object]) -> None:
    """Refuse labels that are not classes where classes are to be told apart."""
    classes = hyperparameters.get("num_class")
    if not isinstance(classes, int):
        return
    labels = training.labels
    wrong = (labels != labels.round()) | (labels < 0) | (labels >= classes)
    if wrong.any():
        row = int(wrong.argmax())
        raise TrainingDataError(
            f"channel 'train', row {row + 1}: the label {labels[row]:g} is not one of the {classes} classes "
            f"0 to {classes - 1} that num_class announces; the label stands first"
        )
