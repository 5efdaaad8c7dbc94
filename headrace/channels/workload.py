"""What the storage adviser knows of a workload, and what it chooses between."""

from dataclasses import dataclass
from enum import StrEnum

from headrace.channels.throughput import LARGEST_VOLUME_BYTES
from headrace.errors import HeadraceError


class WorkloadError(HeadraceError, ValueError):
    """A workload that cannot be."""


class Place(StrEnum):
    """Where the data is now."""

    S3 = "s3"
    EFS = "efs"
    FSX = "fsx"
    LOCAL = "local"


class Changes(StrEnum):
    """How often files of the data are changed in place."""

    NEVER = "never"
    SOMETIMES = "sometimes"
    CONSTANTLY = "constantly"


class Storage(StrEnum):
    """A way for data to reach a training job."""

    S3_FILE = "S3 File"
    S3_FAST_FILE = "S3 FastFile"
    S3_PIPE = "S3 Pipe"
    EFS = "EFS"
    FSX = "FSx for Lustre"

    @property
    def place(self) -> Place:
        """Where it wants the data."""
        return {Storage.EFS: Place.EFS, Storage.FSX: Place.FSX}.get(self, Place.S3)


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The data of training jobs and how a month of them uses it.

    Args:
        passes: How often all of it is read: the epochs of all jobs together.
        jobs: How many jobs these passes are divided among.
        shared_by_posix: People work on the same files with ordinary tools.
        instances: How many instances each job has; each reads everything.
        volume_bytes: The largest volume an instance may have.
        acceptable_start_seconds: How long a job may copy before it trains; judged by its length if left out.
    """

    where: Place
    size_bytes: int
    files: int
    passes: int
    changes: Changes
    jobs: int = 1
    shared_by_posix: bool = False
    instances: int = 1
    volume_bytes: int = LARGEST_VOLUME_BYTES
    acceptable_start_seconds: float | None = None

    def __post_init__(self) -> None:
        for field in ("size_bytes", "files", "passes", "jobs", "instances", "volume_bytes"):
            if getattr(self, field) < 1:
                raise WorkloadError(f"{field} is {getattr(self, field)}; give at least 1")
        if self.acceptable_start_seconds is not None and not self.acceptable_start_seconds >= 0:
            raise WorkloadError(f"acceptable_start_seconds is {self.acceptable_start_seconds}; give 0 or more")
        if self.jobs > self.passes:
            raise WorkloadError(
                f"{self.jobs} jobs in {self.passes} passes; a job makes at least one pass, so give at least "
                f"{self.jobs} passes"
            )

    @property
    def average_file_bytes(self) -> float:
        """The size of a file, on average."""
        return self.size_bytes / self.files
