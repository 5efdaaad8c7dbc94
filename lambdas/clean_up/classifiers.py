"""Removes what an execution has made in Comprehend and not finished: an endpoint costs each second that it is there.

The state machine gives both names that no other execution has, so that nothing is met that another has made.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from .executions import Request
from .sagemaker import Aftermath

SERVICE: Final = "comprehend"
_PAUSE_SECONDS: Final = 10
_GONE: Final = "ResourceNotFoundException"
# What an endpoint that is being made answers, and a classifier whose training is being stopped.
_NOT_YET: Final = ("ResourceInUseException", "ResourceUnavailableException", "TooManyRequestsException")
_TRAINING: Final = ("SUBMITTED", "TRAINING")
_STOPPING: Final = "STOP_REQUESTED"


def is_comprehends(request: Request) -> bool:
    """Whether a task has asked Comprehend."""
    return request.service.endswith(SERVICE)


def clean_classifiers(
    client: Any, *, requests: Sequence[Request], found: Aftermath, give_up: Callable[[], bool], is_over: bool
) -> None:
    """Delete the endpoints that an execution has made, and the classifiers that it has not noted as good enough.

    Args:
        client: Comprehend's.
        requests: What its tasks have asked for.
        found: Where it is noted what was done.
        give_up: Says whether there is no more time to wait.
        is_over: Whether the execution has succeeded: its classifier is kept then.
    """
    for arn in _list_endpoints(requests):
        _attempt(f"endpoint {arn}", found, give_up, partial(_delete_endpoint, client, arn))
    for arn in [] if is_over else _list_classifiers(requests):
        _attempt(f"classifier {arn}", found, give_up, partial(_delete_classifier, client, arn, give_up))


def _list_endpoints(requests: Sequence[Request]) -> Iterator[str]:
    """By what they were to be deleted or looked at with, or the answer to their creation."""
    asked = [request for request in requests if is_comprehends(request)]
    if any(request.operation == "createEndpoint" for request in asked):
        known = [each for request in asked for each in (request.arguments, request.result)]
        yield from dict.fromkeys(each["EndpointArn"] for each in known if isinstance(each.get("EndpointArn"), str))


def _list_classifiers(requests: Sequence[Request]) -> Iterator[str]:
    noted = [request.arguments.get("Body") for request in requests if request.operation == "putObject"]
    kept = {each.get("Arn") for each in noted if isinstance(each, Mapping)}
    for request in requests:
        if is_comprehends(request) and request.operation == "createDocumentClassifier":
            arn = request.result.get("DocumentClassifierArn")
            if isinstance(arn, str) and arn not in kept:
                yield arn


def _delete_endpoint(client: Any, arn: str) -> bool:
    if client.describe_endpoint(EndpointArn=arn)["EndpointProperties"]["Status"] == "DELETING":
        return False
    client.delete_endpoint(EndpointArn=arn)
    return True


def _delete_classifier(client: Any, arn: str, give_up: Callable[[], bool]) -> bool:
    status = _see(client, arn)
    if status in _TRAINING:
        client.stop_training_document_classifier(DocumentClassifierArn=arn)
        status = _see(client, arn)
    while status == _STOPPING and not give_up():
        time.sleep(_PAUSE_SECONDS)
        status = _see(client, arn)
    client.delete_document_classifier(DocumentClassifierArn=arn)
    return True


def _see(client: Any, arn: str) -> str:
    found = client.describe_document_classifier(DocumentClassifierArn=arn)
    return str(found["DocumentClassifierProperties"]["Status"])


def _attempt(what: str, found: Aftermath, give_up: Callable[[], bool], remove: Callable[[], bool]) -> None:
    """Remove something, as soon as it can be; what is there no more needs no more."""
    while True:
        try:
            found.removed += [what] if remove() else []
        except (ClientError, BotoCoreError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
            if code == _GONE:
                return
            if code in _NOT_YET and not give_up():
                time.sleep(_PAUSE_SECONDS)
                continue
            found.left.append(f"{what}: {error}")
        return
