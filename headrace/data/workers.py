"""Many small pieces of work, done by a few threads."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from queue import SimpleQueue
from threading import Condition, Thread


class FileOutcome(StrEnum):
    """What became of a file."""

    COPIED = "copied"
    UNCHANGED = "unchanged"
    MISSING = "missing"
    SKIPPED = "skipped"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Done:
    """What a piece of work did.

    Args:
        name: The file it worked on.
        size: The bytes it has dealt with.
        outcome: What became of the file, once that is known.
        error: Why it was skipped.
        more: The pieces the rest of the work falls into.
    """

    name: str
    size: int = 0
    outcome: FileOutcome | None = None
    error: Exception | None = None
    more: Sequence["Task"] = field(default=(), repr=False)


Task = Callable[[], Done]


def work_off(tasks: Iterable[Task], workers: int, on_done: Callable[[Done], None]) -> None:
    """Do tasks in threads and report what each has done in the caller's thread.

    The first error, or whatever `on_done` or Ctrl-C raises, ends it: what has begun is finished, the rest left undone.
    """
    pool = _Pool(tasks)
    threads = [Thread(target=pool.work, name=f"data-{number}") for number in range(workers)]
    for thread in threads:
        thread.start()
    try:
        running = len(threads)
        while running:
            result = pool.results.get()
            if isinstance(result, BaseException):
                raise result
            if result is None:
                running -= 1
            else:
                on_done(result)
    finally:
        pool.stop()
        for thread in threads:
            thread.join()


class _Pool:
    def __init__(self, tasks: Iterable[Task]) -> None:
        self.results: SimpleQueue[Done | BaseException | None] = SimpleQueue()
        self._tasks = iter(tasks)
        self._split: deque[Task] = deque()
        self._busy = 0
        self._stopped = False
        self._changed = Condition()

    def work(self) -> None:
        """Do one task after the other until none is left and none can come."""
        try:
            while task := self._take():
                done = task()
                self._put(done.more)
                self.results.put(done)
        except BaseException as error:  # noqa: BLE001 (it is raised in the caller's thread)
            self.results.put(error)
        else:
            self.results.put(None)

    def stop(self) -> None:
        """Begin nothing more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _take(self) -> Task | None:
        with self._changed:
            while not self._stopped:
                task = self._split.popleft() if self._split else next(self._tasks, None)
                if task:
                    self._busy += 1
                    return task
                if not self._busy:
                    break
                self._changed.wait()
            self._changed.notify_all()
            return None

    def _put(self, more: Sequence[Task]) -> None:
        with self._changed:
            self._busy -= 1
            self._split.extend(more)
            if more or not self._busy:
                self._changed.notify_all()
