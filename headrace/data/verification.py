"""Whether a file holds what an object holds, as far as S3 says."""

from pathlib import Path
from typing import Any, Final

from headrace.data.checksums import count_parts, fit_part_sizes, hash_file, is_same
from headrace.data.errors import DamagedObjectError, explaining
from headrace.s3.addresses import S3Address
from headrace.s3.heads import describe_object

# With these, an ETag of one piece is the MD5 of the content.
_TELLING_ENCRYPTIONS: Final = (None, "AES256")


def holds_object(client: Any, file: Path, address: S3Address, etag: str) -> bool:
    """Whether a file is proven to have the content of an object of its size."""
    parts = count_parts(etag)
    if parts is None:
        return False
    if not parts:
        return is_same(hash_file(file), etag)
    sizes = _find_part_sizes(_describe(client, address, PartNumber=1), file.stat().st_size, parts)
    return any(is_same(hash_file(file, size), etag) for size in sizes)


def check_content(client: Any, file: Path, address: S3Address, etag: str) -> None:
    """Make sure a file has the content of an object of its size.

    Raises:
        DamagedObjectError: If it has other content. Where S3 keeps no checksum, the size must do.
    """
    if not holds_object(client, file, address, etag) and _is_telling(client, address, etag, file.stat().st_size):
        raise damaged(address)


def check_answer(client: Any, address: S3Address, *, sent: str, stored: str | None, size: int) -> None:
    """Make sure that what S3 says it stored is what was sent, by their ETags.

    Raises:
        DamagedObjectError: If it is something else.
    """
    if stored and not is_same(stored, sent) and _is_telling(client, address, stored, size):
        raise damaged(address)


def damaged(address: S3Address) -> DamagedObjectError:
    """The error that says that a checksum differs."""
    return DamagedObjectError(f"{address} was damaged in transit: its checksum differs; copy it again")


def _is_telling(client: Any, address: S3Address, etag: str, size: int) -> bool:
    parts = count_parts(etag)
    if parts is None:
        return False
    described = _describe(client, address, **({"PartNumber": 1} if parts else {}))
    if described.get("ServerSideEncryption") not in _TELLING_ENCRYPTIONS or "SSECustomerAlgorithm" in described:
        return False
    return not parts or _is_first_of(described["ContentLength"], size, parts)


def _find_part_sizes(described: dict[str, Any], size: int, parts: int) -> list[int]:
    """The size S3 gives for the first part, or what clients usually take where it gives none."""
    first: int = described["ContentLength"]
    return [first] if _is_first_of(first, size, parts) else fit_part_sizes(size, parts)


def _is_first_of(part: int, size: int, parts: int) -> bool:
    return part > 0 and -(-size // part) == parts


def _describe(client: Any, address: S3Address, **options: int) -> dict[str, Any]:
    with explaining(address):
        return describe_object(client, address.bucket, address.key, **options)
