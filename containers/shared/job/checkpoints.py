"""The checkpoints of a training job: what is done of its work, in parts, each whole in its file.

Loading a part cannot run code (`array_files` has the format). Besides the arrays of the part a file holds
`fingerprint`, of everything that the work depends on, and `begin`, how much was done before.

SageMaker stores the folder while the program runs, and does not say that it would remove anything. So a part grows
under a name that is not stored, and work of which each part holds the whole uses two names in turn: the one that may
be on its way to S3 is never the only one.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.shared import sagemaker
from containers.shared.job.array_files import ArrayLayout, Arrays, read_arrays, write_arrays
from containers.shared.job.events import log_event, warn_event
from containers.shared.job.last_save import LastSave
from containers.shared.job.training_failures import JobError
from headrace.errors import HeadraceError
from headrace.files import whole_file

MOST_SECONDS = 86_400
_KEPT = 2
_MANY = range(2**31)
_HEAD = {"fingerprint": ArrayLayout(np.dtype("<U64")), "begin": ArrayLayout(np.dtype("int64"))}


@dataclass(frozen=True)
class Work:
    """A piece of work that is saved in parts.

    Args:
        name: What its files are called.
        fingerprint: Of everything that it depends on: parts of other work are not used.
        layouts: The arrays of a part.
        measure: How much of the work a part has done. What it raises makes the part unusable.
        is_cumulative: Whether a part holds all that those before it held, so that only the newest two are kept.
    """

    name: str
    fingerprint: str
    layouts: Mapping[str, ArrayLayout]
    measure: Callable[[Arrays], int]
    is_cumulative: bool = False


@dataclass(frozen=True)
class CheckpointFolder:
    """Where a job saves its checkpoints, and when.

    Args:
        path: The folder.
        interval_seconds: How much time an interruption may cost; None for a job that saves nothing.
        last_save: What asks for a part at once.
        read_clock: The time, in seconds.
    """

    path: Path
    interval_seconds: float | None
    last_save: LastSave
    read_clock: Callable[[], float] = time.monotonic

    def open(self, work: Work) -> "Checkpoints":
        """The checkpoints of a piece of work."""
        return Checkpoints(self, work)


@dataclass(frozen=True)
class _Part:
    """A part that can be used: its number, how much is done with it, and what it holds."""

    number: int
    done: int
    arrays: Arrays


class Checkpoints:
    """The checkpoints of a piece of work; none are loaded or saved where the job saves nothing.

    Args:
        folder: Where they are.
        work: What they are of.
    """

    def __init__(self, folder: CheckpointFolder, work: Work) -> None:
        self.interval_seconds = folder.interval_seconds
        self._folder = folder
        self._work = work
        self._saved_at = folder.read_clock()
        self._count = 0
        self._done = 0

    @property
    def done(self) -> int:
        """How much of the work the parts have done that were loaded or saved."""
        return self._done

    @property
    def is_due(self) -> bool:
        """Whether it is time to save."""
        if self.interval_seconds is None:
            return False
        return self._folder.last_save.is_asked or self._folder.read_clock() - self._saved_at >= self.interval_seconds

    def offering(self) -> AbstractContextManager[None]:
        """The part of the work that looks often whether it is time to save."""
        return nullcontext() if self.interval_seconds is None else self._folder.last_save.offering()

    def load(self) -> Iterator[Arrays]:
        """The parts to go on from; a file that cannot be used is named in the log.

        Of cumulative work this is the newest part that can be used, else all up to the first that cannot.
        """
        if self.interval_seconds is None:
            return
        for part in self._find_newest() if self._work.is_cumulative else self._read_on():
            self._count, self._done = part.number + 1, part.done
            log_event("checkpoint_resumed", file=self._place(part.number).name, done=self._done)
            yield part.arrays

    def save(self, arrays: Arrays, size: int) -> None:
        """Save the next part, whole or not at all; a part that cannot be saved is named in the log.

        Args:
            arrays: What it consists of.
            size: How much of the work it has done.
        """
        if self.interval_seconds is None:
            return
        path = self._place(self._count)
        head = {"fingerprint": np.array(self._work.fingerprint), "begin": np.array(self._done, "int64")}
        self._saved_at = self._folder.read_clock()
        try:
            with whole_file(path, sagemaker.IGNORED_ENDING) as partial:
                write_arrays(partial, {**head, **arrays})
        except (HeadraceError, OSError) as error:
            warn_event("checkpoint_not_saved", file=path.name, reason=repr(str(error)))
        else:
            self._count += 1
            self._done += size
            log_event("checkpoint_saved", file=path.name, done=self._done)
        if self._folder.last_save.is_asked:
            self._folder.last_save.note_saved()

    def _read_on(self) -> Iterator[_Part]:
        """The parts one after the other; what has been loaded says which is next."""
        while part := self._read(self._count):
            yield part

    def _find_newest(self) -> list[_Part]:
        parts = [part for number in range(_KEPT) if (part := self._read(number))]
        return sorted(parts, key=lambda part: part.done)[-1:]

    def _read(self, number: int) -> _Part | None:
        """A part that can be used; what keeps one from that is in the log."""
        path = self._place(number)
        if not path.is_file():
            return None
        try:
            arrays = read_arrays(path, {**_HEAD, **self._work.layouts})
            return _Part(number, self._check_begin(arrays) + self._work.measure(arrays), arrays)
        except Exception as error:  # noqa: BLE001 - whatever a damaged or crafted file leads to, the work goes on
            warn_event("checkpoint_ignored", file=path.name, reason=repr(str(error) or type(error).__name__))
            return None

    def _check_begin(self, arrays: Arrays) -> int:
        """How much was done before a part of this work; a ValueError for one of other work, or out of its order."""
        if str(arrays["fingerprint"]) != self._work.fingerprint:
            raise ValueError("it is of other data, hyperparameters or versions")
        begin = int(arrays["begin"])
        if begin != self._done and not (self._work.is_cumulative and begin in _MANY):
            raise ValueError(f"it goes on from {begin}, not from {self._done}")
        return begin

    def _place(self, number: int) -> Path:
        written = number % _KEPT if self._work.is_cumulative else number
        return self._folder.path / f"{self._work.name}-{written:06}.npz"


NO_CHECKPOINTS = CheckpointFolder(Path(), None, LastSave()).open(Work("", "", {}, len))


def parse_interval(environment: Mapping[str, str]) -> float | None:
    """How many seconds of work an interruption may cost; None for a job that saves no checkpoints."""
    text = environment.get(sagemaker.CHECKPOINT_SECONDS_VARIABLE, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_SECONDS)) and int(text) <= MOST_SECONDS):
        raise JobError(
            f"variable {sagemaker.CHECKPOINT_SECONDS_VARIABLE}: {text!r} is not a whole number from 0 to {MOST_SECONDS}"
        )
    return float(text)


def fingerprint_work(settings: Sequence[object], arrays: Sequence[NDArray[Any]]) -> str:
    """What two pieces of work have in common exactly if they have the same settings and data, in hexadecimal digits."""
    digest = hashlib.sha256(repr(list(settings)).encode())
    for array in arrays:
        digest.update(repr((array.dtype.str, array.shape)).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
