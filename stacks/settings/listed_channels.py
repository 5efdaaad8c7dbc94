"""The settings of a training channel that is listed: of any kind that SageMaker has."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from headrace.channels import (
    AugmentedManifestChannel,
    Channel,
    ChannelError,
    Distribution,
    InputMode,
    ManifestChannel,
    RecordWrapper,
    S3Channel,
)
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Allowed, Section, Setting

# What only channels from S3 have.
_OF_OBJECTS = (
    "input_mode",
    "data_type",
    "objects",
    "attribute_names",
    "record_wrapper",
    "shuffle_seed",
    "distribution",
)


class ChannelSettings(Section):
    """A training channel: a prefix of the raw bucket or of the sets made in bulk, or a directory of a file system."""

    name: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9.\-_]{1,64}$"),
        Setting("the channel's name", cost=NOTHING, change=NEXT_EXECUTION),
    ]
    source: Annotated[
        Literal["s3", "sets", "efs", "fsx"],
        Setting(
            "the raw bucket, the sets made in bulk, or a file system that is on",
            cost="see [what it costs](cost.md)",
            change=NEXT_EXECUTION,
        ),
    ]
    path: Annotated[
        str,
        StringConstraints(min_length=1, max_length=900),
        Setting("a prefix of the bucket, or a directory that starts with `/`", cost=NOTHING, change=NEXT_EXECUTION),
    ]
    input_mode: Annotated[
        Literal["File", "FastFile", "Pipe"],
        Setting(
            "whether S3 objects are copied before the job starts, read as files while it runs, or streamed to it, "
            "which its program must be made for",
            cost="requests of S3",
            change=NEXT_EXECUTION,
        ),
    ] = InputMode.FILE.value
    data_type: Annotated[
        Literal["prefix", "manifest", "augmented_manifest"],
        Setting(
            "whether `path` is a prefix of the objects, or the key of a manifest that lists them, or of an augmented "
            "manifest, which has their labels and is streamed",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = "prefix"
    objects: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=900)] | None,
        Allowed("a prefix of the same bucket, or null"),
        Setting(
            "below which prefix the objects of a manifest are, which the job may read then",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = None
    attribute_names: Annotated[
        tuple[str, ...],
        Field(max_length=16, strict=False),
        Setting(
            "which attributes of an augmented manifest are sent, in their order", cost=NOTHING, change=NEXT_EXECUTION
        ),
    ] = ()
    record_wrapper: Annotated[
        Literal["None", "RecordIO"],
        Setting("with `input_mode` `Pipe`, what is put around each object", cost=NOTHING, change=NEXT_EXECUTION),
    ] = RecordWrapper.NONE.value
    shuffle_seed: Annotated[
        int | None,
        Setting(
            "with `input_mode` `Pipe`, what decides the order of each epoch; null for that of the keys or lines",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = None
    distribution: Annotated[
        Literal["FullyReplicated", "ShardedByS3Key"],
        Setting("whether each of several instances gets all objects, or a part", cost=NOTHING, change=NEXT_EXECUTION),
    ] = Distribution.FULLY_REPLICATED.value
    access: Annotated[
        Literal["ro", "rw"],
        Setting("whether the job may write to the file system", cost=NOTHING, change=NEXT_EXECUTION),
    ] = "ro"

    @property
    def is_mounted(self) -> bool:
        """Whether it is a directory of a file system, which the job reaches from inside the VPC."""
        return self.source in ("efs", "fsx")

    def describe(self, place: str, *, content_type: str | None = None) -> Channel:
        """The channel as SageMaker's requests have it, from a place in S3.

        Args:
            place: `s3://` and the bucket, with what stands before `path` there.
            content_type: What its objects are.

        Raises:
            ChannelError: If SageMaker has no such channel.
        """
        common: dict[str, Any] = {
            "name": self.name,
            "uri": f"{place}{self.path}",
            "content_type": content_type,
            "input_mode": InputMode(self.input_mode),
            "record_wrapper": RecordWrapper(self.record_wrapper),
            "shuffle_seed": self.shuffle_seed,
            "distribution": Distribution(self.distribution),
        }
        if self.data_type == "augmented_manifest":
            return AugmentedManifestChannel(**common, attribute_names=self.attribute_names)
        return (S3Channel if self.data_type == "prefix" else ManifestChannel)(**common)

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if self.is_mounted:
            given = [key for key in _OF_OBJECTS if getattr(self, key) != type(self).model_fields[key].default]
            if given:
                raise ValueError(
                    f"{given[0]}: found {getattr(self, given[0])!r}, but source is {self.source}, a file system, whose "
                    "directories are mounted as they are; leave it out"
                )
            return self
        is_list = self.data_type != "prefix"
        if is_list and not self.objects:
            raise ValueError(
                f"objects: missing, and data_type is {self.data_type}; say below which prefix its objects are"
            )
        if self.objects and not is_list:
            raise ValueError(f"objects: found {self.objects!r}, but data_type is prefix, which path says; leave it out")
        if self.attribute_names and self.data_type != "augmented_manifest":
            raise ValueError(
                f"attribute_names: found {', '.join(self.attribute_names)}, but data_type is {self.data_type}; only an "
                "augmented_manifest has attributes"
            )
        try:
            self.describe("s3://any/")
        except ChannelError as error:
            raise ValueError(str(error)) from None
        return self

    @model_validator(mode="after")
    def _check_path(self) -> Self:
        if not self.is_mounted and self.path.startswith("/"):
            raise ValueError("a prefix in a bucket does not start with '/'")
        if self.is_mounted and not self.path.startswith("/"):
            raise ValueError("a directory of a file system starts with '/'")
        if {".", ".."}.intersection(self.path.split("/")):
            raise ValueError(f"'{self.path}' leads through '.' or '..'; write where it leads to")
        return self
