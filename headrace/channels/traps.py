"""What surprises people about each storage, with the figures of their own workload."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from headrace.channels import prices
from headrace.channels.estimates import Estimate, size_fsx_gib
from headrace.channels.quantities import show_dollars, show_duration, show_size
from headrace.channels.throughput import FSX_LEAST_GIB, LARGE_FILE_BYTES
from headrace.channels.workload import Place, Storage, Workload

ARCHIVE_TIERS: Final = (
    "Never turn on Intelligent-Tiering's archive tiers for this prefix: an archived object cannot be read until it is "
    "restored."
)
VPC: Final = "The job needs a VpcConfig; in isolated subnets it reaches S3 through a gateway endpoint, which is free."


def list_traps(storage: Storage, workload: Workload, estimate: Estimate) -> tuple[str, ...]:
    """What to mind when a workload uses a storage."""
    return tuple(_TRAPS[storage](workload, estimate))


def _file_traps(workload: Workload, estimate: Estimate) -> Iterator[str]:
    yield (
        f"Everything is copied before training starts: {show_duration(estimate.first_byte_seconds)} of paid instance "
        "time in every job."
    )
    yield f"VolumeSizeInGB must hold {show_size(workload.size_bytes)} and what the program writes."
    yield "The prefix matches every key that starts with it: 'train' takes 'train_old/…' too, 'train/' does not."
    yield from _small_file_traps(workload)
    yield ARCHIVE_TIERS


def _fast_file_traps(workload: Workload, _estimate: Estimate) -> Iterator[str]:
    yield "The prefix must be a whole folder that ends with '/'; manifests are not read."
    yield "Every pass fetches everything from S3 again; reading at random is slower still."
    yield from _small_file_traps(workload)
    yield ARCHIVE_TIERS


def _pipe_traps(_workload: Workload, _estimate: Estimate) -> Iterator[str]:
    yield (
        "The program must read a pipe from start to end, /opt/ml/input/data/<channel>_<epoch>, and open the next one "
        "for the next pass; there are no files and no random access."
    )
    yield "It is the mode for data beyond an instance's disk, 16 TB at most; for less, FastFile needs no such program."
    yield ARCHIVE_TIERS


def _small_file_traps(workload: Workload) -> Iterator[str]:
    if workload.files > 1000 and workload.average_file_bytes < LARGE_FILE_BYTES:
        yield (
            f"{workload.files:,} files of {show_size(workload.average_file_bytes)} are as many requests, and each "
            "waits for S3; pack them into files of 100 MB or more (tar, RecordIO, Parquet)."
        )


def _efs_traps(workload: Workload, estimate: Estimate) -> Iterator[str]:
    yield (
        f"Elastic throughput bills every pass: {show_dollars(estimate.run_dollars / workload.passes)} each, "
        f"{show_dollars(estimate.run_dollars)} for {workload.passes:,}."
    )
    yield (
        f"Files that lifecycle has moved to Infrequent Access cost ${prices.EFS_IA_GB_READ} per GB more to read; "
        "keep it from moving them to Archive."
    )
    yield VPC
    yield "SageMaker mounts without IAM: allow anonymous mounts, and let only the job's security group in (port 2049)."


def _fsx_traps(workload: Workload, estimate: Estimate) -> Iterator[str]:
    least = show_dollars(FSX_LEAST_GIB * prices.FSX_GB_MONTH)
    capacity = size_fsx_gib(workload.size_bytes)
    yield (
        f"{capacity:,} GiB cost {show_dollars(capacity * prices.FSX_GB_MONTH)} a month whether used or not; less than "
        f"{FSX_LEAST_GIB:,} GiB, {least} a month, cannot be had. Delete it when the jobs are done."
    )
    if workload.where is not Place.FSX:
        yield (
            f"The first pass loads from the bucket, at S3's speed: {show_duration(estimate.first_pass_seconds)}. "
            "`lfs hsm_restore` loads it beforehand."
        )
        yield "New objects of the bucket appear only if the link's AutoImportPolicy says so; it is off by default."
        yield "Only SSD storage can be linked to a bucket, never Intelligent-Tiering storage."
    if workload.instances > 1:
        yield f"Its throughput is shared: {workload.instances} instances get a part each."
    yield "It is in one Availability Zone: give the VpcConfig a subnet of that zone only."
    yield VPC


_TRAPS: Final[Mapping[Storage, Callable[[Workload, Estimate], Iterator[str]]]] = {
    Storage.S3_FILE: _file_traps,
    Storage.S3_FAST_FILE: _fast_file_traps,
    Storage.S3_PIPE: _pipe_traps,
    Storage.EFS: _efs_traps,
    Storage.FSX: _fsx_traps,
}
