"""The settings of the file systems that training channels can come from."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from stacks.settings.mistakes import refuse_repeated
from stacks.settings.section import IN_PLACE, NOTHING, Allowed, Change, Section, Setting

# What an EFS lifecycle policy can say: https://docs.aws.amazon.com/efs/latest/ug/lifecycle-management-efs.html
INFREQUENT_ACCESS_DAYS = (1, 7, 14, 30, 60, 90, 180, 270, 365)

# How long an execution waits for the file system that it makes. FSx needs 5 to 10 minutes, and longer the more names it
# has to read.
LONGEST_MAKING_SECONDS = 3600


def _check_infrequent_access(days: int) -> int:
    if days not in INFREQUENT_ACCESS_DAYS:
        raise ValueError(f"EFS moves files after one of {', '.join(map(str, INFREQUENT_ACCESS_DAYS))} days")
    return days


def _check_capacity(gib: int) -> int:
    if gib != 1200 and (gib < 2400 or gib % 2400):
        raise ValueError("FSx for Lustre on SSD comes in 1200 GiB, 2400 GiB and multiples of 2400 GiB")
    return gib


InfrequentAccessDays = Annotated[
    int,
    AfterValidator(_check_infrequent_access),
    Allowed(f"one of {', '.join(map(str, INFREQUENT_ACCESS_DAYS))}"),
]
CapacityGib = Annotated[int, AfterValidator(_check_capacity), Allowed("1200, 2400 and multiples of 2400")]
RepositoryEvent = Literal["NEW", "CHANGED", "DELETED"]


def _check_events(events: tuple[RepositoryEvent, ...]) -> tuple[RepositoryEvent, ...]:
    refuse_repeated(events)
    return events


RepositoryEvents = Annotated[tuple[RepositoryEvent, ...], Field(strict=False), AfterValidator(_check_events)]

_OTHER_LUSTRE = Change(
    "a new file system takes its place; what was not exported is lost", loses=("AWS::FSx::FileSystem",)
)


class EfsSettings(Section):
    """The shared POSIX file system that is paid by use."""

    enabled: Annotated[
        bool,
        Setting(
            "whether there is one",
            cost="0.30 per GB and month; 0.03 per GB read, on every pass; 0.06 per GB written",
            change=Change(
                "off removes it with its files, or leaves it alone with `retain_data`",
                loses=("AWS::EFS::FileSystem",),
            ),
        ),
    ] = False
    infrequent_access_days: Annotated[
        InfrequentAccessDays,
        Setting(
            "after how many days without a read a file moves to Infrequent Access",
            cost="0.01 per GB read from there; storing is cheaper",
            change=IN_PLACE,
        ),
    ] = 30
    client_groups: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^sg-[0-9a-f]{8,17}$")], ...],
        Field(max_length=20, strict=False),
        Setting(
            "security groups of yours whose members may mount it too, such as that of a workstation in the VPC",
            cost=NOTHING,
            change=IN_PLACE,
        ),
    ] = ()


class FsxSettings(Section):
    """FSx for Lustre over the raw bucket, which is paid as long as it exists: always, or while an execution trains."""

    enabled: Annotated[
        bool,
        Setting(
            "whether there is one",
            cost="about 174 a month for the smallest, used or not, unless there is one `per_run`",
            change=Change(
                "off removes it with what was not exported, with `retain_data`, too: it is a cache of the raw bucket",
                loses=("AWS::FSx::FileSystem",),
            ),
        ),
    ] = False
    per_run: Annotated[
        bool,
        Setting(
            "whether none stands, and each execution that reads from one makes its own before its training and deletes "
            "it after, [however it ends](executions.md#a-file-system-for-each-execution); it is `SCRATCH_2`",
            cost="about 0.23 an hour for the smallest, from its making to its end; nothing in between",
            change=Change(
                "true removes the one that stands, with what was not exported; false makes one, which begins empty but "
                "for what the raw bucket shows at `/raw`",
                loses=("AWS::FSx::FileSystem",),
            ),
        ),
    ] = False
    deployment: Annotated[
        Literal["PERSISTENT_2", "SCRATCH_2"],
        Setting(
            "`PERSISTENT_2` repairs a failed server; `SCRATCH_2` loses its files with one, and takes no key",
            cost="0.145 per GB and month at the lowest throughput; `SCRATCH_2` 0.140",
            change=_OTHER_LUSTRE,
        ),
    ] = "PERSISTENT_2"
    capacity_gib: Annotated[
        CapacityGib,
        Setting(
            "its size",
            cost="in proportion",
            change=Change("grows in place, for hours; Lustre never shrinks, so a smaller value is refused by FSx"),
        ),
    ] = 1200
    throughput_mb_per_tib: Annotated[
        Literal[125, 250, 500, 1000],
        Setting(
            "its throughput per TiB, with `PERSISTENT_2` only",
            cost="more per step",
            change=Change(
                "a new file system takes its place, though FSx itself could change it; what was not exported is lost",
                loses=("AWS::FSx::FileSystem",),
            ),
        ),
    ] = 125
    import_events: Annotated[
        RepositoryEvents,
        Setting("which changes of the raw bucket show at `/raw`", cost=NOTHING, change=IN_PLACE),
    ] = ("NEW", "CHANGED", "DELETED")
    export_events: Annotated[
        RepositoryEvents,
        Setting("which changes below `/raw` go to the raw bucket", cost="requests of S3", change=IN_PLACE),
    ] = ("NEW", "CHANGED", "DELETED")

    @property
    def stands(self) -> bool:
        """Whether there is one of the environment's own, whatever executions do."""
        return self.enabled and not self.per_run

    @model_validator(mode="after")
    def _check_per_run(self) -> Self:
        if self.per_run and not self.enabled:
            raise ValueError("per_run: found true, but enabled is false; set enabled to true, or leave per_run out")
        if self.per_run and "deployment" in self.model_fields_set and self.deployment != "SCRATCH_2":
            raise ValueError(
                f"deployment: found {self.deployment}, but the file system of an execution is SCRATCH_2; leave "
                "deployment out, or set per_run to false"
            )
        return self


class FileSystemSettings(Section):
    """Which file systems there are."""

    efs: EfsSettings = EfsSettings()
    fsx: FsxSettings = FsxSettings()
