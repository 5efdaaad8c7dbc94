"""The volume of a job: what its folders take, against what its request asked for."""

import os
import stat
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from headrace.local.sagemaker.errors import AlgorithmError

GIB = 1024**3
BLOCK_BYTES = 512
LOOKING_INTERVAL_SECONDS = 1.0
# Looking takes no more than this part of the time, however many files there are.
LOOKING_SHARE = 0.02


def measure_folder(folder: Path, without: Collection[Path] = ()) -> int:
    """The bytes that the files below a folder take on the disk, but for those in some of its folders."""
    total = 0
    pending = [folder]
    while pending:
        here = pending.pop()
        with suppress(OSError), os.scandir(here) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending += [path for path in [here / entry.name] if path not in without]
                else:
                    total += measure_file(entry)
    return total


def measure_file(entry: "os.DirEntry[str]") -> int:
    """The bytes a file takes; holes take none, and a file that is gone neither."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return 0
    return status.st_blocks * BLOCK_BYTES if stat.S_ISREG(status.st_mode) else 0


class Volume:
    """The room that a job has.

    Args:
        size_gib: VolumeSizeInGB of its request; None where nothing was said.
        measure: how many bytes are taken.
    """

    def __init__(self, size_gib: int | None, measure: Callable[[], int]) -> None:
        self._size_gib = size_gib
        self._measure = measure
        self.interval_seconds = LOOKING_INTERVAL_SECONDS if size_gib else threading.TIMEOUT_MAX

    def check(self) -> None:
        """Raises AlgorithmError when more is taken than there is."""
        if not self._size_gib:
            return
        begin = time.monotonic()
        taken = self._measure()
        self.interval_seconds = max(LOOKING_INTERVAL_SECONDS, (time.monotonic() - begin) / LOOKING_SHARE)
        if taken > self._size_gib * GIB:
            raise AlgorithmError(
                f"No space left on device: the job's folders hold {taken / GIB:.1f} GiB, its VolumeSizeInGB is "
                f"{self._size_gib}; ask for a larger volume or write less"
            )
