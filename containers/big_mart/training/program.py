"""The training steps in their order: read, fit, evaluate, export, check, write."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from containers.shared import sagemaker
from containers.shared.job.checkpoints import CheckpointFolder, parse_interval
from containers.shared.job.events import log_event
from containers.shared.job.free_memory import find_free_memory
from containers.shared.job.last_save import LastSave
from containers.shared.job.outputs import Outputs
from containers.shared.job.scores import format_metric
from containers.shared.job.training_channels import find_channel
from containers.shared.job.training_job import check_command, read_job
from headrace.cpus import count_cpus
from headrace.provenance import EVALUATION_FILE, INPUTS_FILE, PROFILE_FILE

from . import contract
from .channels import read_dataset, read_encoding, read_profile, record_inputs
from .evaluation import dump_evaluation, evaluate_forest
from .export import check_export, export_forest
from .forest import fit_forest
from .hyperparameters import describe_hyperparameters, parse_hyperparameters
from .memory import check_fitting, check_reading
from .saving import open_checkpoints


def train(
    root: Path, arguments: Sequence[str], environment: Mapping[str, str], outputs: Outputs, last_save: LastSave
) -> None:
    """Write a model, its encoding, its evaluation and the record of its inputs from the channels under the root."""
    check_command(arguments)
    interval = parse_interval(environment)
    job = read_job(root)
    hyperparameters = parse_hyperparameters(job.hyperparameters)
    log_event("hyperparameters", **describe_hyperparameters(hyperparameters))
    encoding_folder = find_channel(root, contract.ENCODING_CHANNEL, job.channels)
    encoding = read_encoding(encoding_folder)
    folders = [
        find_channel(root, channel, job.channels) for channel in (contract.TRAIN_CHANNEL, contract.VALIDATION_CHANNEL)
    ]
    check_reading(folders, find_free_memory())
    inputs = record_inputs(encoding_folder, folders)
    training, validation = (read_dataset(folder, encoding.width) for folder in folders)
    log_event("data_read", train=len(training.labels), validation=len(validation.labels), features=encoding.width)

    check_fitting(len(training.labels), hyperparameters, count_cpus(), find_free_memory())
    saved = CheckpointFolder(root / sagemaker.CHECKPOINTS_FOLDER, interval, last_save)
    checkpoints = open_checkpoints(saved, training, hyperparameters)
    forest = fit_forest(training, hyperparameters, log_trees, checkpoints)
    metrics = evaluate_forest(forest, training, validation)
    for name, value in metrics.items():
        sys.stdout.write(format_metric(name, value))
    model = export_forest(forest, encoding.content)
    log_event("export_checked", largest_relative_difference=f"{check_export(model, forest, validation.features):.1e}")

    evaluation = dump_evaluation(metrics, training, validation, hyperparameters)
    with outputs:
        folder = root / sagemaker.MODEL_FOLDER
        outputs.add(folder / contract.MODEL_FILE).write_bytes(model.SerializeToString())
        outputs.add(folder / contract.ENCODING_FILE).write_bytes(encoding.content)
        beside = root / sagemaker.OUTPUT_DATA_FOLDER
        outputs.add(beside / EVALUATION_FILE).write_text(evaluation, "utf-8")
        outputs.add(beside / INPUTS_FILE).write_bytes(inputs)
        if profile := read_profile(encoding_folder):
            outputs.add(beside / PROFILE_FILE).write_bytes(profile)
    log_event("training_end", model_bytes=(folder / contract.MODEL_FILE).stat().st_size)


def log_trees(trees: int, seconds: float) -> None:
    """Say how far the forest has grown."""
    log_event("trees_done", trees=trees, seconds=f"{seconds:.1f}")
