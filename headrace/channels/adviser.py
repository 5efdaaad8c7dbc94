"""Recommends where a training job should read its data from, and says why, how long it takes and what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from headrace.channels import Channel, EfsChannel, FsxLustreChannel, InputMode, Reference, S3Channel
from headrace.channels.estimates import Estimate, estimate
from headrace.channels.quantities import show_dollars, show_duration, show_size
from headrace.channels.throughput import GIB
from headrace.channels.traps import list_traps
from headrace.channels.workload import Changes, Place, Storage, Workload, WorkloadError

__all__ = ["Advice", "Changes", "Option", "Place", "Storage", "Workload", "WorkloadError", "advise"]

# What has to be filled in is in angle brackets.
DEFINITIONS: Final[Mapping[Storage, Channel]] = {
    Storage.S3_FILE: S3Channel(name="train", uri=Reference("s3://<BUCKET>/<PREFIX>/")),
    Storage.S3_FAST_FILE: S3Channel(
        name="train", uri=Reference("s3://<BUCKET>/<PREFIX>/"), input_mode=InputMode.FAST_FILE
    ),
    Storage.S3_PIPE: S3Channel(name="train", uri=Reference("s3://<BUCKET>/<PREFIX>/"), input_mode=InputMode.PIPE),
    Storage.EFS: EfsChannel(
        name="train", file_system_id=Reference("<FILE-SYSTEM-ID>"), directory_path=Reference("/<DIRECTORY>")
    ),
    Storage.FSX: FsxLustreChannel(
        name="train",
        file_system_id=Reference("<FILE-SYSTEM-ID>"),
        mount_name=Reference("<MOUNT-NAME>"),
        directory_path=Reference("/<DIRECTORY>"),
    ),
}

# AWS calls 100 GB small for File mode, which take about this long, and whether a start is too long a matter of how
# long the job is: https://docs.aws.amazon.com/sagemaker/latest/dg/model-access-training-data-best-practices.html
ACCEPTABLE_START_SECONDS: Final = 600.0
ACCEPTABLE_START_SHARE: Final = 0.1
# How much of the streaming time FSx must save before its standing cost is worth paying.
WORTHWHILE_SAVING: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class Option:
    """One storage, weighed.

    Args:
        obstacle: Why it cannot be used; empty if it can.
        channel: Its definition, with what has to be filled in in angle brackets.
    """

    storage: Storage
    estimate: Estimate
    obstacle: str
    traps: tuple[str, ...]
    channel: Channel


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What to use, why, and every option: the recommended one first, then the cheaper ones first."""

    workload: Workload
    reasons: tuple[str, ...]
    options: tuple[Option, ...]

    @property
    def recommended(self) -> Option:
        """The option to use."""
        return self.options[0]


@dataclass(frozen=True, kw_only=True)
class _Choice:
    storage: Storage
    reasons: tuple[str, ...]


def advise(workload: Workload) -> Advice:
    """Weighs every storage for a workload and recommends one.

    Example:
        >>> lists = Workload(where=Place.S3, size_bytes=5_000_000, files=4, passes=30, changes=Changes.CONSTANTLY)
        >>> advise(lists).recommended.storage.value
        'EFS'
    """
    estimates = {storage: estimate(storage, workload) for storage in Storage}
    choice = _choose(workload, estimates)
    options = [
        Option(
            storage=storage,
            estimate=each,
            obstacle=_find_obstacle(storage, workload),
            traps=list_traps(storage, workload, each),
            channel=DEFINITIONS[storage],
        )
        for storage, each in estimates.items()
    ]
    options.sort(
        key=lambda option: (option.storage is not choice.storage, bool(option.obstacle), option.estimate.month_dollars)
    )
    return Advice(workload=workload, reasons=choice.reasons, options=tuple(options))


def _find_obstacle(storage: Storage, workload: Workload) -> str:
    if storage is Storage.S3_FILE and workload.size_bytes > workload.volume_bytes:
        return f"{show_size(workload.size_bytes)} do not fit a volume of {workload.volume_bytes / GIB:,.0f} GiB"
    return ""


def _choose(workload: Workload, estimates: Mapping[Storage, Estimate]) -> _Choice:
    if workload.where is Place.FSX:
        return _stay_on_fsx(workload, estimates)
    if workload.changes is Changes.CONSTANTLY or workload.shared_by_posix:
        return _choose_file_system(workload, estimates)
    if workload.where is Place.EFS and (workload.changes is not Changes.NEVER or workload.passes == 1):
        return _stay_on_efs(workload)
    return _choose_s3(workload, estimates)


