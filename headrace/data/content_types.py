"""The content type of an object, by its name; the same on every machine."""

from mimetypes import MimeTypes
from typing import Final

from headrace.data.errors import AddressError

_OWN: Final = {
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".jsonl": "application/jsonlines",
    ".jsonlines": "application/jsonlines",
    ".lst": "text/plain",
    ".manifest": "application/jsonlines",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".pb": "application/x-protobuf",
    ".rec": "application/x-recordio",
    ".webp": "image/webp",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
_PACKED: Final = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
    "br": "application/x-brotli",
}
# Python's own table only: what this machine's /etc/mime.types says must not reach a bucket.
_TYPES: Final = MimeTypes(())
for _suffix, _type in _OWN.items():
    _TYPES.add_type(_type, _suffix)


def check_content_type(text: str) -> str:
    """A content type that is given, as it is.

    Raises:
        AddressError: If no header can hold it.
    """
    if not (text.isascii() and text.isprintable() and text.strip()):
        raise AddressError(f"{text!r} is not a content type; write one such as image/jpeg")
    return text


def guess_content_type(name: str) -> str:
    """The content type of a file of this name; empty where the name says nothing, which S3 takes for plain bytes.

    Example:
        >>> guess_content_type("cats/1.JPG"), guess_content_type("model.tar.gz")
        ('image/jpeg', 'application/gzip')
    """
    # Not a URL: a colon or a comma in a name means nothing.
    kind, packing = _TYPES.guess_type(f"./{name.rpartition('/')[2]}")
    return _PACKED.get(packing, "") if packing else kind or ""
