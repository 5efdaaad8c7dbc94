"""Files of arrays whose layout is known beforehand, so that what they say of themselves is checked before it is used.

A file is NumPy's archive without pickled objects and without compression. Whatever is in it, reading it runs no code
and takes no more memory than the file takes on the disk.
"""

import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class ArrayLayout:
    """What an array may be.

    Args:
        dtype: The type of its elements.
        shape: How long it may be along each axis.
    """

    dtype: np.dtype[Any]
    shape: tuple[range, ...] = ()

    def refuse_other(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        """Raise a ValueError for an array that is another."""
        lengths = len(shape) == len(self.shape) and all(map(range.__contains__, self.shape, shape))
        if not lengths or dtype != self.dtype:
            raise ValueError(f"an array of {shape} {dtype} is not one of {self}")

    def __str__(self) -> str:
        return f"({', '.join(f'{axis.start} to {axis.stop - 1}' for axis in self.shape)}) {self.dtype}"


def exactly(length: int) -> range:
    """The one length that an axis may have."""
    return range(length, length + 1)


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write the arrays to a file."""
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_arrays(path: Path, layouts: Mapping[str, ArrayLayout]) -> Arrays:
    """The arrays of a file that has exactly those of the layouts.

    Raises:
        ValueError: If it has others. A file that was damaged or crafted raises other exceptions, too.
    """
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        names = sorted(member.filename.removesuffix(".npy") for member in archive.infolist())
        if names != sorted(layouts):
            raise ValueError(f"it has arrays {', '.join(names)}, not {', '.join(sorted(layouts))}")
        return {name: _read_array(archive, archive.getinfo(f"{name}.npy"), layouts[name]) for name in layouts}


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, layout: ArrayLayout) -> NDArray[Any]:
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member.filename} is compressed")
    with archive.open(member) as content:
        shape, dtype = _read_header(content)
        layout.refuse_other(dtype, shape)
        if math.prod(shape) * dtype.itemsize != member.file_size - content.tell():
            raise ValueError(f"{member.filename} is not as long as its array")
    with archive.open(member) as content:
        # NumPy reads arrays of objects only where it is told to.
        return np.asarray(np.lib.format.read_array(content))


def _read_header(content: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(content)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"its format is {version}")
    shape, _, dtype = readers[version](content)
    return shape, dtype
