"""A network and what changes its weights, before it has learnt anything."""

from typing import Any

import torch

from containers.shared.networks.learner import Learner, choose_device

from .architecture import design
from .hyperparameters import Hyperparameters
from .network import Network


def make_learner(hyperparameters: Hyperparameters, device: str = "") -> Learner[Network]:
    """A network that knows nothing yet, the same for the same seed.

    Args:
        hyperparameters: Those of the job.
        device: Where it is computed: on a GPU where there is one, if left out.
    """
    torch.manual_seed(hyperparameters.seed)
    shape = design(hyperparameters.num_layers, hyperparameters.side, hyperparameters.num_classes)
    network = Network(shape, device or choose_device())
    return Learner(network, _make_optimizer(network, hyperparameters))


def _make_optimizer(network: Network, hyperparameters: Hyperparameters) -> Any:
    weights, rate = list(network.modules.parameters()), hyperparameters.learning_rate
    # One kernel for all weights, which PyTorch has for these on a GPU.
    fused = {"fused": True} if network.device == "cuda" else {}
    match hyperparameters.optimizer:
        case "adam":
            betas = (hyperparameters.beta_1, hyperparameters.beta_2)
            return torch.optim.Adam(weights, rate, betas, hyperparameters.eps, **fused)
        case "rmsprop":
            return torch.optim.RMSprop(weights, rate, alpha=hyperparameters.gamma, eps=hyperparameters.eps)
    return torch.optim.SGD(
        weights,
        rate,
        momentum=hyperparameters.momentum,
        weight_decay=hyperparameters.weight_decay,
        nesterov=hyperparameters.optimizer == "nag",
        **fused,
    )
