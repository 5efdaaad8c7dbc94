"""What HEAD says of an object of S3, and the reason where it says nothing."""

from typing import Any

from botocore.exceptions import ClientError

from headrace.s3.answers import Refusal


def describe_object(client: Any, bucket: str, key: str, **options: Any) -> dict[str, Any]:
    """What boto3's client learns of an object; its refusals have S3's reason.

    Raises:
        ClientError: If S3 refuses it.
    """
    try:
        described: dict[str, Any] = client.head_object(Bucket=bucket, Key=key, **options)
    except ClientError as error:
        raise _hear_reason(client, error, bucket, key) from error
    return described


def find_object(client: Any, bucket: str, key: str) -> dict[str, Any] | None:
    """The same, or None if there is no such object: the one answer to HEAD that needs no reason.

    Raises:
        ClientError: If S3 refuses it.
    """
    try:
        found: dict[str, Any] = client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if Refusal.of(error.response).is_missing:
            return None
        raise _hear_reason(client, error, bucket, key) from error
    return found


def _hear_reason(client: Any, error: ClientError, bucket: str, key: str) -> ClientError:
    """The refusal with its reason: answers to HEAD have no body to give one, so the first byte is asked for."""
    if not error.response["Error"]["Code"].isdigit():
        return error
    try:
        client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")["Body"].close()
    except ClientError as told:
        return error if told.response["Error"]["Code"] == "InvalidRange" else told
    return error
