"""Where data is: an object or a prefix in S3, or a path of this machine."""

import os
from pathlib import Path

from headrace.data.errors import AddressError
from headrace.s3.addresses import SCHEME, S3Address, S3AddressError

Address = S3Address | Path
AddressLike = str | os.PathLike[str] | S3Address


def parse_address(text: AddressLike) -> Address:
    """The place that `s3://bucket/key` or a path names.

    Raises:
        AddressError: If it is neither.

    Example:
        >>> parse_address("s3://raw/images/train/")
        S3Address(bucket='raw', key='images/train/')
    """
    if isinstance(text, S3Address):
        return text
    written = os.fspath(text)
    if not written.startswith(SCHEME):
        if "://" in written or not written:
            raise AddressError(f"{written!r} is not an address of data; write s3://bucket/key or a path")
        return Path(written)
    try:
        return S3Address.parse(written)
    except S3AddressError as error:
        raise AddressError(str(error)) from None
