"""Teaching the detector, epoch by epoch, and saying so in the words of the built-in algorithm's log."""

import sys
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from containers.shared.job.checkpoints import CheckpointFolder
from containers.shared.networks.divergence import refuse_divergence
from containers.shared.networks.improvement import has_stopped_improving
from containers.shared.networks.layers import to_array
from containers.shared.networks.learner import Learner
from containers.shared.networks.saving import dump_state, load_state, open_epochs, sum_weights
from containers.shared.networks.schedule import set_learning_rate

from .cells import Floats, decode
from .drawing import Batch, draw_batches
from .finding import find_objects
from .hyperparameters import Hyperparameters
from .learner import make_learner
from .network import Network
from .precision import find_average_precisions, find_mean
from .reading import Scenes

FORMAT: Final = "headrace-detection-1"
JUDGED_AT_ONCE: Final = 32
# How much the cells with and without an object count, and how little those that are right already
# (https://arxiv.org/abs/1708.02002).
_OBJECT_WEIGHT: Final = 0.25
_FOCUS: Final = 2
# Below this many cells or this logarithm, the error of a box counts by its square.
_SMOOTH: Final = 0.5
_BOX_WEIGHT: Final = 0.5


def fit(
    hyperparameters: Hyperparameters, training: Scenes, validation: Scenes, folder: CheckpointFolder, host: str
) -> Network:
    """The detector after the last epoch; each epoch depends on the seed and its own number only."""
    learner = make_learner(hyperparameters)
    settings: list[object] = [FORMAT, sorted(asdict(hyperparameters).items())]
    data: list[NDArray[Any]] = [*training.arrays, *validation.arrays]
    checkpoints = open_epochs(folder, learner, hyperparameters.epochs, settings, data)
    precisions: list[float] = []
    for part in checkpoints.load():
        precisions = load_state(learner, part)
    with checkpoints.offering():
        for epoch in range(len(precisions), hyperparameters.epochs):
            if has_stopped_improving(precisions, hyperparameters):
                break
            set_learning_rate(learner.optimizer, epoch, hyperparameters)
            _learn(learner, training, hyperparameters, epoch, host)
            precisions.append(_judge_epoch(learner.network, validation, hyperparameters))
            _say(host, f"epoch={epoch}, validation mAP <score>=({precisions[-1]:.6f})")
            if checkpoints.is_due:
                checkpoints.save(dump_state(learner, precisions), 1)
    return learner.network


def judge(network: Network, photographs: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """How sure each cell is of each class, and its box, by photograph and cell."""
    network.modules.eval()
    with torch.no_grad():
        said = to_array(network.compute(photographs))
    return decode(said, network.architecture.classes)


def find_all(network: Network, photographs: NDArray[np.uint8], nms_threshold: float) -> list[Floats]:
    """The objects in each photograph, as `find_objects` has them."""
    found: list[Floats] = []
    # What all cells say of all photographs could take more memory than there is.
    for begin in range(0, len(photographs), JUDGED_AT_ONCE):
        scores, boxes = judge(network, photographs[begin : begin + JUDGED_AT_ONCE])
        found += [find_objects(*each, nms_threshold) for each in zip(scores, boxes, strict=True)]
    return found


def _judge_epoch(network: Network, validation: Scenes, hyperparameters: Hyperparameters) -> float:
    found = find_all(network, validation.photographs, hyperparameters.nms_threshold)
    overlap = hyperparameters.overlap_threshold
    return find_mean(find_average_precisions(found, validation.labels, validation.boxes, overlap))


def _learn(
    learner: Learner[Network], training: Scenes, hyperparameters: Hyperparameters, epoch: int, host: str
) -> None:
    """Show every photograph once."""
    network, optimizer = learner.network, learner.optimizer
    network.modules.train()
    losses = []
    for batch in draw_batches(training, hyperparameters, epoch, network.architecture.grid):
        class_loss, box_loss = _measure_losses(network, batch)
        optimizer.zero_grad()
        (class_loss + _BOX_WEIGHT * box_loss).backward()
        optimizer.step()
        losses.append((float(class_loss.detach()), float(box_loss.detach())))
    means = np.mean(losses, axis=0)
    # The last loss is from before the last step, and the weights from after it.
    refuse_divergence((*means, sum_weights(network)), f"in epoch {epoch}", hyperparameters.learning_rate)
    for name, loss in zip(("cross_entropy", "smooth_l1"), means, strict=True):
        _say(host, f"epoch={epoch}, batch={len(losses)} train {name} <loss>=({loss:.6f})")


def _measure_losses(network: Network, batch: Batch) -> tuple[Any, Any]:
    """How wrong the cells are about classes, and those with an object about its box, for each such cell."""
    classes, boxes, is_object = (torch.from_numpy(part).to(network.device) for part in batch[1:])
    said = network.compute(batch.photographs)
    logits, said_boxes = said[:, : classes.shape[1]], said[:, classes.shape[1] :]
    count = is_object.sum().clamp(min=1)
    entropy = functional.binary_cross_entropy_with_logits(logits, classes, reduction="none")
    # As sure as the cell is of what is so: the entropy is the negative logarithm of it.
    wrong = 1 - torch.exp(-entropy)
    weight = _OBJECT_WEIGHT * classes + (1 - _OBJECT_WEIGHT) * (1 - classes)
    class_loss = (weight * wrong**_FOCUS * entropy).sum() / count
    errors = functional.smooth_l1_loss(said_boxes, boxes, reduction="none", beta=_SMOOTH)
    return class_loss, (errors * is_object[:, None]).sum() / count


def _say(host: str, text: str) -> None:
    sys.stdout.write(f"#quality_metric: host={host}, {text}\n")
    sys.stdout.flush()
