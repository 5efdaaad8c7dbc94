"""The training steps in their order: check the lists, read the photographs, fit, evaluate, write."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from containers.shared import sagemaker
from containers.shared.images.features import FeatureSettings
from containers.shared.job.events import log_event
from containers.shared.job.outputs import Outputs
from containers.shared.job.training_channels import find_channel
from containers.shared.job.training_job import Job, check_command, read_job

from . import contract
from .evaluation import count_confusions, dump_evaluation, format_metric, judge_examples, measure_classifier
from .examples import check_examples, read_examples
from .export import dump_classifier, dump_weights
from .fitting import fit_classifier
from .hyperparameters import describe_hyperparameters, parse_hyperparameters
from .lists import PhotographList, read_labels, read_lists
from .sources import open_sources


def train(root: Path, arguments: Sequence[str], environment: Mapping[str, str], outputs: Outputs) -> None:
    """Write a classifier and its evaluation from the lists under the root, and the photographs that belong to them."""
    check_command(arguments)
    job = read_job(root)
    hyperparameters = parse_hyperparameters(job.hyperparameters)
    log_event("hyperparameters", **describe_hyperparameters(hyperparameters))
    train_list, validation_list = read_job_lists(root, job, environment)
    labels = read_labels(train_list, 1 + max(row.number for row in train_list.rows))
    log_event("lists_read", train=len(train_list.rows), validation=len(validation_list.rows), classes=len(labels))

    settings = FeatureSettings(side=hyperparameters.image_size)
    training = read_examples(train_list, settings, mirror=hyperparameters.mirror)
    validation = read_examples(validation_list, settings, mirror=False)
    check_examples(training, validation, classes=len(labels), max_bad_photographs=hyperparameters.max_bad_photographs)

    start = time.monotonic()
    classifier = fit_classifier(training, hyperparameters.inverse_regularization)
    log_event("classifier_fitted", seconds=f"{time.monotonic() - start:.1f}")
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
        outputs.add(root / sagemaker.OUTPUT_DATA_FOLDER / contract.EVALUATION_FILE).write_text(evaluation, "utf-8")
    log_event("training_end", model_bytes=len(weights))


def read_job_lists(root: Path, job: Job, environment: Mapping[str, str]) -> tuple[PhotographList, PhotographList]:
    """The job's lists, checked."""
    train_photographs, validation_photographs = open_sources(root, job, environment)
    train_list, validation_list = (
        find_channel(root, channel, job.channels)
        for channel in (contract.TRAIN_LIST_CHANNEL, contract.VALIDATION_LIST_CHANNEL)
    )
    return read_lists((train_list, train_photographs), (validation_list, validation_photographs))
