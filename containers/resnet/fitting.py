"""Teaching the network, epoch by epoch, and saying so in the words of the built-in algorithm's log."""

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from containers.shared.job.checkpoints import CheckpointFolder
from containers.shared.job.training_failures import TrainingDataError
from containers.shared.networks.divergence import refuse_divergence
from containers.shared.networks.improvement import has_stopped_improving
from containers.shared.networks.learner import Learner
from containers.shared.networks.saving import dump_state, load_state, open_epochs, sum_weights, take_weights
from containers.shared.networks.schedule import set_learning_rate

from . import contract
from .hyperparameters import Hyperparameters
from .learner import make_learner
from .network import Network
from .reading import Examples

FORMAT: Final = "headrace-resnet-1"
# Photographs are moved by up to an eighth of their side.
_SHIFT: Final = 8
JUDGED_AT_ONCE: Final = 64
Floats = NDArray[np.float32]


class Photographs(Protocol):
    """Photographs of which a few at a time are asked for."""

    def __getitem__(self, wanted: slice, /) -> NDArray[np.uint8]:
        """Those of some places, by photograph, row, column and colour."""
        ...


class Judged(Protocol):
    """Photographs that a network is judged by."""

    @property
    def photographs(self) -> Photographs:
        """The photographs."""
        ...

    @property
    def classes(self) -> NDArray[np.int64]:
        """The class of each."""
        ...

    def __len__(self) -> int: ...


def fit(
    hyperparameters: Hyperparameters,
    training: Examples,
    validation: Examples,
    folder: CheckpointFolder,
    earlier: Floats | None = None,
) -> Network:
    """The network after the last epoch; each epoch depends on the seed and its own number only.

    Args:
        hyperparameters: Those of the job.
        training: What it learns from.
        validation: What it is judged by.
        folder: Where its checkpoints are.
        earlier: The weights of the network that it goes on from.
    """
    learner = make_learner(hyperparameters)
    settings: list[object] = [FORMAT, sorted(asdict(hyperparameters).items())]
    data: list[NDArray[Any]] = [training.photographs, training.classes, validation.photographs, validation.classes]
    if earlier is not None:
        _take_up(learner.network, earlier)
        data.append(earlier)
    checkpoints = open_epochs(folder, learner, hyperparameters.epochs, settings, data)
    accuracies: list[float] = []
    for part in checkpoints.load():
        accuracies = load_state(learner, part)
    weights = weigh_classes(hyperparameters, training.classes, learner.network.device)
    with checkpoints.offering():
        for epoch in range(len(accuracies), hyperparameters.epochs):
            if has_stopped_improving(accuracies, hyperparameters):
                break
            start = time.monotonic()
            set_learning_rate(learner.optimizer, epoch, hyperparameters)
            right = _learn(learner, training, hyperparameters, epoch, weights)
            say(epoch, f"Train-accuracy={right / len(training):.6f}")
            say(epoch, f"Time cost={time.monotonic() - start:.3f}")
            accuracies.append(validate(learner.network, validation, hyperparameters, epoch))
            if checkpoints.is_due:
                checkpoints.save(dump_state(learner, accuracies), 1)
    return learner.network


def _take_up(network: Network, earlier: Floats) -> None:
    """Give a network the weights of an earlier one."""
    try:
        take_weights(network, earlier)
    except ValueError as error:
        raise TrainingDataError(
            f"channel {contract.MODEL_CHANNEL!r}: the earlier network's weights do not fit the layers of this release; "
            "leave continue_from out and begin anew"
        ) from error


def judge(network: Network, examples: Judged) -> Floats:
    """The probability of each class for each photograph, a row a photograph."""
    network.modules.eval()
    with torch.no_grad():
        parts = [
            functional.softmax(network.score(examples.photographs[begin : begin + JUDGED_AT_ONCE]), 1).cpu().numpy()
            for begin in range(0, len(examples), JUDGED_AT_ONCE)
        ]
    return np.concatenate(parts)


def find_accuracy(classes: NDArray[np.int64], probabilities: Floats, top: int = 1) -> float:
    """The part of the photographs whose class is among the most probable ones."""
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    return float(np.mean((best == classes[:, None]).any(axis=1)))


def _learn(
    learner: Learner[Network], training: Examples, hyperparameters: Hyperparameters, epoch: int, weights: Any
) -> int:
    """Show every photograph once, and return how many were taken for what they are."""
    learner.network.modules.train()
    right = 0
    for photographs, classes in _draw_batches(training, hyperparameters, epoch):
        wanted = torch.from_numpy(classes).to(learner.network.device)
        scores = learner.network.score(photographs)
        loss = functional.cross_entropy(scores, wanted, weight=weights)
        learner.optimizer.zero_grad()
        loss.backward()
        learner.optimizer.step()
        right += int((scores.argmax(1) == wanted).sum())
    # What is not a number once stays so. The last loss is from before the last step, and the weights from after it.
    numbers = (float(loss.detach()), sum_weights(learner.network))
    refuse_divergence(numbers, f"in epoch {epoch}", hyperparameters.learning_rate)
    return right


def _draw_batches(
    training: Examples, hyperparameters: Hyperparameters, epoch: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    chance = np.random.default_rng((hyperparameters.seed, epoch))
    order = chance.permutation(len(training))
    count = max(1, round(len(order) / hyperparameters.mini_batch_size))
    for places in np.array_split(order, count):
        photographs = training.photographs[places]
        if hyperparameters.is_augmented:
            photographs = _change(photographs, chance)
        yield photographs, training.classes[places]


def _change(photographs: NDArray[np.uint8], chance: np.random.Generator) -> NDArray[np.uint8]:
    """Each photograph moved a little, and half of them mirrored."""
    side = photographs.shape[1]
    room = side // _SHIFT
    padded = np.pad(photographs, ((0, 0), (room, room), (room, room), (0, 0)), mode="edge")
    changed = np.empty_like(photographs)
    for place, (top, left) in enumerate(chance.integers(0, 2 * room + 1, (len(photographs), 2))):
        moved = padded[place, top : top + side, left : left + side]
        changed[place] = moved[:, ::-1] if chance.random() < 0.5 else moved
    return changed


def validate(network: Network, validation: Judged, hyperparameters: Hyperparameters, epoch: int) -> float:
    """How often the network is right about examples that it has not seen, also said in the log."""
    answers = judge(network, validation)
    accuracy = find_accuracy(validation.classes, answers)
    say(epoch, f"Validation-accuracy={accuracy:.6f}")
    if top := hyperparameters.top_k:
        say(epoch, f"Validation-top_k_accuracy_{top}={find_accuracy(validation.classes, answers, top):.6f}")
    return accuracy


def say(epoch: int, text: str) -> None:
    """A line of the algorithm's log."""
    sys.stdout.write(f"Epoch[{epoch}] {text}\n")
    sys.stdout.flush()


def weigh_classes(hyperparameters: Hyperparameters, classes: NDArray[np.int64], device: str) -> Any:
    """How much each class counts, where rare ones are to count as much as frequent ones."""
    if not hyperparameters.use_weighted_loss:
        return None
    counts = np.bincount(classes, minlength=hyperparameters.num_classes).clip(min=1)
    weights = len(classes) / (len(counts) * counts)
    return torch.tensor(weights, dtype=torch.float32, device=device)
