"""Reading normalized images, asking again for those that may come later."""

import math
import os
import random
import time
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from typing import Final

from headrace.images.addresses import ADDRESS_VARIABLE, Address, find_address
from headrace.images.backpressure import RequestSlots
from headrace.images.doors import Door, open_door
from headrace.images.errors import NormalizedImageThrottledError, NormalizedImageUnavailableError
from headrace.normalizer.contract import DEFAULT_CONNECTIONS

_ATTEMPTS: Final = 8
_LONGEST_WAIT_SECONDS: Final = 8.0
# For so long every request may be turned away before that counts as a failure.
_PATIENCE_SECONDS: Final = 300.0


class NormalizedImageReader:
    """Reads normalized images through one door; threads may share it.

    Args:
        address: Where photographs come from.
        options: Those of the transformation; for photographs width, height, fit, colour, output_format, quality.
        connections: How many threads read at the same time.
        sleep: Waits before a photograph is asked for again.
        clock: The time in seconds.
    """

    def __init__(
        self,
        address: Address,
        options: Mapping[str, str | int] | None = None,
        *,
        connections: int = DEFAULT_CONNECTIONS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        texts = {name: str(value) for name, value in (options or {}).items()}
        self._door: Door = open_door(address, texts, connections=connections)
        self.connections = connections
        self._slots = RequestSlots(connections)
        self._sleep = sleep
        self._clock = clock
        self._last_arrival = -math.inf

    def read(self, key: str) -> bytes:
        """The normalized image of a photograph.

        While requests are turned away, fewer run at once, and each is made again for as long as any arrives.

        Raises:
            NormalizedImageRefusedError: If there is none.
            NormalizedImageThrottledError: If all requests have been turned away for minutes.
            NormalizedImageUnavailableError: If it has not come after asking several times.
        """
        start = self._clock()
        attempts = failures = 0
        while True:
            try:
                return self._ask(key)
            except NormalizedImageThrottledError:
                if self._clock() - max(start, self._last_arrival) > _PATIENCE_SECONDS:
                    raise
            except NormalizedImageUnavailableError:
                failures += 1
                if failures == _ATTEMPTS:
                    raise
            # Requests that were refused together must not be retried together.
            self._sleep(random.uniform(0, min(_LONGEST_WAIT_SECONDS, 0.2 * 2 ** min(attempts, _ATTEMPTS))))  # noqa: S311
            attempts += 1

    def _ask(self, key: str) -> bytes:
        with self._slots.hold():
            body = self._door.read(key)
        self._last_arrival = self._clock()
        return body


def open_normalized(key: str, *, address: Address | None = None, **options: str | int) -> BytesIO:
    """The normalized image of a photograph of the raw bucket, as a file.

    Example:
        Image.open(open_normalized("images/photographs/0001.jpg", width=128, height=128))

    Args:
        key: The photograph's key.
        address: Where photographs come from; `find_address` finds it if it is not given.
        options: Those of the transformation; for photographs width, height, fit, colour, output_format, quality.

    Raises:
        DoorError: If there is no way to normalized images.
        NormalizedImageError: If the normalized image does not come.
    """
    chosen = address or _find_default_address(os.environ.get(ADDRESS_VARIABLE))
    return BytesIO(_open_reader(chosen, tuple(sorted(options.items()))).read(key))


@cache
def _find_default_address(_variable: str | None) -> Address:
    return find_address()


@cache
def _open_reader(address: Address, options: tuple[tuple[str, str | int], ...]) -> NormalizedImageReader:
    return NormalizedImageReader(address, dict(options))
