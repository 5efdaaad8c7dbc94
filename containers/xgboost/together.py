"""Growing one model on several instances, with XGBoost's own way to exchange sums between them.

The first host of `resourceconfig.json` brings all together: XGBoost's tracker listens there at port 9099, as in
SageMaker's container, and a door beside it says when it does. Each instance grows the same trees from its own rows.
"""

import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any, Final

import numpy as np
import xgboost
from numpy.typing import NDArray
from xgboost import collective
from xgboost.tracker import RabitTracker

from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_failures import JobError
from containers.shared.job.training_job import Job
from headrace.provenance import InputFile

HOSTS_VARIABLE: Final = "HEADRACE_HOSTS"
_TRACKER_PORT: Final = 9099
_DOOR_PORT: Final = 9098
# For the slowest instance to start and to read its rows, and then for each exchange.
MEETING_SECONDS: Final = 1200
EXCHANGE_SECONDS: Final = 600
_PAUSE_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Together:
    """The instances that grow one model.

    Args:
        count: How many they are.
        index: Which of them this is, counted from 0.
    """

    count: int = 1
    index: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this one speaks and writes for all."""
        return self.index == 0

    def gather(self, values: NDArray[Any]) -> NDArray[Any]:
        """Numbers of all instances, in the order of the instances."""
        if self.count == 1:
            return values
        sizes = np.zeros(self.count, np.int64)
        sizes[self.index] = len(values)
        sizes = collective.allreduce(sizes, collective.Op.SUM)
        start = int(sizes[: self.index].sum())
        all_values = np.zeros(int(sizes.sum()), values.dtype)
        all_values[start : start + len(values)] = values
        return np.asarray(collective.allreduce(all_values, collective.Op.SUM))

    def gather_inputs(self, own: JobInputs) -> JobInputs:
        """What all instances have read."""
        lines = "".join(json.dumps([channel, *astuple(file)]) + "\n" for channel, file in own.list_files())
        inputs = JobInputs()
        for line in self.gather(np.frombuffer(lines.encode(), np.uint8)).tobytes().splitlines():
            channel, *file = json.loads(line)
            inputs.add(channel, InputFile(*file))
        return inputs


ALONE: Final = Together()


@contextmanager
def meet(job: Job, addresses: Mapping[str, str]) -> Iterator[Together]:
    """The other instances of a job, for as long as the model grows; just this one where there is no other.

    Args:
        job: What SageMaker says of the job.
        addresses: Those of hosts whose names are not resolved here.

    Raises:
        JobError: If one of the others does not come, or ends before the model is grown.
    """
    if len(job.hosts) < 2:
        yield ALONE
        return
    together = Together(len(job.hosts), job.hosts.index(job.host))
    try:
        first = find_address(job.hosts[0], addresses)
        tracker = _open_meeting(first, together.count) if together.is_first else None
        _await_meeting(first)
        collective.init(
            dmlc_communicator="rabit",
            dmlc_tracker_uri=first,
            dmlc_tracker_port=_TRACKER_PORT,
            dmlc_task_id=f"{together.index:05}",
            dmlc_timeout=EXCHANGE_SECONDS,
        )
        yield together
        collective.finalize()
        if tracker:
            tracker.wait_for(EXCHANGE_SECONDS)
    except (xgboost.core.XGBoostError, OSError) as error:
        raise JobError(describe_parting(job, error)) from error


def describe_parting(job: Job, error: Exception) -> str:
    """Why an instance cannot go on, with what it can know."""
    others = ", ".join(host for host in job.hosts if host != job.host)
    lines = [line.strip(" -") for line in str(error).splitlines() if line.strip()]
    return (
        f"{job.host} cannot train together with {others}: one of them ended, or did not answer in time. Its own log "
        f"stream says why; here XGBoost says: {'; '.join(lines[:4])}"
    )


def find_address(host: str, addresses: Mapping[str, str]) -> str:
    """The address of a host; its name may take a moment to be known."""
    if host in addresses:
        return addresses[host]
    deadline = time.monotonic() + MEETING_SECONDS
    while True:
        try:
            return socket.gethostbyname(host)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)


def read_addresses(text: str) -> dict[str, str]:
    """The addresses of hosts in the variable that has them, such as `algo-1=127.81.4.1,algo-2=127.81.4.2`."""
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return {host: address for host, _, address in pairs}


@dataclass(frozen=True)
class _Meeting:
    tracker: RabitTracker
    door: socket.socket

    def wait_for(self, seconds: int) -> None:
        self.tracker.wait_for(seconds)
        self.door.close()


def _open_meeting(address: str, count: int) -> _Meeting:
    tracker = RabitTracker(n_workers=count, host_ip=address, port=_TRACKER_PORT, sortby="task", timeout=MEETING_SECONDS)
    tracker.start()
    return _Meeting(tracker, socket.create_server((address, _DOOR_PORT), backlog=count))


def _await_meeting(address: str) -> None:
    """Wait without a word until the tracker listens: XGBoost would try less and less often, and log each time."""
    deadline = time.monotonic() + MEETING_SECONDS
    while True:
        try:
            socket.create_connection((address, _DOOR_PORT), timeout=MEETING_SECONDS).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
