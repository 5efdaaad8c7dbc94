"""Names that the infrastructure, every door of the normalizer and its clients share; standard library only."""

from enum import StrEnum
from typing import Final

# What consumers read without having chosen.
DEFAULT_TRANSFORMATION: Final = "image"

# Where whole sets of the batch door are kept in the work bucket.
SETS_PREFIX: Final = "normalized-sets/"

FUNCTION_URL_OUTPUT: Final = "NormalizerUrl"
BULK_OUTPUT: Final = "NormalizerBulkStateMachineArn"

# How many requests a reader runs at once unless told otherwise: a new account may run ten functions, all of its own.
DEFAULT_CONNECTIONS: Final = 8


class BulkInput(StrEnum):
    """The keys of the batch door's input, in the order in which they are looked at."""

    NAME = "Name"
    SOURCE = "Source"
    MANIFEST = "Manifest"
    OPTIONS = "Options"


class ErrorCode(StrEnum):
    """Errors of the doors, in S3's words where S3 has one; those of photographs are in `errors.py`."""

    BAD_RANGE = "InvalidRange"
    FAILED = "NormalizerFailed"
    METHOD_NOT_ALLOWED = "MethodNotAllowed"
    NO_KEY = "KeyMissing"
    OBJECT_CHANGED = "PreconditionFailed"
    SLOW_DOWN = "SlowDown"
    SOURCE_UNAVAILABLE = "ServiceUnavailable"


def pascal_name(name: str) -> str:
    """A name with hyphens, as the names of outputs and resources have it."""
    return name.title().replace("-", "")


def function_url_output(transformation: str = DEFAULT_TRANSFORMATION) -> str:
    """The stack output with the URL of a transformation's function."""
    return FUNCTION_URL_OUTPUT + ("" if transformation == DEFAULT_TRANSFORMATION else pascal_name(transformation))


def object_lambda_output(consumer: str) -> str:
    """The stack output with the alias of a consumer's Object Lambda access point."""
    return f"NormalizerAlias{pascal_name(consumer)}"


def object_lambda_arn_output(consumer: str) -> str:
    """The stack output with the ARN of a consumer's Object Lambda access point."""
    return f"NormalizerArn{pascal_name(consumer)}"


def default_object_lambda_name(environment: str, consumer: str) -> str:
    """The name of a consumer's Object Lambda access point where the settings give none."""
    return f"headrace-{environment}-{consumer}"
