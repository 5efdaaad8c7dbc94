"""From one prefix of S3 to another, without the bytes coming by here."""

from collections.abc import Mapping
from typing import Final

from headrace.data.checksums import count_parts, is_same
from headrace.data.clients import Connection
from headrace.data.entries import Entry
from headrace.data.errors import explaining
from headrace.data.workers import Done, FileOutcome
from headrace.s3.addresses import S3Address

# S3 copies no more in one request.
_LARGEST_AT_ONCE: Final = 5 * 1024**3


class BucketCopy:
    """Copies objects below a prefix to objects below another, with their metadata.

    Args:
        source: The one prefix.
        target: The other.
        existing: What is there already, by name.
        checksum: Whether only equal ETags make an object unchanged.
    """

    def __init__(
        self,
        connection: Connection,
        source: S3Address,
        target: S3Address,
        existing: Mapping[str, Entry],
        *,
        checksum: bool,
    ) -> None:
        self._client = connection.client_of(target.bucket)
        self._source_client = connection.client_of(source.bucket)
        self._source = source
        self._target = target
        self._existing = existing
        self._checksum = checksum

    def is_unchanged(self, entry: Entry) -> bool:
        """Whether the target has the object already: the same size and ETag, or written later if stored in parts.

        A copy is cut into other parts than its source, which gives the same content another ETag.
        """
        stored = self._existing.get(entry.name)
        if stored is None or stored.size != entry.size:
            return False
        if is_same(stored.etag, entry.etag):
            return True
        in_parts = bool(count_parts(stored.etag) or count_parts(entry.etag))
        return in_parts and not self._checksum and entry.modified <= stored.modified

    def copy(self, entry: Entry) -> Done:
        """Have S3 copy an object, unless it is no longer the one that was listed."""
        source, target = self._source.join(entry.name), self._target.join(entry.name)
        request = {
            "CopySource": {"Bucket": source.bucket, "Key": source.key},
            "Bucket": target.bucket,
            "Key": target.key,
        }
        with explaining(source):
            if entry.size > _LARGEST_AT_ONCE:
                self._client.copy(**request, SourceClient=self._source_client)
            else:
                self._client.copy_object(**request, CopySourceIfMatch=entry.etag)
        return Done(entry.name, entry.size, FileOutcome.COPIED)
