"""What the page knows of its sections, and what they find around them."""

import threading
from collections.abc import Callable
from typing import Any, Protocol

from botocore.exceptions import ClientError

from headrace.local.page.answers import Answer
from headrace.local.page.rendering import View
from headrace.local.page.requests import Request

# What the control plane says of operations that it does not have.
_UNKNOWN = frozenset({"UnknownOperationException", "UnknownOperation", "InvalidAction"})


FindClient = Callable[[str], Any]


class Section(Protocol):
    """One part of the page."""

    @property
    def name(self) -> str:
        """What its paths begin with."""

    @property
    def title(self) -> str:
        """What the navigation calls it."""

    def answer(self, request: Request) -> View | Answer:
        """Answer a request; raises PageError for one that it cannot."""


class Clients:
    """The clients of the services that the page reads, each opened once; threads may share them.

    Args:
        open_client: Opens one.
    """

    def __init__(self, open_client: Callable[[str], Any]) -> None:
        self._open = open_client
        self._lock = threading.Lock()
        self._opened: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        """The client of a service."""
        with self._lock:
            if service not in self._opened:
                self._opened[service] = self._open(service)
            return self._opened[service]


def is_unserved(error: ClientError) -> bool:
    """Whether an operation was refused because the local cloud does not have it."""
    return error.response["Error"]["Code"] in _UNKNOWN
