"""Teaching the network from packed sets, step by step, on one instance or several."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import nn
from torch.nn import functional

from containers.shared.job.checkpoints import CheckpointFolder, Checkpoints
from containers.shared.job.scores import format_metric
from containers.shared.networks.divergence import refuse_divergence
from containers.shared.networks.improvement import has_stopped_improving
from containers.shared.networks.learner import Learner
from containers.shared.networks.saving import sum_weights
from containers.shared.networks.schedule import set_learning_rate
from headrace.packed.order import Epoch, draw_order
from headrace.packed.reading import PackedSet

from . import contract
from .changing import COLOURS, Augmentation
from .computing import Computing
from .feeding import Fed, Feeder
from .fitting import say, validate, weigh_classes
from .hyperparameters import Hyperparameters
from .learner import make_learner
from .network import Network
from .packed_reading import PackedExamples
from .packed_saving import Position, dump_position, offer_saving, open_steps, take_up
from .together import Together

_HOUR: Final = 3600.0
# What is told of each step: its number in all of the work, and the sum of the losses of its records, a tensor.
Watch = Callable[[int, Any], None]


@dataclass(frozen=True)
class Conditions:
    """Under what conditions a network learns.

    Args:
        computing: How it is computed.
        together: The instances that teach it.
        hour_dollars: What an instance costs in an hour; None where that is not known.
        watch: Told of each step.
    """

    computing: Computing
    together: Together
    hour_dollars: float | None = None
    watch: Watch = lambda _step, _loss: None


@dataclass(frozen=True)
class Pace:
    """How an epoch went.

    Args:
        shown: How many records all instances have shown.
        seconds: How long it took.
        waited_seconds: For how much of that the device waited for records.
    """

    shown: int
    seconds: float
    waited_seconds: float

    @property
    def images_per_second(self) -> float:
        """Of all instances together."""
        return self.shown / self.seconds

    @property
    def waited_share(self) -> float:
        """The part of the time in which the device waited."""
        return min(1.0, self.waited_seconds / self.seconds)


class Scorer(nn.Module):  # type: ignore[misc]
    """The network as PyTorch's distributed training wants it.

    Args:
        network: The network.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.modules_of_network = network.modules
        self._classify = network.classify

    def forward(self, values: Any) -> Any:
        """The scores of each class."""
        return self._classify(values)


def fit_packed(
    hyperparameters: Hyperparameters,
    training: PackedSet,
    validation: PackedExamples,
    folder: CheckpointFolder,
    conditions: Conditions,
) -> Network:
    """The network after the last epoch; each step depends on the seed and its own number only.

    Args:
        hyperparameters: Those of the job.
        training: What it learns from.
        validation: What the first instance judges it by, after each epoch.
        folder: Where the first instance saves what is done.
        conditions: Under what it learns.
    """
    learner = make_learner(hyperparameters)
    # Before anything is loaded: what the optimizer remembers lies in memory as the weights do.
    learner.network.modules.to(memory_format=conditions.computing.memory_format)
    checkpoints = open_steps(
        folder, learner, hyperparameters, conditions.together, training.folder, validation.packed.folder
    )
    position = take_up(checkpoints, learner, conditions.together)
    classroom = Classroom(hyperparameters, learner, training, checkpoints, conditions)
    with offer_saving(folder, checkpoints, conditions.together):
        while position.epoch < hyperparameters.epochs:
            if has_stopped_improving(position.accuracies, hyperparameters):
                break
            classroom.learn_epoch(position)
            position.accuracies += conditions.together.hear(
                [validate(learner.network, validation, hyperparameters, position.epoch)]
                if conditions.together.is_first
                else []
            )
            position.epoch, position.step, position.right, position.loss = position.epoch + 1, 0, 0, 0.0
            classroom.save_if_due(position)
    return learner.network


