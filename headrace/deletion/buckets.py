"""Emptying buckets, with every version of every object."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from headrace.errors import HeadraceError


class NotEmptiedError(HeadraceError):
    """Something in a bucket cannot be deleted."""


@dataclass(frozen=True)
class Extent:
    """How many versions of objects a bucket holds: as many as one answer of S3 has, or at least that."""

    versions: int
    is_more: bool

    def __str__(self) -> str:
        return (
            f"{'at least ' if self.is_more else ''}{self.versions:,} object version{'s' if self.versions != 1 else ''}"
        )


def measure(bucket: str) -> Extent:
    """How much a bucket holds, without reading through all of it."""
    s3: Any = boto3.client("s3")
    page = s3.list_object_versions(Bucket=bucket)
    return Extent(len(_list_versions(page)), page["IsTruncated"])


def empty(bucket: str) -> None:
    """Delete everything in a bucket, and its policy: S3 delivers access logs for hours, as long as a policy lets it.

    Raises:
        NotEmptiedError: Naming the first object that stays, and why.
    """
    s3: Any = boto3.client("s3")
    try:
        s3.delete_bucket_policy(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return
        raise
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        if versions := _list_versions(page):
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True})
            for refused in answer.get("Errors", []):
                raise NotEmptiedError(f"s3://{bucket}/{refused['Key']} cannot be deleted: {refused['Message']}")


def _list_versions(page: dict[str, Any]) -> list[dict[str, str]]:
    """The versions and delete markers of an answer, as a request to delete them names them."""
    return [
        {"Key": version["Key"], "VersionId": version["VersionId"]}
        for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    ]
