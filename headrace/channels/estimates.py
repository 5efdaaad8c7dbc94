"""What each storage would take and cost for a workload, from the figures of `throughput` and `prices`."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from headrace.channels import prices, throughput
from headrace.channels.throughput import GIB
from headrace.channels.workload import Place, Storage, Workload

# Smaller objects are not watched and stay in the Frequent Access tier:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/intelligent-tiering-overview.html
LEAST_MONITORED_BYTES: Final = 128 * 1024


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Times and costs of a month.

    Args:
        once_seconds: To bring the data there, before the first job.
        first_byte_seconds: From the start of a job to its first byte, in every job.
        first_pass_seconds: Of the very first pass, which may be slower than the others.
        total_seconds: All starts and all passes.
        run_dollars: What reading costs, all passes together.
    """

    once_seconds: float
    once_dollars: float
    first_byte_seconds: float
    first_pass_seconds: float
    pass_seconds: float
    total_seconds: float
    run_dollars: float
    standing_dollars_per_month: float

    @property
    def month_dollars(self) -> float:
        """Standing and run cost together."""
        return self.standing_dollars_per_month + self.run_dollars


def estimate(storage: Storage, workload: Workload) -> Estimate:
    """What a storage would take and cost."""
    first_byte, first_pass, each_pass = _TIMES[storage](workload)
    once_seconds, once_dollars = _move(storage, workload)
    return Estimate(
        once_seconds=once_seconds,
        once_dollars=once_dollars,
        first_byte_seconds=first_byte,
        first_pass_seconds=first_pass,
        pass_seconds=each_pass,
        total_seconds=workload.jobs * first_byte + first_pass + (workload.passes - 1) * each_pass,
        run_dollars=_run_dollars(storage, workload),
        standing_dollars_per_month=_standing_dollars(storage, workload),
    )


def size_fsx_gib(size_bytes: int) -> int:
    """The smallest capacity of FSx for Lustre that holds the data.

    Example:
        >>> size_fsx_gib(500 * 10**9), size_fsx_gib(3 * 10**12)
        (1200, 4800)
    """
    if size_bytes <= throughput.FSX_LEAST_GIB * GIB:
        return throughput.FSX_LEAST_GIB
    return math.ceil(size_bytes / GIB / throughput.FSX_STEP_GIB) * throughput.FSX_STEP_GIB


def _read(workload: Workload, *, bytes_per_second: float, files_per_second: float) -> float:
    return max(workload.size_bytes / bytes_per_second, workload.files / files_per_second)


def _read_from_s3(workload: Workload) -> float:
    return _read(
        workload,
        bytes_per_second=throughput.S3_BYTES_PER_SECOND,
        files_per_second=throughput.S3_OBJECTS_PER_SECOND,
    )


def _read_one_by_one(workload: Workload, *, bytes_per_second: float, file_seconds: float) -> float:
    """As a program's data loader opens files: each worker one at a time."""
    return _read(workload, bytes_per_second=bytes_per_second, files_per_second=throughput.READERS / file_seconds)


def _list_keys(workload: Workload) -> float:
    return (_count_listings(workload) + 1) * throughput.S3_REQUEST_SECONDS


def _count_listings(workload: Workload) -> int:
    return math.ceil(workload.files / throughput.S3_KEYS_PER_LISTING)


def _time_file(workload: Workload) -> tuple[float, float, float]:
    each_pass = _read_one_by_one(
        workload,
        bytes_per_second=throughput.VOLUME_BYTES_PER_SECOND,
        file_seconds=throughput.VOLUME_FILE_SECONDS,
    )
    return _list_keys(workload) + _read_from_s3(workload), each_pass, each_pass


def _time_fast_file(workload: Workload) -> tuple[float, float, float]:
    each_pass = _read_one_by_one(
        workload, bytes_per_second=throughput.S3_BYTES_PER_SECOND, file_seconds=throughput.S3_REQUEST_SECONDS
    )
    return _list_keys(workload), each_pass, each_pass


