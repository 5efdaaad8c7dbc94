"""The files of a packed set, of which only so many are open at a time: systems allow a program 1,024 or fewer."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np

from headrace.errors import naming
from headrace.inputs import open_regular
from headrace.packed.layout import HEADER_BYTES, ArrayFile, Layout, PackedError, make_header, name_shard
from headrace.packed.order import WINDOW_BLOCKS

# Those of a window, those of the next, and as many again.
MOST_OPEN: Final = 4 * WINDOW_BLOCKS


class OpenShards:
    """The shards of a set, opened as they are used; threads may share them.

    Args:
        folder: Where the set is.
        layout: What is in it.

    Raises:
        PackedError: If one is missing or is not as long and of the kind that the layout says.
    """

    def __init__(self, folder: Path, layout: Layout) -> None:
        self._folder = folder
        self._layout = layout
        self._lock = Lock()
        self._kept = MOST_OPEN
        # By number, the one used longest ago first.
        self._files: dict[int, BufferedReader] = {}
        self._users: dict[int, int] = {}
        try:
            for number in range(len(layout.shards)):
                with self.use(number):
                    pass
        except BaseException:
            self.close()
            raise

    @contextmanager
    def use(self, number: int) -> Iterator[BufferedReader]:
        """A shard that stays open as long as the block lasts.

        Raises:
            PackedError: If it has been replaced by something else since the set was opened.
        """
        with self._lock:
            file = self._files.pop(number, None) or self._open(number)
            self._files[number] = file
            self._users[number] = self._users.get(number, 0) + 1
        try:
            yield file
        finally:
            with self._lock:
                self._users[number] -= 1
                self._close_unused()

    def close(self) -> None:
        """Close all, those that a thread uses as soon as it has done so."""
        with self._lock:
            self._kept = 0
            self._close_unused()

    def _open(self, number: int) -> BufferedReader:
        path, shard = self._folder / name_shard(number), self._layout.shards[number]
        return open_array(path, shard, np.dtype(np.uint8), self._layout.shape)

    def _close_unused(self) -> None:
        if len(self._files) > self._kept:
            unused = [number for number in self._files if not self._users[number]]
            for number in unused[: len(self._files) - self._kept]:
                self._files.pop(number).close()


def open_array(path: Path, file: ArrayFile, dtype: np.dtype[Any], shape: tuple[int, ...]) -> BufferedReader:
    """A file that is as long as it should be and has the array that it should have.

    Raises:
        PackedError: If it is not, or is a link out of its folder.
    """
    with naming(path, PackedError):
        if path.resolve().parent != path.parent.resolve():
            raise PackedError(f"{path}: is a link out of the folder; put the file itself there")
        opened = open_regular(path)
        size = os.fstat(opened.fileno()).st_size
    try:
        if size != file.bytes:
            raise PackedError(f"{path}: has {size:,} bytes, not {file.bytes:,}; copy it again")
        # Compared, not parsed: NumPy evaluates headers, and stumbles over crafted ones in many ways.
        if opened.read(HEADER_BYTES) != make_header(dtype, (file.records, *shape)):
            raise PackedError(f"{path}: is not the array that packed.json says; copy the set again")
    except BaseException:
        opened.close()
        raise
    return opened
