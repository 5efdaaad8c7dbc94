"""The training steps in their order: read, learn, judge, export, check, write."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from containers.shared import sagemaker
from containers.shared.job.checkpoints import CheckpointFolder, parse_interval
from containers.shared.job.events import log_event
from containers.shared.job.hosts import HOSTS_VARIABLE, read_addresses
from containers.shared.job.inputs import JobInputs
from containers.shared.job.last_save import LastSave
from containers.shared.job.list_record import ListRecord
from containers.shared.job.outputs import Outputs
from containers.shared.job.scores import format_metric
from containers.shared.job.training_failures import JobError, TrainingDataError
from containers.shared.job.training_job import Job, check_command, read_config, read_job
from containers.shared.networks.hyperparameters import describe_hyperparameters, report_read
from containers.shared.networks.saving import dump_weights
from containers.shared.serving.onnx_sessions import open_session
from headrace.cpus import count_cpus
from headrace.inventory.prices import INSTANCE, PriceError, usual_prices
from headrace.packed.layout import PackedError
from headrace.provenance import EVALUATION_FILE, INPUTS_FILE

from . import contract
from .computing import choose_computing
from .earlier import keep_weights, read_earlier
from .evaluation import dump_evaluation, find_baseline
from .export import check_export, dump_classes, export_network
from .fitting import Judged, find_accuracy, fit, judge
from .hyperparameters import Hyperparameters, parse_hyperparameters
from .network import Network
from .packed_fitting import Conditions, fit_packed
from .packed_reading import PackedExamples, choose_labels, open_packed, reads_packed
from .reading import list_lists, read_examples, read_labels
from .together import meet

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
    job = read_job(root, is_distributed=True, reads_streams=True)
    of_packed = reads_packed(job)
    hyperparameters = parse_hyperparameters(job.hyperparameters, of_packed=of_packed)
    log_event("hyperparameters", **describe_hyperparameters(hyperparameters))
    with ExitStack() as opened:
        task = Task(root, job, hyperparameters, JobInputs(), saved, opened)
        addresses = read_addresses(environment.get(HOSTS_VARIABLE, ""))
        try:
            learnt = learn_packed(task, addresses) if of_packed else learn_whole(task)
            if learnt:
                write_results(task, outputs, learnt)
        except PackedError as error:
            raise TrainingDataError(str(error)) from error


@dataclass(frozen=True)
class Task:
    """What there is to do.

    Args:
        root: Where SageMaker's folders are.
        job: What SageMaker says of the job.
        hyperparameters: Its hyperparameters.
        inputs: Where what is read is taken down.
        saved: Where what is done is saved.
        opened: What is to be closed at the end.
    """

    root: Path
    job: Job
    hyperparameters: Hyperparameters
    inputs: JobInputs
    saved: CheckpointFolder
    opened: ExitStack


@dataclass(frozen=True)
class Learnt:
    """A network that has learnt, what it has learnt from, and what it is judged by.

    Args:
        network: The network.
        classes: The class of each photograph that it has learnt from.
        validation: Photographs that it has not seen.
        labels: The names of the classes.
        lists: The lists of its photographs, as they were read, by their names in the job's output.
    """

    network: Network
    classes: NDArray[np.int64]
    validation: Judged
    labels: Sequence[str]
    lists: Mapping[str, bytes] = field(default_factory=dict)


def learn_whole(task: Task) -> Learnt:
    """Learn from photographs that are held in memory."""
    root, job, hyperparameters = task.root, task.job, task.hyperparameters
    if len(job.hosts) > 1:
        raise JobError(
            f"the job has {len(job.hosts)} instances, and photographs that are not packed are learnt on one; pack "
            "them, or set InstanceCount to 1"
        )
    lists, classes = ListRecord(task.inputs), hyperparameters.num_classes
    with lists.keeping(*list_lists(root, job)):
        training, validation = (
            read_examples(root, job, channel, task.inputs, side=hyperparameters.side, classes=classes)
            for channel in (contract.TRAIN_CHANNEL, contract.VALIDATION_CHANNEL)
        )
        labels = read_labels(root, job, classes)
    report_read(training, validation, hyperparameters)
    earlier = read_earlier(root, job, hyperparameters, task.inputs)
    log_event("begins", earlier_weights=0 if earlier is None else len(earlier))
    network = fit(hyperparameters, training, validation, task.saved, earlier)
    return Learnt(network, training.classes, validation, labels, lists.contents)


def learn_packed(task: Task, addresses: Mapping[str, str]) -> Learnt | None:
    """Learn from packed sets, together with the job's other instances; None on all but the first of them."""
    root, job, hyperparameters = task.root, task.job, task.hyperparameters
    if contract.MODEL_CHANNEL in job.channels:
        raise JobError("packed sets are learnt from the beginning; leave the channel of an earlier model out")
    training, validation = (
        task.opened.enter_context(open_packed(root, job, channel, task.inputs, hyperparameters.num_classes))
        for channel in (contract.TRAIN_CHANNEL, contract.VALIDATION_CHANNEL)
    )
    report_read(training, validation, hyperparameters)
    computing = choose_computing()
    judged = PackedExamples(validation, hyperparameters.side)
    with meet(job, root, addresses, computing.device) as together:
        conditions = Conditions(computing, together, find_hour_dollars(root))
        network = fit_packed(hyperparameters, training, judged, task.saved, conditions)
    labels = choose_labels(training, hyperparameters.num_classes)
    return Learnt(network, training.classes, judged, labels) if together.is_first else None


