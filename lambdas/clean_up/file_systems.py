"""Deletes the file systems that an execution has made and not deleted, found by the tags that they were made with."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from headrace.contract import EXECUTION_TAG

from .executions import Request
from .sagemaker import Aftermath

_CREATE: Final = "createFileSystem"
_PAUSE_SECONDS: Final = 10
_GONE: Final = "FileSystemNotFound"
# What FSx answers about one that is being made, or read into.
_NOT_YET: Final = "BadRequest"


def has_made_file_systems(requests: Sequence[Request]) -> bool:
    """Whether the tasks of an execution have asked for file systems."""
    return any(request.operation == _CREATE for request in requests)


def delete_file_systems(
    client: Any,
    *,
    execution: str,
    requests: Sequence[Request],
    found: Aftermath,
    give_up: Callable[[], bool],
    find_redrive: Callable[[], datetime | None],
) -> None:
    """Delete them; what a task was not answered about is found, too.

    Args:
        client: FSx's.
        execution: The tag of everything that the execution has made.
        requests: What its tasks have asked for.
        found: Where it is noted what was done.
        give_up: Says whether there is no more time to wait.
        find_redrive: Says when the execution was redriven since the end that is cleaned up after, if it was: what it
            has made since has the same tags, and is in use.
    """
    tags = [_read_tags(request, execution) for request in requests if request.operation == _CREATE]
    try:
        made = list(_list_made(client, tags))
        # After the listing, which then has nothing of a redrive that is not known of.
        redriven = find_redrive()
    except (ClientError, BotoCoreError) as error:
        found.left.append(f"file systems, as it is not known which there are: {error}")
        return
    for name in (name for name, since in made if not redriven or since < redriven):
        try:
            _delete(client, name, give_up)
            found.removed.append(f"FileSystem {name}")
        except (ClientError, BotoCoreError) as error:
            found.left.append(f"FileSystem {name}: {error}")


def _read_tags(request: Request, execution: str) -> dict[str, str]:
    """Executions of two state machines may have one name, and differ in other tags."""
    return {**{tag["Key"]: tag["Value"] for tag in request.arguments.get("Tags", ())}, EXECUTION_TAG: execution}


def _list_made(client: Any, tags: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, datetime]]:
    for page in client.get_paginator("describe_file_systems").paginate():
        for system in page["FileSystems"]:
            own = {tag["Key"]: tag["Value"] for tag in system.get("Tags", ())}
            if system["Lifecycle"] != "DELETING" and any(each.items() <= own.items() for each in tags):
                yield system["FileSystemId"], system["CreationTime"]


def _delete(client: Any, name: str, give_up: Callable[[], bool]) -> None:
    while True:
        try:
            client.delete_file_system(FileSystemId=name)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == _GONE:
                return
            if code != _NOT_YET or give_up():
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
