"""What comes as a stream of unknown length, stored as one object or file: whole or not at all."""

import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, Final

from headrace.data.addresses import Address, AddressLike, parse_address
from headrace.data.checksums import MIB, PART_SIZE
from headrace.data.clients import connect
from headrace.data.errors import AddressError, explaining
from headrace.data.objects import Objects
from headrace.files import whole_file
from headrace.s3.addresses import S3Address

_PARTS_AT_ONCE: Final = 4
# S3 takes 10,000 parts: twice the size after each thousand leaves no length that a stream could have out of reach.
_PARTS_OF_ONE_SIZE: Final = 1_000


def write_stream(address: AddressLike, stream: BinaryIO, *, content_type: str | None = None) -> int:
    """Store all that a stream gives as an object or a file, over what is there; its bytes.

    Raises:
        AddressError: If the address is one of a folder.
    """
    where = parse_address(address)
    if _is_folder(where, address):
        raise AddressError(f"{address} is a folder, and a stream has no name; write the whole address")
    if isinstance(where, Path):
        return _write_file(where, stream)
    objects = Objects(connect(), where.bucket, content_type=content_type)
    first = stream.read(PART_SIZE)
    if len(first) < PART_SIZE:
        objects.store(where, first)
        return len(first)
    return _Upload(objects, where).store(first, stream)


def _is_folder(where: Address, written: AddressLike) -> bool:
    return where.is_folder if isinstance(where, S3Address) else where.is_dir() or str(written).endswith("/")


def _write_file(path: Path, stream: BinaryIO) -> int:
    with whole_file(path) as partial:
        with partial.open("wb") as file:
            shutil.copyfileobj(stream, file, MIB)
        return partial.stat().st_size


class _Upload:
    """An upload in parts. This thread reads, so that Ctrl-C ends it also where nothing comes any more."""

    def __init__(self, objects: Objects, address: S3Address) -> None:
        self._client = objects.client
        self._address = address
        self._place = {"Bucket": address.bucket, "Key": address.key}
        kind = objects.find_content_type(address)
        self._options = {"ContentType": kind} if kind else {}

    def store(self, first: bytes, stream: BinaryIO) -> int:
        """Store a stream and what has been read of it; nothing stays if it breaks off."""
        with explaining(self._address):
            upload = self._client.create_multipart_upload(**self._place, **self._options)["UploadId"]
            try:
                size, parts = self._send(upload, _cut(first, stream))
                self._client.complete_multipart_upload(**self._place, UploadId=upload, MultipartUpload={"Parts": parts})
            except BaseException:
                self._client.abort_multipart_upload(**self._place, UploadId=upload)
                raise
        return size

    def _send(self, upload: str, contents: Iterator[bytes]) -> tuple[int, list[dict[str, Any]]]:
        size, sent = 0, list[Future[dict[str, Any]]]()
        with ThreadPoolExecutor(_PARTS_AT_ONCE) as pool:
            for number, content in enumerate(contents, 1):
                if number > _PARTS_AT_ONCE:
                    sent[-_PARTS_AT_ONCE].result()
                sent.append(pool.submit(self._send_part, upload, number, content))
                size += len(content)
            return size, [part.result() for part in sent]

    def _send_part(self, upload: str, number: int, content: bytes) -> dict[str, Any]:
        stored = self._client.upload_part(**self._place, UploadId=upload, PartNumber=number, Body=content)
        return {"PartNumber": number, "ETag": stored["ETag"]}


def _cut(first: bytes, stream: BinaryIO) -> Iterator[bytes]:
    yield first
    for number in count(1):
        content = stream.read(PART_SIZE << number // _PARTS_OF_ONE_SIZE)
        if not content:
            return
        yield content
