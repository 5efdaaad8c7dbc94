"""Normalized images that have been made before, in the work bucket."""

import hashlib
from typing import Any, Final

from headrace.transformations.transformation import Transformation

from .contract import REDIRECT_SECONDS, cache_prefix
from .failures import RefusalError
from .originals import Original
from .s3 import METADATA_PREFIX, S3

# Without the permission to list the bucket, which this function has no use for, a missing object is a refused one.
_MISSING: Final = frozenset({"AccessDenied", "NoSuchKey"})

# What is written beside a normalized image: without it, or with another one, somebody else has put the object there.
_CHECKSUM: Final = "sha256"


class CacheError(Exception):
    """The cache cannot be read or written at the moment."""


def name_normalized_image(transformation: Transformation, original: Original, options: Any) -> str:
    """The key of a normalized image: the same version of a photograph and the same options have the same one."""
    text = f"{transformation.generation}\n{original.name}\n{options!r}"
    name = hashlib.sha256(text.encode()).hexdigest()
    return f"{cache_prefix(transformation.name)}{name}.{transformation.suffix(options)}"


class NormalizedImageCache:
    """Normalized images by their names."""

    def __init__(self, s3: S3, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def get(self, name: str) -> bytes | None:
        """A normalized image, if it is there and whole, and of this function.

        Raises:
            CacheError: If S3 cannot tell.
        """
        try:
            with self._s3.get_object(self._bucket, name) as answer:
                body = answer.read()
                return body if answer.headers.get(f"{METADATA_PREFIX}{_CHECKSUM}") == _checksum(body) else None
        except RefusalError as error:
            if error.code in _MISSING:
                return None
            raise CacheError(str(error)) from error

    def put(self, name: str, body: bytes, media_type: str) -> None:
        """Keep a normalized image.

        Raises:
            CacheError: If S3 does not take it.
        """
        try:
            self._s3.put_object(self._bucket, name, body, media_type, {_CHECKSUM: _checksum(body)})
        except RefusalError as error:
            raise CacheError(str(error)) from error

    def sign_url(self, name: str) -> str:
        """An address under which anybody can read a normalized image for some minutes."""
        return self._s3.presign_get(self._bucket, name, REDIRECT_SECONDS)


def _checksum(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
