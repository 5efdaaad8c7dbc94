"""What was used of a cloud, as AWS would bill it: counted when it happens, or while it stands, on the cloud's clock."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from headrace.inventory.prices import HOURS_PER_MONTH
from headrace.local.clock import CLOCK, Clock

# Where a cloud's owner asks for it.
PATH: Final = "/_ministack/headrace/usage"
SECONDS_PER_HOUR: Final = 3600
SECONDS_PER_MONTH: Final = HOURS_PER_MONTH * SECONDS_PER_HOUR
BYTES_PER_GB: Final = 2**30

# A price of `headrace.inventory.prices`, and the thing that was used.
Key = tuple[str, str]


@dataclass(frozen=True)
class Use:
    """So much of what a price is for.

    Args:
        price: The price's name in `headrace.inventory.prices`.
        thing: What was used: `endpoint sales`.
        quantity: How much, in the price's unit.
    """

    price: str
    thing: str
    quantity: float


class Standing:
    """What is billed while it stands, from samples: between two of them it stands as it did at the first.

    Args:
        read: How much of each price is used a second.
        clock: The cloud's clock.
        seconds: How old a sample may be before another one is taken.
    """

    def __init__(self, read: Callable[[], Mapping[Key, float]], clock: Clock = CLOCK, seconds: float = 0) -> None:
        self._read = read
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._used: dict[Key, float] = defaultdict(float)
        self._sampled, self._rates = clock.time(), dict(read())

    def sample(self, *, is_last: bool = False) -> None:
        """Count what was used since the last sample; the last one before a move is always taken."""
        with self._lock:
            now = self._clock.time()
            if not is_last and now - self._sampled < self._seconds:
                return
            for key, rate in self._rates.items():
                self._used[key] += rate * (now - self._sampled)
            self._sampled, self._rates = now, dict(self._read())

    def list_uses(self) -> list[Use]:
        """What was used until now."""
        self.sample(is_last=True)
        with self._lock:
            return [Use(*key, quantity) for key, quantity in self._used.items() if quantity]


class Usage:
    """What was used since a cloud has begun.

    Args:
        clock: The cloud's clock.
    """

    def __init__(self, clock: Clock = CLOCK) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[Key, float] = defaultdict(float)
        self._readers: list[Callable[[], Iterable[Use]]] = []
        self._standing: list[Standing] = []
        self.since = clock.now()

    def add(self, price: str, thing: str, quantity: float = 1) -> None:
        """Count something that was used."""
        with self._lock:
            self._used[price, thing] += quantity

    def read_also(self, read: Callable[[], Iterable[Use]]) -> None:
        """Ask for what else was used when it is listed."""
        self._readers.append(read)

    def watch(self, standing: Standing) -> None:
        """Bill what stands, too."""
        self._standing.append(standing)

    def sample(self, seconds: float = 0) -> None:
        """Look at what stands, because the clock is moved by so much next."""
        for standing in self._standing:
            standing.sample(is_last=seconds >= SECONDS_PER_HOUR)

    def list_uses(self) -> list[Use]:
        """All that was used, by thing and price."""
        return sorted(self._list(), key=lambda use: (use.thing, use.price))

    def describe(self) -> dict[str, Any]:
        """All of it as JSON, with the time that it was used in."""
        return {
            "since": self.since.isoformat(),
            "until": self._clock.now().isoformat(),
            "uses": [asdict(use) for use in self.list_uses()],
        }

    def _list(self) -> Iterator[Use]:
        with self._lock:
            yield from [Use(*key, quantity) for key, quantity in self._used.items()]
        for read in self._readers:
            yield from read()
        for standing in self._standing:
            yield from standing.list_uses()


def read_seconds(begin: datetime | None, end: datetime | None, clock: Clock = CLOCK) -> float:
    """How long something took that has begun and ended then; until now if it has not ended."""
    return ((end or clock.now()) - begin).total_seconds() if begin else 0.0
