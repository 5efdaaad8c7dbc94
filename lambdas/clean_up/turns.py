"""Gives up the turns on endpoints that an execution still has."""

import json
from collections.abc import Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace.contract import TURN_EXECUTION, TURNS_PREFIX

from .executions import Request

_DELETING: Final = "before-call.s3.DeleteObject"


def give_up_turns(client: Any, requests: Sequence[Request], execution_arn: str) -> list[str]:
    """Delete the objects that say that it is this execution's turn; their names.

    Args:
        client: That of S3.
        requests: What the execution's tasks have asked for.
        execution_arn: The execution.
    """
    places = {
        (str(request.arguments.get("Bucket")), str(request.arguments.get("Key")))
        for request in requests
        if request.operation == "putObject" and str(request.arguments.get("Key", "")).startswith(TURNS_PREFIX)
    }
    return [key for bucket, key in sorted(places) if _give_up(client, bucket, key, execution_arn)]


def _give_up(client: Any, bucket: str, key: str, execution_arn: str) -> bool:
    try:
        found = client.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        # S3 says 403 instead of 404 to a role that may not list.
        if error.response["Error"]["Code"] in ("NoSuchKey", "404", "AccessDenied", "403"):
            return False
        raise
    if _read_owner(found["Body"].read()) != execution_arn:
        return False
    try:
        _delete_as_it_was(client, bucket, key, found["ETag"])
    except ClientError as error:
        if error.response["Error"]["Code"] in ("PreconditionFailed", "412"):
            return False
        raise
    return True


def _read_owner(body: bytes) -> Any:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found.get(TURN_EXECUTION) if isinstance(found, dict) else None


def _delete_as_it_was(client: Any, bucket: str, key: str, etag: str) -> None:
    """Another execution may take over meanwhile. The runtime's boto3 may not know the parameter yet."""

    def add_header(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["If-Match"] = etag

    events = client.meta.events
    events.register(_DELETING, add_header)
    try:
        client.delete_object(Bucket=bucket, Key=key)
    finally:
        # The client outlives the execution: the next one's turn is another object.
        events.unregister(_DELETING, add_header)
