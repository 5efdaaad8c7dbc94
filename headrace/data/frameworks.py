"""What other libraries need to find S3 where this one finds it."""

from typing import TYPE_CHECKING

from headrace.data.addresses import AddressLike, parse_address
from headrace.data.clients import connect
from headrace.data.errors import DataError
from headrace.extras import explain_missing
from headrace.s3.addresses import S3Address

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


def storage_options(address: AddressLike = "s3://any") -> dict[str, str]:
    """The `storage_options` with which pandas, polars and fsspec read and write an address.

    They find credentials themselves, as boto3 does; this adds the profile and the endpoint of boto3's default session.
    Empty for a path of this machine, where pandas takes no options.

    Example:
        >>> storage_options("sales.csv")
        {}
    """
    if not isinstance(parse_address(address), S3Address):
        return {}
    connection = connect()
    found = {"endpoint_url": connection.endpoint_url, "profile": connection.profile}
    return {name: value for name, value in found.items() if value}


def file_system(address: AddressLike = "s3://any") -> "AbstractFileSystem":
    """The fsspec file system of an address, for libraries that want one: s3fs, or this machine's.

    Raises:
        DataError: If s3fs is not installed.
    """
    try:
        import fsspec

        protocol = "s3" if isinstance(parse_address(address), S3Address) else "file"
        return fsspec.filesystem(protocol, **storage_options(address))
    except ImportError as error:
        raise DataError(f"file_system(): {explain_missing('s3fs', 'data')}") from error