def _time_pipe(workload: Workload) -> tuple[float, float, float]:
    each_pass = _read_from_s3(workload)
    return _list_keys(workload), each_pass, each_pass


def _time_efs(workload: Workload) -> tuple[float, float, float]:
    each_pass = _read_one_by_one(
        workload, bytes_per_second=throughput.EFS_BYTES_PER_SECOND, file_seconds=throughput.EFS_FILE_SECONDS
    )
    return throughput.MOUNT_SECONDS, each_pass, each_pass


def _time_fsx(workload: Workload) -> tuple[float, float, float]:
    capacity_tib = size_fsx_gib(workload.size_bytes) * GIB / throughput.TIB
    each_pass = _read_one_by_one(
        workload,
        bytes_per_second=capacity_tib * throughput.FSX_BYTES_PER_SECOND_PER_TIB / workload.instances,
        file_seconds=throughput.FSX_FILE_SECONDS,
    )
    # Linked files are loaded from the bucket when they are first read.
    first_pass = each_pass if workload.where is Place.FSX else max(each_pass, _time_fast_file(workload)[1])
    return throughput.MOUNT_SECONDS, first_pass, each_pass


_TIMES: Final[Mapping[Storage, Callable[[Workload], tuple[float, float, float]]]] = {
    Storage.S3_FILE: _time_file,
    Storage.S3_FAST_FILE: _time_fast_file,
    Storage.S3_PIPE: _time_pipe,
    Storage.EFS: _time_efs,
    Storage.FSX: _time_fsx,
}


def _move(storage: Storage, workload: Workload) -> tuple[float, float]:
    """Seconds and dollars to bring the data to a storage; FSx is linked to a bucket, so it goes there."""
    if workload.where is storage.place:
        return 0.0, 0.0
    creation = throughput.FSX_CREATION_SECONDS if storage is Storage.FSX else 0.0
    if workload.where is Place.S3 and storage is Storage.FSX:
        return creation, workload.files * prices.S3_GET
    copying = workload.size_bytes / throughput.UPLOAD_BYTES_PER_SECOND
    if workload.where is not Place.LOCAL:
        copying = _read_from_s3(workload)
    return creation + copying, _reading_dollars(workload) + _writing_dollars(storage, workload)


def _reading_dollars(workload: Workload) -> float:
    return {
        Place.S3: workload.files * prices.S3_GET,
        Place.EFS: _metered_gb(workload) * prices.EFS_GB_READ,
    }.get(workload.where, 0.0)


def _writing_dollars(storage: Storage, workload: Workload) -> float:
    if storage is Storage.EFS:
        return _metered_gb(workload) * prices.EFS_GB_WRITTEN
    return workload.files * prices.S3_PUT


def _metered_gb(workload: Workload) -> float:
    return max(workload.size_bytes, workload.files * throughput.EFS_LEAST_METERED_BYTES) / GIB


def _run_dollars(storage: Storage, workload: Workload) -> float:
    if storage is Storage.FSX:
        return 0.0
    if storage is Storage.EFS:
        return workload.passes * workload.instances * _metered_gb(workload) * prices.EFS_GB_READ
    copies = workload.jobs if storage is Storage.S3_FILE else workload.passes
    listing = workload.jobs * _count_listings(workload) * prices.S3_LIST
    return workload.instances * (copies * workload.files * prices.S3_GET + listing)


def _standing_dollars(storage: Storage, workload: Workload) -> float:
    if storage is Storage.EFS:
        return workload.size_bytes / GIB * prices.EFS_GB_MONTH
    if storage is Storage.FSX:
        bucket = 0.0 if workload.where is Place.FSX else _bucket_dollars(workload)
        return size_fsx_gib(workload.size_bytes) * prices.FSX_GB_MONTH + bucket
    return _bucket_dollars(workload)


def _bucket_dollars(workload: Workload) -> float:
    monitored = workload.files if workload.average_file_bytes >= LEAST_MONITORED_BYTES else 0
    return workload.size_bytes / GIB * prices.S3_GB_MONTH + monitored * prices.S3_MONITORED_OBJECT_MONTH
