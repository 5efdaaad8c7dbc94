"""Normalized images made of originals, or found in the cache."""

import base64
import hashlib
import zlib
from contextlib import suppress
from typing import Any, Final, NamedTuple

from headrace.transformations.transformation import Transform, Transformation

from .cache import CacheError, NormalizedImageCache, name_normalized_image
from .originals import Original

# Revalidated after some minutes: a photograph that changes has another ETag.
CACHE_CONTROL: Final = "private, max-age=300"


class NormalizedImage(NamedTuple):
    """What an original becomes.

    Args:
        name: Its key in the cache.
        body: Its bytes.
        media_type: What a `Content-Type` header calls its format.
        is_cached: Whether the cache had it.
    """

    name: str
    body: bytes
    media_type: str
    is_cached: bool

    @property
    def etag(self) -> str:
        """A checksum of the bytes in the form of an `ETag` header."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'

    @property
    def headers(self) -> dict[str, str]:
        """What every door says of it."""
        return {
            "Accept-Ranges": "bytes",
            "Cache-Control": CACHE_CONTROL,
            "Content-Type": self.media_type,
            "ETag": self.etag,
        }

    @property
    def crc32(self) -> str:
        """The checksum that AWS's clients verify by themselves."""
        return base64.b64encode(zlib.crc32(self.body).to_bytes(4)).decode()


class Maker(NamedTuple):
    """Makes normalized images.

    Args:
        transformation: What it does with originals.
        transform: The transformation's code.
        cache: Where normalized images are looked for and kept.
    """

    transformation: Transformation
    transform: Transform
    cache: NormalizedImageCache | None

    def make(self, original: Original, options: Any) -> NormalizedImage:
        """The normalized image of an original; a cache that fails costs time, not the answer."""
        name = name_normalized_image(self.transformation, original, options)
        media_type = self.transformation.media_type(options)
        if self.cache:
            with suppress(CacheError):
                body = self.cache.get(name)
                if body is not None:
                    return NormalizedImage(name=name, body=body, media_type=media_type, is_cached=True)
        body = self.transform(original.read(self.transformation.most_bytes), options)
        if self.cache:
            with suppress(CacheError):
                self.cache.put(name, body, media_type)
        return NormalizedImage(name=name, body=body, media_type=media_type, is_cached=False)
