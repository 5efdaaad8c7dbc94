"""What HEAD says of an object of S3, and the reason where it says nothing."""

from typing import Any

from botocore.exceptions import ClientError


def describe_object(client: Any, bucket: str, key: str, **options: Any) -> dict[str, Any]:
    """What boto3's client is told of an object; its refusals have S3's reason.

    Raises:
        ClientError: If S3 refuses it.
    """
    try:
        described: dict[str, Any] = client.head_object(Bucket=bucket, Key=key, **options)
    except ClientError as error:
        raise hear_reason(client, error, bucket, key) from error
    return described


def hear_reason(client: Any, error: ClientError, bucket: str, key: str) -> ClientError:
    """The refusal with its reason: answers to HEAD have no body to give one, so the first byte is asked for."""
    if not error.response["Error"]["Code"].isdigit():
        return error
    try:
        client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")["Body"].close()
    except ClientError as told:
        return error if told.response["Error"]["Code"] == "InvalidRange" else told
    return error