def write_results(task: Task, outputs: Outputs, learnt: Learnt) -> None:
    """Judge the network, and write the model, its evaluation and the record of its inputs."""
    network, validation, labels = learnt.network, learnt.validation, learnt.labels
    answers = judge(network, validation)
    metrics = {
        contract.VALIDATION_ACCURACY: find_accuracy(validation.classes, answers),
        contract.BASELINE_ACCURACY: find_baseline(learnt.classes, validation.classes),
    }
    sys.stdout.write(format_metric(contract.BASELINE_ACCURACY, metrics[contract.BASELINE_ACCURACY]))
    content = export_network(network.architecture, network.export()).SerializeToString()
    served = open_session(Path(contract.MODEL_FILE), content)
    given = {contract.INPUT_NAME: validation.photographs[:COMPARED]}
    difference = check_export(served.run(None, given)[0], answers[:COMPARED])
    log_event("export_checked", largest_difference=f"{difference:.1e}")

    evaluation = dump_evaluation(
        metrics,
        {"train": len(learnt.classes), "validation": len(validation)},
        labels,
        validation.classes,
        answers.argmax(axis=1),
        describe_hyperparameters(task.hyperparameters),
    )
    with outputs:
        folder = task.root / sagemaker.MODEL_FOLDER
        outputs.add(folder / contract.MODEL_FILE).write_bytes(content)
        keep_weights(outputs.add(folder / contract.WEIGHTS_FILE), dump_weights(network), task.hyperparameters)
        outputs.add(folder / contract.CLASSES_FILE).write_text(dump_classes(labels, content), "utf-8")
        beside = task.root / sagemaker.OUTPUT_DATA_FOLDER
        outputs.add(beside / EVALUATION_FILE).write_text(evaluation, "utf-8")
        outputs.add(beside / INPUTS_FILE).write_bytes(task.inputs.dump())
        for name, kept in learnt.lists.items():
            outputs.add(beside / name).write_bytes(kept)
    log_event("training_end", model_bytes=len(content))


def find_hour_dollars(root: Path) -> float | None:
    """What an instance of the job costs in an hour, on demand, at the dated prices that come with the program."""
    kind = read_config(root / sagemaker.RESOURCES_FILE).get("current_instance_type", "")
    prices = usual_prices()
    try:
        dollars = prices.each(f"{INSTANCE}{kind}")
    except PriceError:
        log_event("price_unknown", instance_type=kind or "unknown")
        return None
    log_event("price", instance_type=kind, dollars_per_hour=dollars, region=prices.region, checked=prices.checked)
    return dollars
