"""Saving what is done once more before a job is ended."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# SageMaker kills a program 120 seconds after SIGTERM.
MOST_SECONDS = 100.0


class LastSave:
    """What the thread that is told to stop asks of the one that works."""

    def __init__(self) -> None:
        self._is_offered = threading.Event()
        self._is_asked = threading.Event()
        self._is_over = threading.Event()

    @property
    def is_asked(self) -> bool:
        """Whether the work should save at its next opportunity, and go no further."""
        return self._is_asked.is_set()

    @contextmanager
    def offering(self) -> Iterator[None]:
        """The part of the work that can be saved."""
        self._is_over.clear()
        self._is_offered.set()
        try:
            yield
        finally:
            self._is_offered.clear()
            self._is_over.set()

    def note_saved(self) -> None:
        """Let the process end."""
        self._is_over.set()

    def await_saved(self, seconds: float = MOST_SECONDS) -> None:
        """Ask for a save where one is offered, and return when it is done or has taken too long."""
        if self._is_offered.is_set():
            self._is_asked.set()
            self._is_over.wait(seconds)
