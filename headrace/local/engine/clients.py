"""The server's own clients of the services that it serves."""

import threading
from typing import Any, Final

import boto3

# A session of boto3's makes one client at a time.
_opening: Final = threading.Lock()


def open_client(service: str, **options: Any) -> Any:
    """A client of the session that the server's clients share: it reads the description of each service once."""
    with _opening:
        return boto3.client(service, **options)
