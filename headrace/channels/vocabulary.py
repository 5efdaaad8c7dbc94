"""The words SageMaker has for channels, and values that are known only later."""

from enum import StrEnum


class InputMode(StrEnum):
    """How a channel's data reaches the container."""

    FILE = "File"
    FAST_FILE = "FastFile"
    PIPE = "Pipe"


class Compression(StrEnum):
    """How a channel's objects are compressed; SageMaker unpacks them on their way into the pipe."""

    NONE = "None"
    GZIP = "Gzip"


class RecordWrapper(StrEnum):
    """What SageMaker puts around each object on its way into the pipe."""

    NONE = "None"
    RECORD_IO = "RecordIO"


class Distribution(StrEnum):
    """Which of a channel's objects each instance of a job gets."""

    FULLY_REPLICATED = "FullyReplicated"
    SHARDED_BY_S3_KEY = "ShardedByS3Key"


class Access(StrEnum):
    """What a job may do in a file system's directory."""

    RO = "ro"
    RW = "rw"


class Reference(str):
    """A value that is known only later, and passes unchecked: a CDK token or a CloudFormation reference.

    Example:
        >>> from headrace.channels import EfsChannel
        >>> channel = EfsChannel(name="train", file_system_id=Reference("${Token[TOKEN.7]}"), directory_path="/train")
        >>> channel.render()["DataSource"]["FileSystemDataSource"]["FileSystemId"]
        '${Token[TOKEN.7]}'
    """

    __slots__ = ()


def is_jsonata(value: str) -> bool:
    """Whether a value is a JSONata field of a state machine."""
    return value.startswith("{%") and value.endswith("%}")


def is_known_later(value: str) -> bool:
    """Whether a value cannot be checked yet; JSONata fields say so themselves."""
    return isinstance(value, Reference) or is_jsonata(value)
