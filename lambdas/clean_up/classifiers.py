"""Removes what an execution has made in Comprehend and not finished: an endpoint costs each second that it is there.

The state machine gives both names that no other execution has, so that nothing is met that another has made.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from .executions import Request
from .sagemaker import Aftermath

SERVICE: Final = "comprehend"
_PAUSE_SECONDS: Final = 10
# What was asked for and not answered may come to be a little later.
_LOOKS: Final = 7
_GONE: Final = "ResourceNotFoundException"
# What an endpoint that is being made answers, and a classifier whose training is being stopped.
_NOT_YET: Final = ("ResourceInUseException", "ResourceUnavailableException", "TooManyRequestsException")
_TRAINING: Final = ("SUBMITTED", "TRAINING")
_STOPPING: Final = "STOP_REQUESTED"


def is_comprehends(request: Request) -> bool:
    """Whether a task has asked Comprehend."""
    return request.service.endswith(SERVICE)


def clean_classifiers(
    client: Any,
    *,
    execution: str,
    requests: Sequence[Request],
    found: Aftermath,
    give_up: Callable[[], bool],
    is_over: bool,
) -> None:
    """Delete the endpoints that an execution has made, and the classifiers that it has not noted as good enough.

    Args:
        client: Comprehend's.
        execution: The execution's ARN.
        requests: What its tasks have asked for.
        found: Where it is noted what was done.
        give_up: Says whether there is no more time to wait.
        is_over: Whether the execution has succeeded: its classifier is kept then.
    """
    for arn, looks in _list_made("createEndpoint", requests, execution).items():
        _attempt(f"endpoint {arn}", found, give_up, partial(_delete_endpoint, client, arn), looks)
    made = {} if is_over else _list_made("createDocumentClassifier", requests, execution)
    kept = _list_noted(requests)
    for arn, looks in made.items():
        if arn not in kept:
            _attempt(f"classifier {arn}", found, give_up, partial(_delete_classifier, client, arn, give_up), looks)


def _list_made(operation: str, requests: Sequence[Request], execution: str) -> dict[str, int]:
    """The ARNs of what was asked for, and how often each is looked for."""
    looks = dict[str, int]()
    for request in requests:
        if is_comprehends(request) and request.operation == operation:
            arn = _name_made(request, execution)
            looks[arn] = max(looks.get(arn, 1), 1 if request.is_answered else _LOOKS)
    return looks


def _name_made(request: Request, execution: str) -> str:
    """By the answer; an execution that is stopped before the answer has it made all the same."""
    _, partition, _, region, account, *_ = execution.split(":")
    asked = request.arguments
    if request.operation == "createEndpoint":
        known, named = "EndpointArn", f"document-classifier-endpoint/{asked.get('EndpointName')}"
    else:
        known = "DocumentClassifierArn"
        named = f"document-classifier/{asked.get('DocumentClassifierName')}/version/{asked.get('VersionName')}"
    return str(request.result.get(known) or f"arn:{partition}:comprehend:{region}:{account}:{named}")


def _list_noted(requests: Sequence[Request]) -> set[Any]:
    noted = [request.arguments.get("Body") for request in requests if request.operation == "putObject"]
    return {each.get("Arn") for each in noted if isinstance(each, Mapping)}


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


def _attempt(what: str, found: Aftermath, give_up: Callable[[], bool], remove: Callable[[], bool], looks: int) -> None:
    """Remove something, as soon as it can be; what is not there after so many looks needs no more."""
    while True:
        try:
            found.removed += [what] if remove() else []
        except (ClientError, BotoCoreError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
            looks -= code == _GONE
            is_late = give_up()
            if code == _GONE and (is_late or not looks):
                return
            if code in (_GONE, *_NOT_YET) and not is_late:
                time.sleep(_PAUSE_SECONDS)
                continue
            found.is_early = found.is_early or code in _NOT_YET
            found.left.append(f"{what}: {error}")
        return
