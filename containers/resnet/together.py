"""Teaching one network on several instances, with PyTorch's own distributed training.

The first host of `resourceconfig.json` keeps the store through which all find each other, at port 9100 of its own
address alone. Gradients are exchanged by NCCL between GPUs and by gloo between processors. NCCL has not run here yet.
"""

import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import torch
from torch import distributed

from containers.shared import sagemaker
from containers.shared.job.hosts import MEETING_SECONDS, await_listening, describe_parting, find_address
from containers.shared.job.training_failures import JobError
from containers.shared.job.training_job import Job, read_config
from headrace.packed.order import ALONE, Share

_PORT: Final = 9100
# The others wait while the first one judges the network.
_EXCHANGE: Final = timedelta(seconds=1800)
_INTERFACES: Final = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")


@dataclass(frozen=True)
class Together:
    """The instances that teach one network.

    Args:
        share: How many they are, and which of them this is.
        device: Where tensors are exchanged.
    """

    share: Share = ALONE
    device: str = "cpu"

    @property
    def is_alone(self) -> bool:
        """Whether there is no other."""
        return self.share.count == 1

    @property
    def is_first(self) -> bool:
        """Whether this one speaks and writes for all."""
        return self.share.index == 0

    def add(self, *numbers: float) -> list[float]:
        """The sums of numbers over all instances."""
        if self.is_alone:
            return list(numbers)
        tensor = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        distributed.all_reduce(tensor)
        return [float(number) for number in tensor.cpu()]

    def hear(self, numbers: Sequence[float]) -> list[float]:
        """The numbers of the first instance, as many as it has."""
        (size,) = self.add(len(numbers) if self.is_first else 0)
        own = [*numbers, *[0.0] * int(size)][: int(size)] if self.is_first else [0.0] * int(size)
        return self.add(*own) if size else []

    def copy_from_first(self, tensors: Sequence[Any]) -> None:
        """Give tensors the values that they have on the first instance."""
        if not self.is_alone:
            for tensor in tensors:
                distributed.broadcast(tensor, 0)


@contextmanager
def meet(job: Job, root: Path, addresses: Mapping[str, str], device: str) -> Iterator[Together]:
    """The other instances of a job while the network learns; just this one where there is no other.

    Args:
        job: What SageMaker says of the job.
        root: Where SageMaker's folders are.
        addresses: Those of hosts whose names are not resolved here.
        device: Where the network is computed.

    Raises:
        JobError: If one of the others does not come, or ends before the network has learnt.
    """
    if len(job.hosts) < 2:
        yield Together()
        return
    share = Share(len(job.hosts), job.hosts.index(job.host))
    interface = read_config(root / sagemaker.RESOURCES_FILE).get("network_interface_name")
    for name in _INTERFACES if interface else ():
        os.environ.setdefault(name, str(interface))
    try:
        store = _open_store(find_address(job.hosts[0], addresses), share)
        backend = "nccl" if device == "cuda" else "gloo"
        distributed.init_process_group(
            backend, store=store, rank=share.index, world_size=share.count, timeout=_EXCHANGE
        )
        yield Together(share, device)
        distributed.barrier()
        distributed.destroy_process_group()
    except (distributed.DistError, OSError) as error:
        raise JobError(_describe_error(job, error)) from error
    except RuntimeError as error:
        # Gloo has no error of its own.
        if "gloo" not in str(error).lower():
            raise
        raise JobError(_describe_error(job, error)) from error


def _open_store(address: str, share: Share) -> Any:
    """The store of the first host, which listens at its own address and no other."""
    descriptor = None
    if share.index == 0:
        with socket.create_server((address, _PORT), backlog=share.count) as listening:
            descriptor = os.dup(listening.fileno())
    else:
        await_listening(address, _PORT)
    return distributed.TCPStore(
        address,
        _PORT,
        share.count,
        share.index == 0,
        timedelta(seconds=MEETING_SECONDS),
        **({"master_listen_fd": descriptor} if descriptor is not None else {}),
    )


def _describe_error(job: Job, error: Exception) -> str:
    """Why an instance cannot go on, with what PyTorch says, but for where in its own sources."""
    said = re.sub(r"^\[[^]]*\] *", "", str(error)).splitlines() or [type(error).__name__]
    return describe_parting(job, f"PyTorch says: {said[0].partition('. ')[0]}")
