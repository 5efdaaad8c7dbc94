"""A detector and what changes its weights, before it has learnt anything."""

from typing import Any

import torch

from containers.shared.networks.learner import Learner, choose_device

from .architecture import design
from .hyperparameters import Hyperparameters
from .network import Network


def make_learner(hyperparameters: Hyperparameters) -> Learner[Network]:
    """A detector that knows nothing yet, the same for the same seed."""
    torch.manual_seed(hyperparameters.seed)
    network = Network(design(hyperparameters.image_shape, hyperparameters.num_classes), choose_device())
    return Learner(network, _make_optimizer(network, hyperparameters))


def _make_optimizer(network: Network, hyperparameters: Hyperparameters) -> Any:
    weights, rate = list(network.modules.parameters()), hyperparameters.learning_rate
    decay = hyperparameters.weight_decay
    # As the published table has it: momentum is for sgd alone, and decay for two of them.
    match hyperparameters.optimizer:
        case "adam":
            return torch.optim.Adam(weights, rate)
        case "adadelta":
            return torch.optim.Adadelta(weights, rate)
        case "rmsprop":
            return torch.optim.RMSprop(weights, rate, weight_decay=decay)
    return torch.optim.SGD(weights, rate, momentum=hyperparameters.momentum, weight_decay=decay)
