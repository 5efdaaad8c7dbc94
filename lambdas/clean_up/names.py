"""The tag of what an execution has made: its name, within the rules for names that the state machine keeps."""

import hashlib
import re
from typing import Final

_LONGEST: Final = 63
_HASH_DIGITS: Final = 8


def tag_of(execution: str) -> str:
    """The same as the state machine's `$execution`.

    Example:
        >>> tag_of("run-1")
        'run-1'
    """
    clean = re.sub(r"^-+|-+$", "", re.sub(r"[^a-zA-Z0-9-]+", "-", execution))
    if clean == execution and len(execution) <= _LONGEST:
        return execution
    digest = hashlib.sha256(execution.encode()).hexdigest()[:_HASH_DIGITS]
    return re.sub(r"^-+", "", f"{clean[: _LONGEST - _HASH_DIGITS - 1]}-{digest}")
