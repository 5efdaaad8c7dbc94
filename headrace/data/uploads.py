"""From a folder to S3."""

from collections.abc import Mapping
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, Final

import obstore

from headrace.data.addresses import S3Address
from headrace.data.checksums import PART_SIZE, choose_part_size, hash_bytes, hash_file
from headrace.data.connection import Connection
from headrace.data.errors import explaining
from headrace.data.listing import Entry
from headrace.data.verification import check_answer, holds_object
from headrace.data.work import Outcome, Step

if TYPE_CHECKING:
    from obstore.store import S3Store

# Each sends several parts at once and keeps them in memory.
_LARGE_AT_ONCE: Final = 4
_PARTS_AT_ONCE: Final = 8


class Upload:
    """Copies files below a folder to objects below a prefix.

    Args:
        source: The folder.
        target: The prefix.
        existing: What is there already, by name.
        checksum: Whether only equal content makes a file unchanged.
    """

    def __init__(
        self, connection: Connection, source: Path, target: S3Address, existing: Mapping[str, Entry], *, checksum: bool
    ) -> None:
        self._client = connection.client_of(target.bucket)
        self._store = connection.store_of(target.bucket)
        self._source = source
        self._target = target
        self._existing = existing
        self._checksum = checksum
        self._large = BoundedSemaphore(_LARGE_AT_ONCE)

    def is_unchanged(self, entry: Entry) -> bool:
        """Whether the object holds the file already: the same size, and written later or the same content."""
        stored = self._existing.get(entry.name)
        if stored is None or stored.size != entry.size:
            return False
        if not self._checksum and entry.modified < stored.modified:
            return True
        return holds_object(self._client, self._source / entry.name, self._target.join(entry.name), stored.etag)

    def copy(self, entry: Entry) -> Step:
        """Store a file."""
        file, address = self._source / entry.name, self._target.join(entry.name)
        if not file.exists():
            return Step(entry.name, entry.size, Outcome.MISSING)
        if entry.size <= 2 * PART_SIZE:
            store_bytes(self._client, self._store, address, file.read_bytes())
        else:
            with self._large:
                self._store_in_parts(file, address)
        return Step(entry.name, entry.size, Outcome.COPIED)

    def _store_in_parts(self, file: Path, address: S3Address) -> None:
        size = file.stat().st_size
        part_size = choose_part_size(size)
        with explaining(address):
            stored = obstore.put(
                self._store,
                address.key,
                file,
                use_multipart=True,
                chunk_size=part_size,
                max_concurrency=_PARTS_AT_ONCE,
            )
        check_answer(self._client, address, sent=hash_file(file, part_size), stored=stored["e_tag"], size=size)


def store_bytes(client: Any, store: "S3Store", address: S3Address, content: bytes) -> None:
    """Store content as one object; S3 itself checks the signed content of the request."""
    with explaining(address):
        stored = obstore.put(store, address.key, content, use_multipart=False)
    check_answer(client, address, sent=hash_bytes(content), stored=stored["e_tag"], size=len(content))
