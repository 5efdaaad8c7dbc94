"""The content of objects, read and written: by obstore, which is fast, or by boto3 where obstore refuses the key."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import obstore
from boto3.s3.transfer import TransferConfig

from headrace.data.checksums import hash_bytes, hash_file
from headrace.data.clients import Connection
from headrace.data.content_types import check_content_type, guess_content_type
from headrace.data.errors import explaining
from headrace.data.verification import check_answer
from headrace.s3.addresses import S3Address

if TYPE_CHECKING:
    from obstore import GetOptions

Span = tuple[int, int]

# Small enough to stay in a core's cache between arriving and being written.
_CHUNK: Final = 256 * 1024
_PARTS_AT_ONCE: Final = 8
_NO_SEGMENTS: Final = {"", ".", ".."}


class Objects:
    """The objects of one bucket.

    Args:
        content_type: The one of all that is stored; by default each object's name says it.
    """

    def __init__(self, connection: Connection, bucket: str, *, content_type: str | None = None) -> None:
        self.client = connection.client_of(bucket)
        self._store = connection.store_of(bucket)
        self._content_type = None if content_type is None else check_content_type(content_type)

    def read(self, address: S3Address, *, etag: str = "", span: Span | None = None) -> tuple[memoryview, str]:
        """The content of an object, or of a part of it, and its ETag.

        Args:
            address: Which one.
            etag: The only version that will do.
            span: The first byte and the one after the last.
        """
        with explaining(address):
            if _takes(address.key):
                answer = obstore.get(self._store, address.key, options=_as_options(etag, span))
                return memoryview(answer.bytes()), answer.meta["e_tag"] or ""
            found = self._get(address, etag, span)
            with closing(found["Body"]) as body:
                return memoryview(body.read()), found["ETag"]

    def stream(self, address: S3Address, *, etag: str, span: Span) -> Iterator[Any]:
        """The content of a part of an object, chunk by chunk."""
        with explaining(address):
            if _takes(address.key):
                answer = obstore.get(self._store, address.key, options=_as_options(etag, span))
                yield from answer.stream(min_chunk_size=_CHUNK)
            else:
                with closing(self._get(address, etag, span)["Body"]) as body:
                    yield from body.iter_chunks(_CHUNK)

    def store(self, address: S3Address, content: bytes) -> None:
        """Store content as one object; S3 itself checks the signed content of the request."""
        kind = self.find_content_type(address)
        with explaining(address):
            if _takes(address.key):
                stored = obstore.put(
                    self._store, address.key, content, use_multipart=False, attributes=_as_attributes(kind)
                )["e_tag"]
            else:
                given = _as_arguments(kind)
                stored = self.client.put_object(Bucket=address.bucket, Key=address.key, Body=content, **given)["ETag"]
        check_answer(self.client, address, sent=hash_bytes(content), stored=stored, size=len(content))

    def store_file(self, address: S3Address, file: Path, part_size: int) -> None:
        """Store a file in parts."""
        kind = self.find_content_type(address)
        if not _takes(address.key):
            self._upload(address, file, part_size, kind)
            return
        size = file.stat().st_size
        with explaining(address):
            stored = obstore.put(
                self._store,
                address.key,
                file,
                use_multipart=True,
                chunk_size=part_size,
                max_concurrency=_PARTS_AT_ONCE,
                attributes=_as_attributes(kind),
            )
        check_answer(self.client, address, sent=hash_file(file, part_size), stored=stored["e_tag"], size=size)

    def find_content_type(self, address: S3Address) -> str:
        """The content type an object is stored with; empty where S3 is to take its own."""
        return guess_content_type(address.name) if self._content_type is None else self._content_type

    def _get(self, address: S3Address, etag: str, span: Span | None) -> Any:
        wanted = {"IfMatch": etag, "Range": f"bytes={span[0]}-{span[1] - 1}" if span else ""}
        given = {name: value for name, value in wanted.items() if value}
        return self.client.get_object(Bucket=address.bucket, Key=address.key, **given)

    def _upload(self, address: S3Address, file: Path, part_size: int, kind: str) -> None:
        config = TransferConfig(multipart_chunksize=part_size, max_concurrency=_PARTS_AT_ONCE)
        with explaining(address):
            self.client.upload_file(
                str(file), address.bucket, address.key, ExtraArgs=_as_arguments(kind), Config=config
            )


def _takes(key: str) -> bool:
    """Whether obstore takes a key; it would drop slashes at either end in silence."""
    return key.isprintable() and _NO_SEGMENTS.isdisjoint(key.split("/"))


def _as_options(etag: str, span: Span | None) -> "GetOptions":
    options: GetOptions = {}
    if etag:
        options["if_match"] = etag
    if span:
        options["range"] = span
    return options


def _as_attributes(kind: str) -> dict[Any, str] | None:
    return {"Content-Type": kind} if kind else None


def _as_arguments(kind: str) -> dict[str, str]:
    return {"ContentType": kind} if kind else {}
