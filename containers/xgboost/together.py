"""Growing one model on several instances, with XGBoost's own way to exchange sums between them.

The first host of `resourceconfig.json` brings all together: XGBoost's tracker listens there at port 9099, as in
SageMaker's container, and a door beside it says when it does. Each instance grows the same trees from its own rows.
"""

import json
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any, Final

import numpy as np
import xgboost
from numpy.typing import NDArray
from xgboost import collective
from xgboost.tracker import RabitTracker

from containers.shared.job.hosts import MEETING_SECONDS, await_listening, describe_parting, find_address
from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_failures import JobError, TrainingError
from containers.shared.job.training_job import Job
from headrace.provenance import InputFile

_TRACKER_PORT: Final = 9099
_DOOR_PORT: Final = 9098
EXCHANGE_SECONDS: Final = 600
# Such as `[23:25:04] /workspace/src/data/data.cc:1196: `.
_SOURCE_PLACE: Final = re.compile(r"\[\d\d:\d\d:\d\d\] \S+:\d+: ")


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
        TrainingError: If XGBoost itself refuses the job.
    """
    if len(job.hosts) < 2:
        try:
            yield ALONE
        except xgboost.core.XGBoostError as error:
            raise TrainingError(
                f"XGBoost refuses the job: {_quote(error)}; check its hyperparameters and what its channels bring"
            ) from error
        return
    together = Together(len(job.hosts), job.hosts.index(job.host))
    try:
        first = find_address(job.hosts[0], addresses)
        tracker = _open_meeting(first, together.count) if together.is_first else None
        await_listening(first, _DOOR_PORT)
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
        raise JobError(describe_error(job, error)) from error


def describe_error(job: Job, error: Exception) -> str:
    """Why an instance cannot go on, with what XGBoost says."""
    return describe_parting(job, f"XGBoost says: {_quote(error)}")


def _quote(error: Exception) -> str:
    """What XGBoost says, without where in its source and by which calls."""
    said = _SOURCE_PLACE.sub("", str(error).partition("Stack trace:")[0])
    return "; ".join([line.strip(" -") for line in said.splitlines() if line.strip()][:4])


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
