"""Objects of S3 copied with two sessions, as no role may read one environment and write another."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace.promotion.errors import PromotionError
from headrace.s3.addresses import S3Address

# What a copy says of itself: which object it is a copy of. Who writes something else there writes it without this.
_SOURCE: Final = "headrace-source"
_MISSING: Final = ("404", "NoSuchKey", "NotFound")
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Copy:
    """An object, and where a copy of it is to be.

    Args:
        source: Where it is.
        target: Where the copy is to be.
    """

    source: S3Address
    target: S3Address


class Copier:
    """Copies objects from one account and Region to another.

    Args:
        source: S3's client where they are.
        target: S3's client where the copies are to be.
    """

    def __init__(self, source: Any, target: Any) -> None:
        self._source = source
        self._target = target

    def list_folder(self, source: S3Address, target: S3Address) -> Iterator[Copy]:
        """Copies of all objects of a folder."""
        pages = self._source.get_paginator("list_objects_v2").paginate(Bucket=source.bucket, Prefix=source.key)
        for found in (found for page in pages for found in page.get("Contents", [])):
            key = found["Key"]
            yield Copy(
                S3Address(source.bucket, key), S3Address(target.bucket, target.key + key.removeprefix(source.key))
            )

    def is_there(self, copy: Copy) -> bool:
        """Whether a copy is there already.

        Raises:
            PromotionError: If there is no original.
        """
        found = _head(self._target, copy.target)
        return found is not None and found["Metadata"].get(_SOURCE) == self._name_source(copy)

    def is_taken(self, copy: Copy) -> bool:
        """Whether something that is no copy stands where the copy is to be."""
        found = _head(self._target, copy.target)
        return found is not None and _SOURCE not in found["Metadata"]

    def copy(self, copy: Copy) -> None:
        """Copy an object; S3 compares what arrives with the checksum that goes with it.

        Raises:
            PromotionError: If there is no original, or it changes meanwhile.
        """
        name = self._name_source(copy)
        with tempfile.TemporaryFile() as file:
            body = self._source.get_object(Bucket=copy.source.bucket, Key=copy.source.key)["Body"]
            for chunk in body.iter_chunks(_CHUNK_BYTES):
                file.write(chunk)
            if self._name_source(copy) != name:
                raise PromotionError(f"{copy.source} has changed while it was read; promote again")
            file.seek(0)
            self._target.upload_fileobj(
                file,
                copy.target.bucket,
                copy.target.key,
                ExtraArgs={"ChecksumAlgorithm": "SHA256", "Metadata": {_SOURCE: name}},
            )

    def _name_source(self, copy: Copy) -> str:
        found = _head(self._source, copy.source)
        if found is None:
            raise PromotionError(f"{copy.source} is not there any more")
        etag = found["ETag"].strip('"')
        return f"{etag}-{found['ContentLength']}"


def _head(s3: Any, address: S3Address) -> Any:
    try:
        return s3.head_object(Bucket=address.bucket, Key=address.key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        return None
