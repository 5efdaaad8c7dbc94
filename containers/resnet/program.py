"""The training steps in their order: read, learn, judge, export, check, write."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from containers.shared import sagemaker
from containers.shared.cpus import count_cpus
from containers.shared.job.checkpoints import CheckpointFolder, parse_interval
from containers.shared.job.events import log_event, warn_event
from containers.shared.job.inputs import JobInputs
from containers.shared.job.last_save import LastSave
from containers.shared.job.outputs import Outputs
from containers.shared.job.training_job import check_command, read_job
from containers.shared.serving.onnx_sessions import open_session
from headrace.provenance import EVALUATION_FILE, INPUTS_FILE

from . import contract
from .evaluation import dump_evaluation, find_baseline, format_metric
from .export import check_export, dump_classes, export_network
from .fitting import find_accuracy, fit, judge
from .hyperparameters import Hyperparameters, describe_hyperparameters, parse_hyperparameters
from .reading import Examples, read_examples, read_labels

NOT_AWS = (
    "this is not AWS's algorithm: it is an open program that keeps the contract of SageMaker's built-in image "
    "classification, with PyTorch"
)
COMPARED = 32


def train(
    root: Path, arguments: Sequence[str], environment: Mapping[str, str], outputs: Outputs, last_save: LastSave
) -> None:
    """Write a model, its evaluation and the record of its inputs from the channels under the root."""
    check_command(arguments)
    saved = CheckpointFolder(root / sagemaker.CHECKPOINTS_FOLDER, parse_interval(environment), last_save)
    log_event("engine", program="headrace", torch=torch.__version__, note=repr(NOT_AWS))
    torch.set_num_threads(count_cpus())
    job = read_job(root, reads_streams=True)
    hyperparameters = parse_hyperparameters(job.hyperparameters)
    log_event("hyperparameters", **describe_hyperparameters(hyperparameters))
    inputs = JobInputs()
    training, validation = (
        read_examples(root, job, channel, inputs, side=hyperparameters.side, classes=hyperparameters.num_classes)
        for channel in (contract.TRAIN_CHANNEL, contract.VALIDATION_CHANNEL)
    )
    labels = read_labels(root, job, hyperparameters.num_classes)
    log_event("data_read", train=len(training), validation=len(validation), classes=len(labels))
    warn_of_count(training, hyperparameters)

    network = fit(hyperparameters, training, validation, saved)
    answers = judge(network, validation)
    metrics = {
        contract.VALIDATION_ACCURACY: find_accuracy(validation.classes, answers),
        contract.BASELINE_ACCURACY: find_baseline(training.classes, validation.classes),
    }
    sys.stdout.write(format_metric(contract.BASELINE_ACCURACY, metrics[contract.BASELINE_ACCURACY]))
    content = export_network(network.architecture, network.export()).SerializeToString()
    served = open_session(Path(contract.MODEL_FILE), content)
    given = {contract.INPUT_NAME: validation.photographs[:COMPARED]}
    difference = check_export(served.run(None, given)[0], answers[:COMPARED])
    log_event("export_checked", largest_difference=f"{difference:.1e}")

    evaluation = dump_evaluation(
        metrics,
        {"train": len(training), "validation": len(validation)},
        labels,
        validation.classes,
        answers.argmax(axis=1),
        describe_hyperparameters(hyperparameters),
    )
    with outputs:
        folder = root / sagemaker.MODEL_FOLDER
        outputs.add(folder / contract.MODEL_FILE).write_bytes(content)
        outputs.add(folder / contract.CLASSES_FILE).write_text(dump_classes(labels, content), "utf-8")
        beside = root / sagemaker.OUTPUT_DATA_FOLDER
        outputs.add(beside / EVALUATION_FILE).write_text(evaluation, "utf-8")
        outputs.add(beside / INPUTS_FILE).write_bytes(inputs.dump())
    log_event("training_end", model_bytes=len(content))


def warn_of_count(training: Examples, hyperparameters: Hyperparameters) -> None:
    """Say where num_training_samples is another number than there are photographs."""
    if len(training) != hyperparameters.num_training_samples:
        warn_event(
            "num_training_samples_differs",
            given=hyperparameters.num_training_samples,
            found=len(training),
            note=repr("this program counts them itself"),
        )
