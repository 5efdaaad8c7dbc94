"""How much of S3's content is in memory at a time, and how many photographs are normalized."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Final, NamedTuple

from headrace.normalizer.limits import Limits

# As many files of the largest size.
_MOST_FILES: Final = 16


class Shares(NamedTuple):
    """What there is for the files of photographs, and how many of them may be normalized at a time."""

    file_bytes: int
    makers: int


def share_memory(free: int | None, processors: int, limits: Limits) -> Shares:
    """The shares of a machine with so much memory, if that is known: files have a third of it at most.

    With too little for one photograph, there is one at a time.
    """
    most = _MOST_FILES * limits.file_bytes
    if free is None:
        return Shares(most, processors)
    file_bytes = max(limits.file_bytes, min(most, free // 3))
    return Shares(file_bytes, max(1, min(processors, (free - file_bytes) // limits.decoding_bytes)))


class MemoryBudget:
    """Bytes that threads share: a thread that needs more than are free waits.

    Args:
        size: How many there are; no thread may need more.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._changed = Condition()

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Have some of the bytes for a while."""
        with self._changed:
            self._changed.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()
