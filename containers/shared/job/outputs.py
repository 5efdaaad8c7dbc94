"""Output files that appear together and whole, or not at all."""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from headrace.files import Partial


class Outputs:
    """Collects files under temporary names; leaving the block without an error gives them their own."""

    def __init__(self) -> None:
        self._partials: list[Partial] = []
        # The signal handler discards while the work may be publishing.
        self._renaming = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error_type is None:
            self._publish()
        else:
            self.discard()

    def add(self, path: Path) -> Path:
        """The temporary path to write to for a file that is to appear at `path`."""
        partial = Partial(path)
        self._partials.append(partial)
        partial.create()
        return partial.path

    def discard(self) -> None:
        """Remove what is not yet published."""
        with self._renaming:
            for partial in self._partials:
                partial.discard()

    def _publish(self) -> None:
        with self._renaming:
            for partial in self._partials:
                partial.publish()
            self._partials.clear()
