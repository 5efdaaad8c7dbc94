"""Names that the infrastructure gives and the function and its clients read; standard library only."""

from enum import StrEnum
from typing import Final

FUNCTION_HANDLER: Final = "image_normalizer.handler.handle"
MEMORY_MIB: Final = 256

# Where normalized pictures are kept in the work bucket: those of single requests, and whole sets of the batch door.
CACHE_PREFIX: Final = "normalized/"
SETS_PREFIX: Final = "normalized-sets/"

# A function's buffered answer is 6 MB of JSON at most, in which an image is text a third longer:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_INLINE_BYTES: Final = 4_500_000
REDIRECT_SECONDS: Final = 300

# Revalidated after some minutes: an image that changes has another ETag.
CACHE_CONTROL: Final = "private, max-age=300"

METRIC_NAMESPACE: Final = "Headrace/Normalizer"

FUNCTION_URL_OUTPUT: Final = "NormalizerUrl"
BULK_OUTPUT: Final = "NormalizerBulkStateMachineArn"


class Variable(StrEnum):
    """The function's environment variables."""

    SOURCE = "SOURCE_ACCESS_POINT"
    CACHE_BUCKET = "CACHE_BUCKET"
    KEEPS_ALL = "CACHE_KEEPS_ALL"
    DNS_SUFFIX = "DNS_SUFFIX"


class BulkInput(StrEnum):
    """The keys of the batch door's input, in the order in which they are looked at."""

    NAME = "Name"
    SOURCE = "Source"
    MANIFEST = "Manifest"
    OPTIONS = "Options"


class Header(StrEnum):
    """The headers of an answer."""

    ACCEPT_RANGES = "Accept-Ranges"
    CACHE_CONTROL = "Cache-Control"
    CONTENT_LENGTH = "Content-Length"
    CONTENT_RANGE = "Content-Range"
    CONTENT_TYPE = "Content-Type"
    ETAG = "ETag"
    LOCATION = "Location"


class ErrorCode(StrEnum):
    """Errors of the doors, in S3's words where S3 has one; those of images are in `errors.py`."""

    BAD_RANGE = "InvalidRange"
    FAILED = "NormalizerFailed"
    METHOD_NOT_ALLOWED = "MethodNotAllowed"
    NO_KEY = "KeyMissing"
    OBJECT_CHANGED = "PreconditionFailed"
    SLOW_DOWN = "SlowDown"
    SOURCE_UNAVAILABLE = "ServiceUnavailable"


def object_lambda_output(consumer: str) -> str:
    """The stack output with the alias of a consumer's Object Lambda access point."""
    return f"NormalizerAlias{consumer.title().replace('-', '')}"
