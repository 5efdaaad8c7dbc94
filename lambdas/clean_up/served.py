"""Reads what an endpoint that was stopped is to be started with."""

import json
from typing import Any

from headrace.contract import ServedNote


def read_noted_config(client: Any, bucket: str, key: str) -> str | None:
    """The configuration that an object notes, if there is such an object.

    It is listed first: what is not there cannot be told from what may not be read without a right to list everything.

    Args:
        client: That of S3.
        bucket: Where the object is.
        key: Its key.
    """
    listed = client.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", ())
    if all(each["Key"] != key for each in listed):
        return None
    return str(json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())[ServedNote.CONFIG])
