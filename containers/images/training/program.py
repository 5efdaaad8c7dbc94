"""The training steps in their order: check the lists, read the photographs, fit, evaluate, write."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from containers.shared import sagemaker
from containers.shared.images.classifier import Classifier
from containers.shared.images.features import FeatureSettings
from containers.shared.job.checkpoints import CheckpointFolder, parse_interval
from containers.shared.job.events import log_event
from containers.shared.job.inputs import JobInputs
from containers.shared.job.last_save import LastSave
from containers.shared.job.list_record import ListRecord
from containers.shared.job.outputs import Outputs
from containers.shared.job.scores import format_metric
from containers.shared.job.training_channels import find_channel
from containers.shared.job.training_job import Job, check_command, read_job
from headrace.provenance import EVALUATION_FILE, INPUTS_FILE

from . import contract
from .evaluation import count_confusions, dump_evaluation, judge_examples, measure_classifier
from .examples import Examples, check_examples, read_examples
from .export import dump_classifier, dump_weights
from .fitting import fit_classifier
from .hyperparameters import Hyperparameters, describe_hyperparameters, parse_hyperparameters
from .lists import PhotographList, read_labels, read_lists
from .recording import RecordedPhotographs, list_lists
from .saving import open_photographs
from .sources import open_sources


def train(
    root: Path, arguments: Sequence[str], environment: Mapping[str, str], outputs: Outputs, last_save: LastSave
) -> None:
    """Write a classifier, its evaluation and the record of its inputs, which are lists and their photographs."""
    check_command(arguments)
    saved = CheckpointFolder(root / sagemaker.CHECKPOINTS_FOLDER, parse_interval(environment), last_save)
    job = read_job(root)
    hyperparameters = parse_hyperparameters(job.hyperparameters)
    log_event("hyperparameters", **describe_hyperparameters(hyperparameters))
    inputs = JobInputs()
    lists = ListRecord(inputs)
    train_list, validation_list, labels = read_job_lists(root, job, environment, inputs, lists)
    log_event("lists_read", train=len(train_list.rows), validation=len(validation_list.rows), classes=len(labels))

    settings = FeatureSettings(side=hyperparameters.image_size)
    training, validation = (
        read_examples(
            listed, settings, views=views, checkpoints=open_photographs(saved, listed, settings, views, environment)
        )
        for listed, views in ((train_list, 1 + hyperparameters.mirror), (validation_list, 1))
    )
    check_examples(training, validation, classes=len(labels), max_bad_photographs=hyperparameters.max_bad_photographs)

    classifier = fit_and_log(training, hyperparameters, saved)
    answers = judge_examples(classifier, validation)
    metrics = measure_classifier(training, judge_examples(classifier, training), validation, answers)
    for name, value in metrics.items():
        sys.stdout.write(format_metric(name, value))

    weights = dump_weights(classifier)
    evaluation = dump_evaluation(
        metrics,
        training,
        validation,
        labels=labels,
        confusions=count_confusions(validation.classes, answers),
        hyperparameters=hyperparameters,
    )
    with outputs:
        folder = root / sagemaker.MODEL_FOLDER
        outputs.add(folder / contract.WEIGHTS_FILE).write_bytes(weights)
        outputs.add(folder / contract.CLASSIFIER_FILE).write_text(dump_classifier(labels, settings, weights), "utf-8")
        beside = root / sagemaker.OUTPUT_DATA_FOLDER
        outputs.add(beside / EVALUATION_FILE).write_text(evaluation, "utf-8")
        outputs.add(beside / INPUTS_FILE).write_bytes(inputs.dump())
        for name, content in lists.contents.items():
            outputs.add(beside / name).write_bytes(content)
    log_event("training_end", model_bytes=len(weights))


def fit_and_log(training: Examples, hyperparameters: Hyperparameters, saved: CheckpointFolder) -> Classifier:
    """The classifier, and how long it took to fit."""
    start = time.monotonic()
    classifier = fit_classifier(training, hyperparameters.inverse_regularization, saved)
    log_event("classifier_fitted", seconds=f"{time.monotonic() - start:.1f}")
    return classifier


def read_job_lists(
    root: Path, job: Job, environment: Mapping[str, str], inputs: JobInputs, record: ListRecord
) -> tuple[PhotographList, PhotographList, Sequence[str]]:
    """The job's lists, checked, and the names of the classes; they and their photographs are taken down when read."""
    train, validation = (
        RecordedPhotographs(photographs, inputs, channel)
        for photographs, channel in zip(
            open_sources(root, job, environment), (contract.TRAIN_CHANNEL, contract.VALIDATION_CHANNEL), strict=True
        )
    )
    folders = [
        find_channel(root, channel, job.channels)
        for channel in (contract.TRAIN_LIST_CHANNEL, contract.VALIDATION_LIST_CHANNEL)
    ]
    with record.keeping(*list_lists(*folders)):
        train_list, validation_list = read_lists((folders[0], train), (folders[1], validation))
        labels = read_labels(train_list, 1 + max(row.number for row in train_list.rows))
    return train_list, validation_list, labels
