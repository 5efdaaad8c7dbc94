"""Whether an execution would serve a version, looked at beforehand as it does."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace.contract import VersionFact
from headrace.pipeline.archives import stamp_archive
from headrace.pipeline.specifications import find_alterations
from headrace.s3.addresses import S3Address

# S3 answers 403 for what is not there, unless the caller may list the bucket.
_MISSING: Final = ("403", "404", "AccessDenied", "NoSuchKey")


def find_obstacles(described: Mapping[str, Any], s3: Any) -> list[str]:
    """Why no execution would serve a version, in words; nothing if one would.

    Args:
        described: The version, as DescribeModelPackage answers it.
        s3: A client of S3, which must be allowed to read the version's archive.
    """
    specification, facts = described["InferenceSpecification"], described.get("CustomerMetadataProperties", {})
    archive = specification["Containers"][0].get("ModelDataUrl", "")
    return [*find_alterations(specification, facts), *_look_at_archive(archive, facts.get(VersionFact.ARCHIVE), s3)]


def _look_at_archive(archive: str, noted: str | None, s3: Any) -> Iterator[str]:
    if not archive:
        return
    address = S3Address.parse_uri(archive)
    try:
        found = stamp_archive(s3.head_object(Bucket=address.bucket, Key=address.key))
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        yield f"its archive {archive} was deleted, or you may not read it"
        return
    if noted not in (None, found):
        yield f"its archive {archive} has changed: S3 called it {noted}, and calls it {found} now"