class Classroom:
    """A network that learns, and what it learns from.

    Args:
        hyperparameters: Those of the job.
        learner: The network, and what changes its weights.
        training: What it learns from.
        checkpoints: Where what is done is saved.
        conditions: Under what it learns.
    """

    def __init__(
        self,
        hyperparameters: Hyperparameters,
        learner: Learner[Network],
        training: PackedSet,
        checkpoints: Checkpoints,
        conditions: Conditions,
    ) -> None:
        self._hyperparameters = hyperparameters
        self._learner = learner
        self._training = training
        self._checkpoints = checkpoints
        self._conditions = conditions
        self._weights = weigh_classes(hyperparameters, training.classes, learner.network.device)
        self._feeder = Feeder(
            training,
            conditions.computing,
            hyperparameters.side,
            Augmentation(hyperparameters.is_augmented, hyperparameters.is_coloured),
            hyperparameters.mini_batch_size,
            hyperparameters.seed,
        )
        self._score = make_scorer(hyperparameters, learner.network, conditions)

    def learn_epoch(self, position: Position) -> Pace:
        """Show every record once, from the position's step on, and say how that went."""
        share = self._conditions.together.share
        shards = [shard.records for shard in self._training.layout.shards]
        order = draw_order(shards, self._hyperparameters.seed, position.epoch)
        epoch = Epoch(order, self._hyperparameters.mini_batch_size, share)
        set_learning_rate(self._learner.optimizer, position.epoch, self._hyperparameters)
        self._learner.network.modules.train()
        self._feeder.waited_seconds, start, shown = 0.0, time.monotonic(), 0
        right, loss = self._start_sums(position)
        for fed in self._feeder.feed(epoch, position.epoch, position.step):
            step_right, step_loss = self.learn_step(fed)
            right, loss, shown = right + step_right, loss + step_loss, shown + fed.total
            self._conditions.watch(position.epoch * len(epoch) + fed.number, step_loss)
            position.step = fed.number + 1
            if position.step < len(epoch) and self._checkpoints.is_due:
                position.right, position.loss = int(right), float(loss)
                self._refuse_divergence(position.loss, sum_weights(self._learner.network), position.epoch)
                self.save_if_due(position)
        weights = sum_weights(self._learner.network)
        rights, losses, weights = self._conditions.together.add(float(right), float(loss), weights)
        self._refuse_divergence(losses, weights, position.epoch)
        pace = Pace(shown, time.monotonic() - start, self._feeder.waited_seconds)
        self._say(position.epoch, rights / len(order), losses / len(order), pace)
        return pace

    def _refuse_divergence(self, loss: float, weights: float, epoch: int) -> None:
        """End before a save takes the place of one whose numbers are finite."""
        refuse_divergence([loss, weights], f"in epoch {epoch}", self._hyperparameters.learning_rate)

    def save_if_due(self, position: Position) -> None:
        """Save what is done, where it is time to."""
        if self._checkpoints.is_due:
            self._checkpoints.save(dump_position(self._learner, position), 1)

    def _start_sums(self, position: Position) -> tuple[Any, Any]:
        """What was counted of the epoch before it was interrupted, on the device; only the first instance knows."""
        first = self._conditions.together.is_first
        device = self._learner.network.device
        return (
            torch.tensor(position.right if first else 0, device=device),
            torch.tensor(position.loss if first else 0.0, dtype=torch.float64, device=device),
        )

    def learn_step(self, fed: Fed) -> tuple[Any, Any]:
        """How many of a batch were taken for what they are, and the sum of their losses; waits for nothing."""
        with self._conditions.computing.half():
            scores = self._score(fed.values)
        amiss = functional.cross_entropy(scores.float(), fed.classes, weight=self._weights, reduction="sum")
        self._learner.optimizer.zero_grad(set_to_none=True)
        # Gradients are averaged over the instances, whose parts of a step differ by a record.
        (amiss * (self._conditions.together.share.count / fed.total)).backward()
        self._learner.optimizer.step()
        return (scores.detach().argmax(1) == fed.classes).sum(), amiss.detach().double()

    def _say(self, epoch: int, accuracy: float, loss: float, pace: Pace) -> None:
        together = self._conditions.together
        if not together.is_first:
            return
        say(epoch, f"Train-accuracy={accuracy:.6f}")
        say(epoch, f"Train-cross-entropy={loss:.6f}")
        say(epoch, f"Time cost={pace.seconds:.3f}")
        figures = {contract.IMAGES_A_SECOND: pace.images_per_second, contract.WAITED_SHARE: pace.waited_share}
        if self._conditions.hour_dollars is not None:
            whole = len(self._training) / pace.images_per_second
            figures[contract.EPOCH_DOLLARS] = self._conditions.hour_dollars * together.share.count * whole / _HOUR
        sys.stdout.write("".join(format_metric(name, value) for name, value in figures.items()))


def make_scorer(hyperparameters: Hyperparameters, network: Network, conditions: Conditions) -> Callable[[Any], Any]:
    """What scores a batch while the network learns.

    Args:
        hyperparameters: Those of the job.
        network: The network.
        conditions: Under what it learns.
    """
    computing, together = conditions.computing, conditions.together
    scorer: Any = Scorer(network)
    if not together.is_alone:
        scorer = nn.parallel.DistributedDataParallel(scorer)
    if not computing.is_compiled:
        return scorer  # type: ignore[no-any-return]
    side = hyperparameters.side
    shape = (hyperparameters.mini_batch_size, COLOURS, side, side)
    # Of the type that it is fed with: for another, it would be compiled once more.
    trial = torch.zeros(shape, dtype=computing.pixel_type, device=computing.device)
    # A trial in training would change what normalizes batches.
    kept = {name: tensor.clone() for name, tensor in network.modules.state_dict().items()}
    with computing.half():
        compiled = computing.compile(scorer, "network", trial.contiguous(memory_format=computing.memory_format))
    network.modules.load_state_dict(kept)
    return compiled
