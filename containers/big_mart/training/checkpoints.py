"""The checkpoints of a training job: what is done of its work, in parts, each whole in its file.

A file is NumPy's archive of arrays without pickled objects, so that loading it cannot run code. Besides the arrays of
the part it holds `fingerprint`, of everything that the work depends on, and `begin`, how much was done before.
"""

import hashlib
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.shared import sagemaker
from containers.shared.job.events import log_event, warn_event
from containers.shared.job.training_failures import JobError
from headrace.files import whole_file

from .last_save import LastSave

Arrays = Mapping[str, NDArray[Any]]

MOST_SECONDS = 86_400
_UNREADABLE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile)


@dataclass
class Checkpoints:
    """The checkpoints of one job.

    Args:
        folder: Where they are.
        fingerprint: Of everything that the work depends on: parts of other work are not used.
        interval_seconds: How much time an interruption may cost.
        last_save: What asks for a part at once.
        read_clock: The time, in seconds.
    """

    folder: Path
    fingerprint: str
    interval_seconds: float
    last_save: LastSave
    read_clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._saved_at = self.read_clock()
        self._count = 0
        self._done = 0

    @property
    def is_due(self) -> bool:
        """Whether it is time to save."""
        return self.last_save.is_asked or self.read_clock() - self._saved_at >= self.interval_seconds

    def load(self, measure: Callable[[Arrays], int]) -> Iterator[Arrays]:
        """The parts that were saved, up to the first that cannot be used, which the log names.

        Args:
            measure: How much of the work a part has done; what it raises for arrays that are none of its own makes
                the part unusable.
        """
        while (path := self._place(self._count)).is_file():
            try:
                part = self._read(path)
                size = measure(part)
            except _UNREADABLE as error:
                warn_event("checkpoint_ignored", file=path.name, reason=repr(str(error) or type(error).__name__))
                return
            self._count += 1
            self._done += size
            log_event("checkpoint_resumed", file=path.name, done=self._done)
            yield part

    def save(self, arrays: Arrays, size: int) -> None:
        """Save the next part, whole or not at all.

        Args:
            arrays: What it consists of.
            size: How much of the work it has done.
        """
        path = self._place(self._count)
        own = {"fingerprint": np.array(self.fingerprint), "begin": np.array(self._done)}
        with whole_file(path) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **own, **arrays)
        self._count += 1
        self._done += size
        self._saved_at = self.read_clock()
        log_event("checkpoint_saved", file=path.name, done=self._done)
        if self.last_save.is_asked:
            self.last_save.note_saved()

    def _place(self, number: int) -> Path:
        return self.folder / f"part-{number:06}.npz"

    def _read(self, path: Path) -> Arrays:
        # Opened here, as NumPy leaves the file of an archive open that is cut off.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            part = {name: archive[name] for name in archive.files}
        if str(part["fingerprint"]) != self.fingerprint:
            raise ValueError("it is of other data, hyperparameters or versions")
        if int(part["begin"]) != self._done:
            raise ValueError(f"it goes on from {int(part['begin'])}, not from {self._done}")
        return part


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
