"""A file of a packed set's pixels, filled by threads in any order."""

import hashlib
import math
import zlib
from io import BufferedRandom
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from headrace.packed.layout import HEADER_BYTES, ArrayFile, make_header

from .failures import BulkJobError


class ShardFile:
    """Records at their places, among which there may be gaps until the end.

    Args:
        file: An empty file.
        shape: Rows, columns and colours of a record.
    """

    def __init__(self, file: BufferedRandom, shape: tuple[int, int, int]) -> None:
        self._file = file
        self._shape = shape
        self._size = math.prod(shape)
        self._lock = Lock()
        # The CRC-32 of each record's pixels, by its place.
        self.checksums: dict[int, int] = {}

    def put(self, place: int, pixels: NDArray[np.uint8]) -> None:
        """Write a record; all threads may.

        Raises:
            BulkJobError: If the disk is full.
        """
        content = np.ascontiguousarray(pixels.reshape(self._shape)).data
        checksum = zlib.crc32(content)
        try:
            with self._lock:
                self._file.seek(self._find(place))
                self._file.write(content)
                self._file.flush()
                self.checksums[place] = checksum
        except OSError as error:
            raise BulkJobError(f"a pixel file cannot be written: {error.strerror}; use a larger volume") from error

    def close_gaps(self) -> ArrayFile:
        """Move the records together and write what stands before them; what the file is then."""
        for place, found in enumerate(sorted(self.checksums)):
            if place != found:
                self._file.seek(self._find(found))
                content = self._file.read(self._size)
                self._file.seek(self._find(place))
                self._file.write(content)
        records = len(self.checksums)
        self._file.truncate(self._find(records))
        self._file.seek(0)
        self._file.write(make_header(np.dtype(np.uint8), (records, *self._shape)))
        self._file.seek(0)
        return ArrayFile(records, self._find(records), hashlib.file_digest(self._file, "sha256").hexdigest())

    def _find(self, place: int) -> int:
        return HEADER_BYTES + place * self._size
