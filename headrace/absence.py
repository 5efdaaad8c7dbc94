"""What AWS's services answer about something that is not there, or not any more."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import ClientError

# What services answer that do not have what they are asked to delete.
_ABSENT: Final = frozenset(
    {
        "404",
        "FileSystemNotFound",
        "NoSuchBucket",
        "NotFoundException",
        "ObjectNotFoundException",
        "RepositoryNotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "ExecutionDoesNotExist",
        "StateMachineDoesNotExist",
    }
)
# SageMaker and CloudFormation say it in the message of a validation error alone.
_ABSENT_WORDS: Final = ("could not find", "does not exist", "not found")


@contextmanager
def forgiving_absence() -> Iterator[None]:
    """Take what is gone already for deleted."""
    try:
        yield
    except ClientError as error:
        if not is_absence(error):
            raise


def is_absence(error: ClientError) -> bool:
    """Whether a service says that what it was asked about is not there."""
    said = error.response["Error"]
    if said["Code"] in _ABSENT:
        return True
    return said["Code"].startswith("Validation") and any(
        words in said.get("Message", "").lower() for words in _ABSENT_WORDS
    )
