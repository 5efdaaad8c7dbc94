"""A network that learns, what changes its weights, and where it is computed."""

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch


class Network(Protocol):
    """A network of PyTorch's modules."""

    @property
    def modules(self) -> Any:
        """All of them."""


Taught = TypeVar("Taught", bound=Network, covariant=True)


@dataclass(frozen=True)
class Learner(Generic[Taught]):
    """A network and what changes its weights."""

    network: Taught
    optimizer: Any


def choose_device() -> str:
    """The first GPU, where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"
