"""Times in S3's answers."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from botocore.utils import parse_timestamp


def parse_time(value: Any) -> datetime:
    """A time as S3 writes it in a listing, or in any other form that botocore knows.

    botocore's own parser takes any form, by dateutil, and with it half to two thirds of the time of reading a listing.

    Example:
        >>> parse_time("2026-11-20T10:00:00.000Z")
        datetime.datetime(2026, 11, 20, 10, 0, tzinfo=datetime.timezone.utc)
    """
    if isinstance(value, str) and value.endswith("Z"):
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    parsed: datetime = parse_timestamp(value)
    return parsed
