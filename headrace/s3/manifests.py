"""Traditional manifests: one JSON array of a prefix and the keys below it.

    [{"prefix": "s3://raw/images/"}, "cat/1.jpg", "dog/2.jpg"]

The format is that of https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html.
"""

from typing import Any

from headrace.errors import HeadraceError
from headrace.s3.addresses import SCHEME, names_object


class TraditionalManifestError(HeadraceError, ValueError):
    """An array that is not a traditional manifest."""


def parse_traditional(entries: Any) -> tuple[str, list[str]]:
    """The prefix of a traditional manifest and the keys below it.

    Example:
        >>> parse_traditional([{"prefix": "s3://raw/images/"}, "cat/1.jpg"])
        ('s3://raw/images/', ['cat/1.jpg'])

    Raises:
        TraditionalManifestError: If something else is in it.
    """
    first = entries[0] if isinstance(entries, list) and entries else None
    prefix = first.get("prefix") if isinstance(first, dict) else None
    if not isinstance(prefix, str) or not prefix.startswith(SCHEME):
        raise TraditionalManifestError('expected an array that starts with {"prefix": "s3://bucket/prefix/"}')
    for number, key in enumerate(entries[1:], start=1):
        if not isinstance(key, str) or not names_object(prefix + key):
            raise TraditionalManifestError(f"key {number}: {key!r} with its prefix is not the S3 address of an object")
    if len(entries) == 1:
        raise TraditionalManifestError("no key follows the prefix")
    return prefix, entries[1:]
