"""Threads that work through more items than fit into memory."""

from collections.abc import Callable, Iterable
from queue import Queue
from threading import Thread
from typing import Final, Generic, TypeVar

# As many as S3 lists at a time: while one page is worked on, the next is listed.
_WAITING: Final = 1000

Item = TypeVar("Item")


class Crew(Generic[Item]):
    """Does some work for every item, several at a time; the first error ends it, and what waits is dropped.

    Args:
        work: What to do for an item.
        size: How many threads there are.
    """

    def __init__(self, work: Callable[[Item], None], size: int) -> None:
        self._work = work
        self._waiting: Queue[Item | None] = Queue(maxsize=_WAITING)
        self._errors: list[Exception] = []
        self._threads = [Thread(target=self._take_items, daemon=True) for _ in range(size)]

    def work_through(self, items: Iterable[Item]) -> None:
        """Work until all is done.

        Raises:
            Exception: The first error of any item, or of what gives the items.
        """
        for thread in self._threads:
            thread.start()
        try:
            self._hand_out(items)
        finally:
            for _ in self._threads:
                self._waiting.put(None)
            for thread in self._threads:
                thread.join()
        if self._errors:
            raise self._errors[0]

    def _hand_out(self, items: Iterable[Item]) -> None:
        for item in items:
            if self._errors:
                return
            self._waiting.put(item)

    def _take_items(self) -> None:
        while (item := self._waiting.get()) is not None:
            if not self._errors:
                self._attempt(item)

    def _attempt(self, item: Item) -> None:
        try:
            self._work(item)
        except Exception as error:  # noqa: BLE001 - the thread that hands out raises it again
            self._errors.append(error)
