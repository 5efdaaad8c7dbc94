"""What a network has learnt of packed sets, at any step, and how work that was interrupted takes it up again.

The first of several instances saves for all, and gives the others what it has loaded.
"""

from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from containers.shared.job.array_files import ArrayLayout, Arrays, exactly
from containers.shared.job.checkpoints import NO_CHECKPOINTS, CheckpointFolder, Checkpoints, Work, fingerprint_work
from containers.shared.networks.learner import Learner
from containers.shared.networks.saving import (
    dump_state,
    list_layouts,
    list_state,
    load_state,
    measure_state,
    remember,
)
from headrace.packed.layout import SET_FILE

from .hyperparameters import Hyperparameters
from .network import Network
from .together import Together

FORMAT: Final = "headrace-resnet-packed-2"


@dataclass
class Position:
    """How far the work has come.

    Args:
        epoch: How many epochs are done.
        step: How many steps of the next one.
        right: How many of its records were taken for what they are.
        loss: The sum of their losses.
        accuracies: Of validation, for each epoch that is done.
    """

    epoch: int
    step: int
    right: int
    loss: float
    accuracies: list[float]


def open_steps(
    folder: CheckpointFolder,
    learner: Learner[Network],
    hyperparameters: Hyperparameters,
    together: Together,
    *sets: Path,
) -> Checkpoints:
    """The checkpoints of a network that learns from packed sets; none are those of any instance but the first."""
    if not together.is_first:
        return NO_CHECKPOINTS
    layouts = {
        **list_layouts(learner, range(hyperparameters.epochs + 1)),
        "position": ArrayLayout(np.dtype("int64"), (exactly(3),)),
        "loss": ArrayLayout(np.dtype("float64")),
    }
    # A set's own file has the digests of all others.
    digests = [np.frombuffer((path / SET_FILE).read_bytes(), np.uint8) for path in sets]
    settings = [
        FORMAT,
        torch.__version__,
        np.__version__,
        together.share.count,
        sorted(asdict(hyperparameters).items()),
    ]
    return folder.open(Work("steps", fingerprint_work(settings, digests), layouts, measure_state, is_cumulative=True))


def offer_saving(
    folder: CheckpointFolder, checkpoints: Checkpoints, together: Together
) -> AbstractContextManager[None]:
    """The part of the work that looks often whether it is time to save.

    An instance that saves nothing heeds a signal to stop only once the first has saved and ended: no step is done
    without it.

    Args:
        folder: Where the first instance saves what is done.
        checkpoints: Those of this instance.
        together: The instances that teach the network.
    """
    if together.is_first or folder.interval_seconds is None:
        return checkpoints.offering()
    return folder.last_save.offering()


def dump_position(learner: Learner[Network], position: Position) -> Arrays:
    """A part to be saved."""
    return {
        **dump_state(learner, position.accuracies),
        "position": np.array([position.epoch, position.step, position.right], "int64"),
        "loss": np.array(position.loss, "float64"),
    }


def take_up(checkpoints: Checkpoints, learner: Learner[Network], together: Together) -> Position:
    """Where the work goes on, with the learner as it was there; the start, if nothing was saved."""
    position = Position(0, 0, 0, 0.0, [])
    steps = 0
    for part in checkpoints.load():
        accuracies = load_state(learner, part)
        epoch, step, right = map(int, part["position"])
        position, steps = Position(epoch, step, right, float(part["loss"]), accuracies), int(part["steps"])
    return position if together.is_alone else _share(position, steps, learner, together)


def _share(position: Position, steps: int, learner: Learner[Network], together: Together) -> Position:
    """The position of the first instance, with its learner."""
    told: list[Any] = together.hear(
        [position.epoch, position.step, position.right, position.loss, steps, *position.accuracies]
    )
    epoch, step, right, loss, steps, *accuracies = told
    if (epoch, step) != (0, 0):
        if not together.is_first:
            remember(learner, int(steps))
        together.copy_from_first(list_state(learner))
    return Position(int(epoch), int(step), int(right), loss, accuracies)
