"""Objects of S3 copied with two sessions, as no role may read one environment and write another."""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

from botocore.exceptions import ClientError

from headrace.pipeline.archives import stamp_archive
from headrace.promotion.errors import PromotionError
from headrace.s3.addresses import S3Address

# What a copy says of itself: which object it is a copy of. All who may write there can write that, too, so that it is
# believed of golden requests only, which anything that is put there replaces anyway.
_SOURCE: Final = "headrace-source"
_MISSING: Final = ("404", "NoSuchKey", "NotFound")
_CHUNK_BYTES: Final = 1 << 20
# What is larger is sent in parts of this size.
PART_BYTES: Final = 64 << 20
_CHECKSUM: Final = "SHA256"
_EXISTS: Final = ("PreconditionFailed", "412")


@dataclass(frozen=True)
class Copy:
    """An object, and where a copy of it is to be.

    Args:
        source: Where it is.
        target: Where the copy is to be.
        stamp: What `stamp_archive` says of the one object that may be copied; empty where any may be.
    """

    source: S3Address
    target: S3Address
    stamp: str = ""


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
        """Whether a copy is there already: the same bytes, whatever the object says of itself.

        Raises:
            PromotionError: If there is no original, or not that which may be copied.
        """
        found = _head(self._target, copy.target)
        if found is None or found["ContentLength"] != self.find_source(copy.source)["ContentLength"]:
            return False
        present = self._target.get_object(Bucket=copy.target.bucket, Key=copy.target.key)
        return _hash(self._open_source(copy)["Body"]) == _hash(present["Body"])

    def is_taken(self, copy: Copy) -> bool:
        """Whether something that is no copy stands where the copy is to be."""
        found = _head(self._target, copy.target)
        return found is not None and _SOURCE not in found["Metadata"]

    def find_source(self, address: S3Address) -> Any:
        """What S3 says of an original.

        Raises:
            PromotionError: If it is not there.
        """
        found = _head(self._source, address)
        if found is None:
            raise PromotionError(f"{address} is not there any more")
        return found

    def copy(self, copy: Copy, *, replaces: bool = False) -> None:
        """Copy an object; S3 compares what arrives with the checksum that goes with it.

        Args:
            copy: What, and where to.
            replaces: Whether what is there already may be replaced.

        Raises:
            PromotionError: If there is no original, it changes meanwhile, or something is there that may not be
                replaced.
        """
        name = self._name_source(copy)
        with tempfile.TemporaryFile() as file:
            for chunk in self._open_source(copy)["Body"].iter_chunks(_CHUNK_BYTES):
                file.write(chunk)
            if self._name_source(copy) != name:
                raise PromotionError(f"{copy.source} has changed while it was read; promote again")
            size = file.tell()
            file.seek(0)
            described = {"ChecksumAlgorithm": _CHECKSUM, "Metadata": {_SOURCE: name}}
            if replaces:
                self._target.upload_fileobj(file, copy.target.bucket, copy.target.key, ExtraArgs=described)
            else:
                _create(self._target, file, size, copy.target, described)

    def _open_source(self, copy: Copy) -> Any:
        found = self._source.get_object(Bucket=copy.source.bucket, Key=copy.source.key)
        # Compared with what is read, as asking for its version would take another permission.
        if copy.stamp and stamp_archive(found) != copy.stamp:
            raise PromotionError(f"{copy.source} has changed since the promotion began; promote again")
        return found

    def _name_source(self, copy: Copy) -> str:
        found = self.find_source(copy.source)
        etag = found["ETag"].strip('"')
        return f"{etag}-{found['ContentLength']}"


def _create(s3: Any, file: IO[bytes], size: int, address: S3Address, described: dict[str, Any]) -> None:
    """Write an object unless there is one; boto3's own uploads cannot ask for that."""
    place = {"Bucket": address.bucket, "Key": address.key}
    try:
        if size <= PART_BYTES:
            s3.put_object(**place, **described, Body=file, IfNoneMatch="*")
        else:
            _create_of_parts(s3, file, place, described)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _EXISTS:
            raise
        raise PromotionError(
            f"{address} is there already and is no copy of the version's: what a version is made of is never replaced. "
            "Find out who has written it, have it deleted, and promote again"
        ) from None


def _create_of_parts(s3: Any, file: IO[bytes], place: dict[str, str], described: dict[str, Any]) -> None:
    upload = {**place, "UploadId": s3.create_multipart_upload(**place, **described)["UploadId"]}
    try:
        parts: list[dict[str, Any]] = []
        while part := file.read(PART_BYTES):
            number = len(parts) + 1
            sent = s3.upload_part(**upload, PartNumber=number, Body=part, ChecksumAlgorithm=_CHECKSUM)
            kept = {name: sent[name] for name in ("ETag", f"Checksum{_CHECKSUM}") if name in sent}
            parts.append({"PartNumber": number, **kept})
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
    except BaseException:
        s3.abort_multipart_upload(**upload)
        raise


def _hash(body: Any) -> str:
    digest = hashlib.sha256()
    for chunk in body.iter_chunks(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _head(s3: Any, address: S3Address) -> Any:
    try:
        return s3.head_object(Bucket=address.bucket, Key=address.key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        return None
