"""Channels whose data comes from S3: a prefix, a manifest or an augmented manifest."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from headrace.channels.checks import (
    ATTRIBUTE_NAME,
    CONTENT_TYPE,
    ChannelError,
    check_choice,
    check_count,
    check_doubles,
    check_name,
    check_text,
    check_uri,
    name_channel,
    parse_uri,
    show,
)
from headrace.channels.vocabulary import Compression, Distribution, InputMode, RecordWrapper, is_known_later

REFERENCE_SUFFIX = "-ref"
MOST_ATTRIBUTES = 16
SEED_LIMIT = 2**63


@dataclass(frozen=True, kw_only=True)
class _ObjectChannel(ABC):
    """What every channel from S3 has."""

    data_type: ClassVar[str]

    name: str
    uri: str
    content_type: str | None = None
    input_mode: InputMode = InputMode.FILE
    distribution: Distribution = Distribution.FULLY_REPLICATED
    compression: Compression = Compression.NONE
    record_wrapper: RecordWrapper = RecordWrapper.NONE
    shuffle_seed: int | None = None

    def __post_init__(self) -> None:
        check_name(self.name)
        check_uri(self._subject, self.uri)
        check_text(self._subject, "content_type", self.content_type or "", CONTENT_TYPE)
        check_choice(self._subject, "input_mode", self.input_mode, InputMode)
        check_choice(self._subject, "distribution", self.distribution, Distribution)
        check_choice(self._subject, "compression", self.compression, Compression)
        check_choice(self._subject, "record_wrapper", self.record_wrapper, RecordWrapper)
        self._check_seed()
        self._check_source()
        self._check_pipe_only()

    def render(self) -> dict[str, Any]:
        """The channel as an entry of CreateTrainingJob's `InputDataConfig`."""
        rendered: dict[str, Any] = {"ChannelName": str(self.name)}
        if self.content_type is not None:
            rendered["ContentType"] = str(self.content_type)
        rendered |= {"InputMode": str(self.input_mode), "DataSource": {"S3DataSource": self._render_source()}}
        if self.compression != Compression.NONE:
            rendered["CompressionType"] = str(self.compression)
        if self.record_wrapper != RecordWrapper.NONE:
            rendered["RecordWrapperType"] = str(self.record_wrapper)
        if self.shuffle_seed is not None:
            rendered["ShuffleConfig"] = {"Seed": self.shuffle_seed}
        return rendered

    @property
    def _subject(self) -> str:
        return name_channel(self.name)

    def _render_source(self) -> dict[str, Any]:
        return {
            "S3DataType": self.data_type,
            "S3Uri": str(self.uri),
            "S3DataDistributionType": str(self.distribution),
        }

    @abstractmethod
    def _check_source(self) -> None: ...

    def _check_seed(self) -> None:
        if self.shuffle_seed is not None and not -SEED_LIMIT <= self.shuffle_seed < SEED_LIMIT:
            raise ChannelError(
                self._subject,
                found=f"shuffle_seed is {self.shuffle_seed}",
                reason="a seed is a whole number of 64 bits",
                remedy="give a smaller one",
            )

    def _check_pipe_only(self) -> None:
        if self.input_mode == InputMode.PIPE:
            return
        if self.compression != Compression.NONE:
            raise ChannelError(
                self._subject,
                found=f"compression is {self.compression} in {self.input_mode} mode",
                reason="SageMaker unpacks objects only in Pipe mode",
                remedy="use Pipe mode, or leave it out and unpack in the program",
            )
        if self.record_wrapper != RecordWrapper.NONE:
            raise ChannelError(
                self._subject,
                found=f"record_wrapper is {self.record_wrapper} in {self.input_mode} mode",
                reason="SageMaker wraps objects in records only in Pipe mode",
                remedy="use Pipe mode, or leave it out",
            )
        if self.shuffle_seed is not None:
            raise ChannelError(
                self._subject,
                found=f"shuffle_seed is {self.shuffle_seed} in {self.input_mode} mode",
                reason="shuffling orders the objects of a pipe, and a folder has no order",
                remedy="use Pipe mode, or leave it out and shuffle in the program",
            )

    def _check_object(self) -> None:
        if not is_known_later(self.uri) and parse_uri(self.uri).is_folder:
            raise ChannelError(
                self._subject,
                found=f"uri is {show(self.uri)}",
                reason=f"S3DataType {self.data_type} needs the manifest itself, not a prefix",
                remedy="give the manifest's full key",
            )


