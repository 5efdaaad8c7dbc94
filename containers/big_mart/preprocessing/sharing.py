"""The raw files of all instances, of which each has read some: SageMaker gives every file to one of them.

What one instance writes of a file lies in files of its own, numbered as the files are in the order of their paths, so
that all of it put together in that order is what one instance writes that has read every file.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import PurePosixPath

import numpy as np

from containers.shared.job.inputs import JobInputs
from headrace.provenance import InputFile

from . import contract
from .exchange import Exchange
from .failures import SalesError
from .reading import RawFile, find_columns
from .sales import Mask


@dataclass(frozen=True, kw_only=True)
class Part:
    """Rows that have files of their own.

    Args:
        start: The first of this instance's rows that is among them.
        stop: The first after that which is not.
        number: Of which of all raw files they are, counted from 1.
        count: How many raw files there are.
        is_all: Whether they are all rows, whose files have no number.
    """

    start: int
    stop: int
    number: int = 1
    count: int = 1
    is_all: bool = False

    def name(self, file: str) -> str:
        """What a file with these rows is called."""
        return file if self.is_all else contract.name_part(file, self.number, self.count)


@dataclass(frozen=True, kw_only=True)
class RawFiles:
    """The raw files of all instances in the order of their paths.

    Args:
        files: Each file.
        own: The names of those of this instance.
        is_shared: Whether other instances have read some.
    """

    files: Sequence[RawFile]
    own: frozenset[str]
    is_shared: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a request, in the order of the first file."""
        return find_columns(self.files[0].header)

    @property
    def rows(self) -> int:
        """How many rows all files have."""
        return sum(file.rows for file in self.files)

    def take_own(self, rows: Mask) -> Mask:
        """What is true of this instance's rows, of what is true of all."""
        ends = np.cumsum([file.rows for file in self.files])
        own = [rows[end - file.rows : end] for file, end in zip(self.files, ends, strict=True) if file.name in self.own]
        return np.concatenate([rows[:0], *own])

    def list_parts(self) -> list[Part]:
        """The rows of this instance by the files that they are written to."""
        if not self.is_shared:
            return [Part(start=0, stop=self.rows, is_all=True)]
        parts, start = [], 0
        for number, file in enumerate(self.files, start=1):
            if file.name in self.own:
                parts.append(Part(start=start, stop=start + file.rows, number=number, count=len(self.files)))
                start += file.rows
        return parts


def gather_files(own: Sequence[RawFile], exchange: Exchange) -> RawFiles:
    """The files of all instances.

    Raises:
        SalesError: If none of them has a row.
    """
    dumped = [astuple(file) for file in own]
    files = [RawFile(name, rows, tuple(header)) for found in exchange.gather(dumped) for name, rows, header in found]
    if not any(file.rows for file in files):
        raise SalesError("the input has no data rows, only headers; check what was uploaded to the job's input")
    files.sort(key=lambda file: PurePosixPath(file.name))
    return RawFiles(files=files, own=frozenset(file.name for file in own), is_shared=not exchange.is_alone)


def gather_inputs(own: JobInputs, exchange: Exchange) -> JobInputs:
    """What all instances have read."""
    inputs = JobInputs()
    for found in exchange.gather([(channel, *astuple(file)) for channel, file in own.list_files()]):
        for channel, *file in found:
            inputs.add(channel, InputFile(*file))
    return inputs