def _choose_file_system(workload: Workload, estimates: Mapping[Storage, Estimate]) -> _Choice:
    needs = []
    if workload.changes is Changes.CONSTANTLY:
        needs.append("Content that changes constantly belongs on a file system: objects can only be replaced whole.")
    if workload.shared_by_posix:
        needs.append("People share the files by POSIX, and S3 is not a file system.")
    if workload.where is Place.EFS:
        reason = "The data is on EFS already: jobs and people read the same files, and nothing is copied."
        return _Choice(storage=Storage.EFS, reasons=(*needs, reason))
    storage = min((Storage.EFS, Storage.FSX), key=lambda each: estimates[each].month_dollars)
    prices = " against ".join(
        f"{show_dollars(estimates[each].month_dollars)} on {each}" for each in (Storage.EFS, Storage.FSX)
    )
    return _Choice(storage=storage, reasons=(*needs, f"{storage} is the cheaper of the two: a month costs {prices}."))


def _stay_on_fsx(workload: Workload, estimates: Mapping[Storage, Estimate]) -> _Choice:
    reasons = ["The data is on FSx for Lustre already, and its standing cost is paid whether jobs read it or not."]
    if workload.changes is Changes.NEVER and not workload.shared_by_posix:
        reasons.append(
            "Nothing here needs a permanent file system: once it is deleted, a month on S3 costs "
            f"{show_dollars(estimates[Storage.S3_FILE].month_dollars)}."
        )
    return _Choice(storage=Storage.FSX, reasons=tuple(reasons))


def _stay_on_efs(workload: Workload) -> _Choice:
    reason = "The data is on EFS already and is still being worked on, so jobs read it where it is."
    if workload.changes is Changes.NEVER:
        reason = "The data is on EFS already, and moving it costs as much as the one pass over it."
    return _Choice(storage=Storage.EFS, reasons=(reason,))


def _choose_s3(workload: Workload, estimates: Mapping[Storage, Estimate]) -> _Choice:
    why = {
        Place.S3: "The data is on S3 already.",
        Place.EFS: "Content that never changes belongs on S3: a month there is "
        f"{show_dollars(estimates[Storage.S3_FILE].month_dollars)} against "
        f"{show_dollars(estimates[Storage.EFS].month_dollars)} on EFS, which charges every pass.",
    }.get(workload.where, "Files that are only read or replaced whole belong on S3.")
    if _find_obstacle(Storage.S3_FILE, workload):
        return _stream_beyond_the_volume(workload, why)
    start = estimates[Storage.S3_FILE].first_byte_seconds
    longest = _longest_start(workload, estimates[Storage.S3_FILE])
    if start <= longest:
        copying = (
            f"Copying takes {show_duration(start)}, within the {show_duration(longest)} such a job may wait, and its "
            "passes read the instance's own volume."
        )
        return _Choice(storage=Storage.S3_FILE, reasons=(why, copying))
    waiting = (
        f"Copying would take {show_duration(start)}, longer than the {show_duration(longest)} such a job may wait."
    )
    return _avoid_copying(estimates, (why, waiting))


def _longest_start(workload: Workload, copied: Estimate) -> float:
    if workload.acceptable_start_seconds is not None:
        return workload.acceptable_start_seconds
    reading = copied.total_seconds / workload.jobs - copied.first_byte_seconds
    return max(ACCEPTABLE_START_SECONDS, ACCEPTABLE_START_SHARE * reading)


def _stream_beyond_the_volume(workload: Workload, why: str) -> _Choice:
    obstacle = _find_obstacle(Storage.S3_FILE, workload)
    streaming = "Pipe mode streams it without a copy; FastFile does too, for programs that must read files."
    return _Choice(storage=Storage.S3_PIPE, reasons=(why, f"It must be streamed: {obstacle}.", streaming))


def _avoid_copying(estimates: Mapping[Storage, Estimate], reasons: tuple[str, ...]) -> _Choice:
    """FSx where it makes repeated passes that much faster than streaming, else the better way of streaming."""
    streamed, linked = estimates[Storage.S3_FAST_FILE].total_seconds, estimates[Storage.FSX].total_seconds
    times = f"all passes take {show_duration(linked)} against {show_duration(streamed)}"
    if linked <= (1 - WORTHWHILE_SAVING) * streamed:
        reason = (
            "FSx for Lustre linked to the bucket starts at once and keeps what the first pass has loaded, where "
            f"streaming fetches everything again: {times}, for "
            f"{show_dollars(estimates[Storage.FSX].standing_dollars_per_month)} a month."
        )
        return _Choice(storage=Storage.FSX, reasons=(*reasons, reason))
    piped = estimates[Storage.S3_PIPE].total_seconds
    no_link = f"Linking FSx for Lustre to the bucket would save too little to keep it: {times}."
    if piped <= (1 - WORTHWHILE_SAVING) * streamed:
        reason = (
            "Pipe mode starts at once and fetches ahead, where FastFile waits for every small file: "
            f"{show_duration(piped)} against {show_duration(streamed)}."
        )
        return _Choice(storage=Storage.S3_PIPE, reasons=(*reasons, reason, no_link))
    reason = "FastFile starts at once and shows the program ordinary files."
    return _Choice(storage=Storage.S3_FAST_FILE, reasons=(*reasons, reason, no_link))
