"""Names that the infrastructure gives and the function reads; standard library only."""

from enum import StrEnum
from typing import Final

from headrace.normalizer.contract import DEFAULT_TRANSFORMATION

FUNCTION_HANDLER: Final = "image_normalizer.handler.handle"

# Where what single requests are answered with is kept in the work bucket.
CACHE_PREFIX: Final = "normalized/"

# A function's buffered answer is 6 MB of JSON at most, in which a normalized image is text a third longer:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_INLINE_BYTES: Final = 4_500_000
REDIRECT_SECONDS: Final = 300

METRIC_NAMESPACE: Final = "Headrace/Normalizer"


class Variable(StrEnum):
    """The function's environment variables."""

    SOURCE = "SOURCE_ACCESS_POINT"
    CACHE_BUCKET = "CACHE_BUCKET"
    KEEPS_ALL = "CACHE_KEEPS_ALL"
    DNS_SUFFIX = "DNS_SUFFIX"
    TRANSFORMATION = "TRANSFORMATION"


def cache_prefix(transformation: str) -> str:
    """Where the results of a transformation are kept, so that its function reaches no other's."""
    # It was there first.
    return CACHE_PREFIX if transformation == DEFAULT_TRANSFORMATION else f"{CACHE_PREFIX}{transformation}/"
