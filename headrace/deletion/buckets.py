"""Emptying buckets, with every version of every object."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.absence import forgiving_absence
from headrace.deletion.clients import make_client
from headrace.errors import HeadraceError
from headrace.wording import counted


class NotEmptiedError(HeadraceError):
    """Something in a bucket cannot be deleted."""


@dataclass(frozen=True)
class Extent:
    """How many versions of objects a bucket holds: as many as one answer of S3 has, or at least that."""

    versions: int
    is_more: bool

    def __str__(self) -> str:
        return f"{'at least ' if self.is_more else ''}{counted(self.versions, 'object version')}"


def measure(bucket: str) -> Extent:
    """How much a bucket holds, without reading through all of it."""
    page = make_client("s3").list_object_versions(Bucket=bucket)
    return Extent(len(_list_versions(page)), page["IsTruncated"])


def empty(bucket: str) -> None:
    """Delete everything in a bucket, and its policy: S3 delivers access logs for hours, as long as a policy lets it.

    Raises:
        NotEmptiedError: Naming the first object that stays, and why; everything else is deleted by then.
    """
    s3 = make_client("s3")
    with forgiving_absence():
        s3.delete_bucket_policy(Bucket=bucket)
        refused = list(_delete_versions(s3, bucket))
        if refused:
            others = f" (and {len(refused) - 1:,} others)" if len(refused) > 1 else ""
            raise NotEmptiedError(
                f"s3://{bucket}/{refused[0]['Key']} cannot be deleted{others}: "
                f"{refused[0].get('Message') or refused[0]['Code']}"
            )


def delete(bucket: str) -> None:
    """Delete a bucket with everything in it.

    Raises:
        NotEmptiedError: If something in it cannot be deleted.
    """
    empty(bucket)
    make_client("s3").delete_bucket(Bucket=bucket)


def _delete_versions(s3: Any, bucket: str) -> Iterator[Mapping[str, str]]:
    """Delete every version; those that S3 refuses to delete."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        if versions := _list_versions(page):
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True})
            yield from answer.get("Errors", [])


def _list_versions(page: dict[str, Any]) -> list[dict[str, str]]:
    """The versions and delete markers of an answer, as a request to delete them names them."""
    return [
        {"Key": version["Key"], "VersionId": version["VersionId"]}
        for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    ]
