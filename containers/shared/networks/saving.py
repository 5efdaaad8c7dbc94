"""What a network has learnt so far as arrays, and back, so that interrupted work goes on."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from containers.shared.job.array_files import ArrayLayout, Arrays, exactly
from containers.shared.job.checkpoints import CheckpointFolder, Checkpoints, Work, fingerprint_work
from containers.shared.networks.learner import Learner, Network

_STEP: Final = "step"


def open_epochs(
    folder: CheckpointFolder, learner: Learner[Network], epochs: int, settings: list[object], data: list[NDArray[Any]]
) -> Checkpoints:
    """The checkpoints of a network that learns.

    Args:
        folder: Where they are.
        learner: The network.
        epochs: How many it learns for.
        settings: What else the network depends on, besides the version of PyTorch.
        data: What it learns from.
    """
    layouts = list_layouts(learner, range(1, epochs + 1))
    fingerprint = fingerprint_work([torch.__version__, *settings], data)
    return folder.open(Work("epochs", fingerprint, layouts, measure_state, is_cumulative=True))


def list_layouts(learner: Learner[Network], epochs: range) -> dict[str, ArrayLayout]:
    """The arrays of a part, which has the scores of so many epochs."""
    weights = sum(tensor.numel() for tensor in _list_weights(learner.network))
    floats, memory = np.dtype("float32"), _count_memory(learner)
    return {
        "weights": ArrayLayout(floats, (exactly(weights),)),
        # All of it or, before the first step, nothing.
        "optimizer": ArrayLayout(floats, (range(0, memory + 1, memory or 1),)),
        "steps": ArrayLayout(np.dtype("int64")),
        "scores": ArrayLayout(np.dtype("float64"), (epochs,)),
    }


def dump_state(learner: Learner[Network], scores: list[float]) -> Arrays:
    """The weights, what the optimizer remembers of each, and the score of each epoch so far."""
    memory = _list_memory(learner)
    steps = [state[_STEP] for state in learner.optimizer.state.values() if _STEP in state]
    return {
        "weights": _join(_list_weights(learner.network)),
        "optimizer": _join([tensor for tensors in memory for tensor in tensors.values()]),
        "steps": np.array(int(steps[0]) if steps else 0, "int64"),
        "scores": np.array(scores, "float64"),
    }


def dump_weights(network: Network) -> NDArray[np.float32]:
    """All that a network has learnt."""
    return _join(_list_weights(network))


def sum_weights(network: Network) -> float:
    """The sum of all that a network has learnt: infinite or not a number where any of it is."""
    return sum(float(tensor.double().sum()) for tensor in _list_weights(network))


def take_weights(network: Network, weights: NDArray[np.float32]) -> None:
    """Go on from what an earlier network has learnt."""
    _split(weights, _list_weights(network))


def load_state(learner: Learner[Network], part: Arrays) -> list[float]:
    """Go on from a part, and return the score of each epoch that it has done."""
    _split(part["weights"], _list_weights(learner.network))
    if len(part["optimizer"]):
        remember(learner, int(part["steps"]))
        _split(part["optimizer"], [tensor for tensors in _list_memory(learner) for tensor in tensors.values()])
    return [float(score) for score in part["scores"]]


def measure_state(part: Arrays) -> int:
    """One, for a part of finite numbers that learning can go on from; else a ValueError."""
    if not all(np.isfinite(part[name]).all() for name in ("weights", "optimizer", "scores")):
        raise ValueError("its numbers are not finite")
    if part["steps"] < 0:
        raise ValueError(f"it has made {int(part['steps'])} steps")
    return 1


def _list_weights(network: Network) -> list[Any]:
    return [tensor for tensor in network.modules.state_dict().values() if tensor.is_floating_point()]


def _list_memory(learner: Learner[Network]) -> list[Mapping[str, Any]]:
    """For each weight, the arrays of its shape that the optimizer keeps."""
    return [
        {name: tensor for name, tensor in sorted(state.items()) if name != _STEP and torch.is_tensor(tensor)}
        for state in (learner.optimizer.state.get(weight, {}) for weight in learner.network.modules.parameters())
    ]


def _count_memory(learner: Learner[Network]) -> int:
    """How many numbers the optimizer of a network that knows nothing yet will keep."""
    remember(learner, 0)
    count: int = sum(tensor.numel() for tensors in _list_memory(learner) for tensor in tensors.values())
    learner.optimizer.state.clear()
    return count


def list_state(learner: Learner[Network]) -> list[Any]:
    """Every tensor that learning changes: the weights, and what the optimizer remembers of each."""
    memory = [tensor for tensors in _list_memory(learner) for tensor in tensors.values()]
    return [*_list_weights(learner.network), *memory]


def remember(learner: Learner[Network], steps: int) -> None:
    """Have the optimizer make its arrays, by a step that changes nothing, and set how many steps it has made."""
    for weight in learner.network.modules.parameters():
        weight.grad = torch.zeros_like(weight)
    kept = [weight.detach().clone() for weight in learner.network.modules.parameters()]
    learner.optimizer.step()
    with torch.no_grad():
        for weight, before in zip(learner.network.modules.parameters(), kept, strict=True):
            weight.copy_(before)
    for state in learner.optimizer.state.values():
        if _STEP in state:
            state[_STEP] = torch.full_like(state[_STEP], steps)


def _join(tensors: list[Any]) -> NDArray[np.float32]:
    if not tensors:
        return np.empty(0, np.float32)
    return np.concatenate([tensor.detach().cpu().numpy().ravel() for tensor in tensors]).astype(np.float32)


def _split(values: NDArray[np.float32], tensors: list[Any]) -> None:
    """Put values back into the tensors that they came from; a ValueError if they are not as many."""
    if sum(tensor.numel() for tensor in tensors) != len(values):
        raise ValueError("its arrays do not belong to this network")
    place = 0
    with torch.no_grad():
        for tensor in tensors:
            part = np.ascontiguousarray(values[place : place + tensor.numel()])
            tensor.copy_(torch.from_numpy(part).reshape(tensor.shape))
            place += tensor.numel()
