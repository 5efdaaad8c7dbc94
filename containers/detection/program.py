"""The training steps in their order: read, learn, judge, export, check, write."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from containers.shared import sagemaker
from containers.shared.job.checkpoints import CheckpointFolder, parse_interval
from containers.shared.job.events import log_event
from containers.shared.job.inputs import JobInputs
from containers.shared.job.last_save import LastSave
from containers.shared.job.outputs import Outputs
from containers.shared.job.scores import format_metric
from containers.shared.job.training_job import check_command, read_job
from containers.shared.networks.hyperparameters import describe_hyperparameters, report_read
from containers.shared.serving.onnx_sessions import open_session
from headrace.cpus import count_cpus
from headrace.provenance import EVALUATION_FILE, INPUTS_FILE

from . import contract
from .evaluation import dump_evaluation, find_baseline
from .export import check_export, dump_detector, export_network
from .fitting import find_all, fit, judge
from .hyperparameters import Hyperparameters, parse_hyperparameters
from .network import Network
from .precision import find_average_precisions, find_mean
from .reading import Scenes, read_scenes

NOT_AWS = (
    "this is not AWS's algorithm: it is an open program that keeps the contract of SageMaker's built-in object "
    "detection, with PyTorch and a smaller network that begins without knowledge"
)
COMPARED = 8


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
        read_scenes(root, job, channel, inputs, side=hyperparameters.image_shape, classes=hyperparameters.num_classes)
        for channel in (contract.TRAIN_CHANNEL, contract.VALIDATION_CHANNEL)
    )
    report_read(training, validation, hyperparameters)

    network = fit(hyperparameters, training, validation, saved, job.host)
    content = export_checked(network, validation)
    evaluation = evaluate(network, training, validation, hyperparameters)
    with outputs:
        folder = root / sagemaker.MODEL_FOLDER
        outputs.add(folder / contract.MODEL_FILE).write_bytes(content)
        described = dump_detector(hyperparameters.num_classes, hyperparameters.nms_threshold, content)
        outputs.add(folder / contract.DETECTOR_FILE).write_text(described, "utf-8")
        beside = root / sagemaker.OUTPUT_DATA_FOLDER
        outputs.add(beside / EVALUATION_FILE).write_text(evaluation, "utf-8")
        outputs.add(beside / INPUTS_FILE).write_bytes(inputs.dump())
    log_event("training_end", model_bytes=len(content))


def export_checked(network: Network, validation: Scenes) -> bytes:
    """The model that is served, which answers as the detector does."""
    content: bytes = export_network(network.architecture, network.export()).SerializeToString()
    compared = validation.photographs[:COMPARED]
    served = open_session(Path(contract.MODEL_FILE), content)
    answers = served.run([contract.SCORES_NAME, contract.BOXES_NAME], {contract.INPUT_NAME: compared})
    difference = check_export(answers, list(judge(network, compared)))
    log_event("export_checked", largest_difference=f"{difference:.1e}")
    return content


def evaluate(network: Network, training: Scenes, validation: Scenes, hyperparameters: Hyperparameters) -> str:
    """The evaluation's file; the baseline goes to the log, too."""
    overlap = hyperparameters.overlap_threshold
    found = find_all(network, validation.photographs, hyperparameters.nms_threshold)
    precisions = find_average_precisions(found, validation.labels, validation.boxes, overlap)
    metrics = {
        contract.VALIDATION_MAP: find_mean(precisions),
        contract.BASELINE_MAP: find_baseline(training, validation, overlap),
    }
    sys.stdout.write(format_metric(contract.BASELINE_MAP, metrics[contract.BASELINE_MAP]))
    return dump_evaluation(metrics, precisions, training, validation, describe_hyperparameters(hyperparameters))