@dataclass(frozen=True, kw_only=True)
class S3Channel(_ObjectChannel):
    """A channel of every object whose key starts with an S3 prefix.

    Args:
        name: The folder's name under `/opt/ml/input/data`; the pipe's in Pipe mode.
        uri: `s3://bucket/prefix`; in FastFile mode a whole folder, with a slash at the end.
        content_type: The MIME type of the objects.
        shuffle_seed: In Pipe mode, gives the objects another order in every epoch.

    Example:
        >>> S3Channel(name="train", uri="s3://work/train/", input_mode=InputMode.FAST_FILE).render()["InputMode"]
        'FastFile'
    """

    data_type: ClassVar[str] = "S3Prefix"

    def _check_source(self) -> None:
        whole_folder = is_known_later(self.uri) or self.uri.endswith("/")
        if self.input_mode == InputMode.FAST_FILE and not whole_folder:
            raise ChannelError(
                self._subject,
                found=f"uri is {show(self.uri)} in FastFile mode",
                reason="FastFile mounts a whole folder, so the prefix must end with '/'",
                remedy="add the slash, or use File mode",
            )


@dataclass(frozen=True, kw_only=True)
class ManifestChannel(_ObjectChannel):
    """A channel of the objects that a manifest lists: a JSON array of one prefix and keys below it.

    Args:
        uri: `s3://bucket/key` of the manifest.
    """

    data_type: ClassVar[str] = "ManifestFile"

    def _check_source(self) -> None:
        self._check_object()
        if self.input_mode == InputMode.FAST_FILE:
            raise ChannelError(
                self._subject,
                found="input_mode is FastFile",
                reason="FastFile mounts a folder and reads no manifest",
                remedy="use File or Pipe mode, or an S3Channel of the folder",
            )


@dataclass(frozen=True, kw_only=True)
class AugmentedManifestChannel(_ObjectChannel):
    """A channel of objects and their labels, a JSON line each, streamed in the order of `attribute_names`.

    Args:
        uri: `s3://bucket/key` of the manifest.
        attribute_names: Which keys of each line are sent, in this order; the objects of keys that end with `-ref`
            are fetched, other values are sent as text, and keys that are not named are left out.
    """

    data_type: ClassVar[str] = "AugmentedManifestFile"

    input_mode: InputMode = InputMode.PIPE
    attribute_names: tuple[str, ...]

    def _render_source(self) -> dict[str, Any]:
        return {**super()._render_source(), "AttributeNames": [str(name) for name in self.attribute_names]}

    def _check_source(self) -> None:
        self._check_object()
        if self.input_mode != InputMode.PIPE:
            raise ChannelError(
                self._subject,
                found=f"input_mode is {self.input_mode}",
                reason="SageMaker streams augmented manifests, in Pipe mode only",
                remedy="use Pipe mode, or a ManifestChannel with the labels in their own channel",
            )
        self._check_attributes()

    def _check_attributes(self) -> None:
        names = self.attribute_names
        check_count(self._subject, "attribute_names", names, least=1, most=MOST_ATTRIBUTES)
        for name in names:
            check_text(self._subject, "attribute_names", name, ATTRIBUTE_NAME)
            self._check_reference_suffix(name)
        check_doubles(
            self._subject,
            "attribute_names",
            names,
            reason="each attribute is sent once, in the order of this list",
            remedy="name it once",
        )

    def _check_reference_suffix(self, name: str) -> None:
        if name == REFERENCE_SUFFIX or (
            name.lower().endswith(REFERENCE_SUFFIX) and not name.endswith(REFERENCE_SUFFIX)
        ):
            raise ChannelError(
                self._subject,
                found=f"attribute_names has {show(name)}",
                reason="objects are fetched for names that end with '-ref' in lower case, after a name",
                remedy="call it for example 'source-ref', as the manifest's lines do",
            )
