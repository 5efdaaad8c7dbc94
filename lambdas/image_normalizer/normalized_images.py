"""Normalized images made of originals, or found in the cache."""

import base64
import hashlib
import zlib
from contextlib import suppress
from typing import Final, NamedTuple

from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import Options

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


def make_normalized_image(original: Original, options: Options, cache: NormalizedImageCache | None) -> NormalizedImage:
    """The normalized image of an original; a cache that fails costs time, not the answer."""
    name = name_normalized_image(original, options)
    media_type = options.output_format.media_type
    if cache:
        with suppress(CacheError):
            body = cache.get(name)
            if body is not None:
                return NormalizedImage(name=name, body=body, media_type=media_type, is_cached=True)
    normalized = NormalizedImage(
        name=name, body=normalize(original.read(), options), media_type=media_type, is_cached=False
    )
    if cache:
        with suppress(CacheError):
            cache.put(name, normalized.body, media_type)
    return normalized
