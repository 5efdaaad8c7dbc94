"""The settings of the file systems that training channels can come from."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from stacks.settings.section import Section

# What an EFS lifecycle policy can say: https://docs.aws.amazon.com/efs/latest/ug/lifecycle-management-efs.html
INFREQUENT_ACCESS_DAYS = (1, 7, 14, 30, 60, 90, 180, 270, 365)


def _check_infrequent_access(days: int) -> int:
    if days not in INFREQUENT_ACCESS_DAYS:
        raise ValueError(f"EFS moves files after one of {', '.join(map(str, INFREQUENT_ACCESS_DAYS))} days")
    return days


def _check_capacity(gib: int) -> int:
    if gib != 1200 and (gib < 2400 or gib % 2400):
        raise ValueError("FSx for Lustre on SSD comes in 1200 GiB, 2400 GiB and multiples of 2400 GiB")
    return gib


RepositoryEvent = Literal["NEW", "CHANGED", "DELETED"]


class EfsSettings(Section):
    """The shared POSIX file system that is paid by use."""

    enabled: bool
    infrequent_access_days: Annotated[int, AfterValidator(_check_infrequent_access)]


class FsxSettings(Section):
    """FSx for Lustre over the raw bucket, which is paid as long as it exists."""

    enabled: bool
    deployment: Literal["PERSISTENT_2", "SCRATCH_2"]
    capacity_gib: Annotated[int, AfterValidator(_check_capacity)]
    throughput_mb_per_tib: Literal[125, 250, 500, 1000]
    import_events: Annotated[tuple[RepositoryEvent, ...], Field(strict=False)]
    export_events: Annotated[tuple[RepositoryEvent, ...], Field(strict=False)]


class FileSystemSettings(Section):
    """Which file systems there are."""

    efs: EfsSettings
    fsx: FsxSettings
