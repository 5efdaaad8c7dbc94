"""How a network is computed where it is: on a GPU in bfloat16, channels last and compiled; plainly on a processor."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import torch

from containers.shared.job.events import log_event, warn_event

CUDA: Final = "cuda"
_SHOWN: Final = 200


@dataclass(frozen=True)
class Computing:
    """How a network is computed.

    Args:
        device: Where.
        is_compiled: Whether PyTorch compiles it.
    """

    device: str
    is_compiled: bool = False

    @property
    def is_gpu(self) -> bool:
        """Whether that is a GPU."""
        return self.device == CUDA

    @property
    def pixel_type(self) -> Any:
        """The type that pixels are changed in: 16 bits keep all of 0 to 255, and a GPU multiplies them faster."""
        return torch.float16 if self.is_gpu else torch.float32

    @property
    def memory_format(self) -> Any:
        """How the values of a batch lie in memory."""
        return torch.channels_last if self.is_gpu else torch.contiguous_format

    def half(self) -> AbstractContextManager[Any]:
        """Where products are computed with 16 bits, if at all."""
        return torch.autocast(CUDA, torch.bfloat16) if self.is_gpu else nullcontext()

    def compile(self, function: Callable[..., Any], name: str, *trial: Any) -> Callable[..., Any]:
        """A function compiled, if it can be: it is tried on some values.

        Args:
            function: What is to be compiled; it must leave nothing changed.
            name: What the log calls it.
            trial: What it is tried with.
        """
        if not self.is_compiled:
            return function
        compiled: Callable[..., Any] = torch.compile(function)
        try:
            compiled(*trial)
        except Exception as error:  # noqa: BLE001 - whatever a compiler lacks, the network can be computed without it
            warn_event("not_compiled", what=name, reason=repr(f"{type(error).__name__}: {str(error)[:_SHOWN]}"))
            return function
        return compiled


def choose_computing() -> Computing:
    """The way of this machine."""
    computing = Computing(CUDA, is_compiled=True) if torch.cuda.is_available() else Computing("cpu")
    if computing.is_gpu:
        torch.backends.cudnn.benchmark = True
        # A network is judged with 32 bits: with fewer it would not answer as its exported model does.
        torch.backends.cudnn.allow_tf32 = False
    log_event("computing", device=computing.device, compiled=computing.is_compiled)
    return computing
