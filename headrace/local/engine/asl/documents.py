"""The JSON that states pass on: as text, how much of it there may be, and when two values are equal."""

import json
import re
from datetime import UTC, datetime
from typing import Any, Final

from headrace.local.engine.asl.failures import DATA_LIMIT, StateFailedError

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MOST_BYTES: Final = 262_144
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def write_json(value: Any) -> str:
    """A value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write_bounded(value: Any, what: str, state: str) -> str:
    """A value as JSON text.

    Raises:
        StateFailedError: If it has more bytes than states may pass on.
    """
    text = write_json(value)
    if len(text.encode(errors="surrogatepass")) > MOST_BYTES:
        cause = f"The state/task '{state}' returned a result with a size exceeding the maximum number of bytes"
        raise StateFailedError(DATA_LIMIT, f"{cause} service limit: its {what} has more than {MOST_BYTES}.")
    return text


def is_number(value: Any) -> bool:
    """Whether a value is a number of JSON, where true is not 1."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_integer(value: Any) -> bool:
    """Whether a value is a whole number."""
    return is_number(value) and float(value).is_integer()


def parse_timestamp(value: Any) -> datetime | None:
    """An instant in the language's profile of RFC 3339, or nothing."""
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
    except ValueError:
        return None


def write_timestamp(moment: datetime) -> str:
    """An instant as the context object has it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def are_equal(one: Any, other: Any) -> bool:
    """Equality of JSON: true is not 1, and 3 equals 3.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(are_equal(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(are_equal, one, other))
    return bool(one == other)
