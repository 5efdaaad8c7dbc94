"""The roles that requests hand over to services: where the models of the APIs say that a request has one.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from headrace.local.engine.access.needs import Need
from headrace.local.engine.cloud import ACCOUNT

_MEMBER: Final = re.compile(r"role(arn)?$", re.IGNORECASE)
_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
_ELEMENT: Final = re.compile(r"<(\w+)>([^<]+)</\1>")
# Services that assume the roles that they are passed under another name than that of their endpoint.
_PRINCIPALS: Final[Mapping[str, str]] = {
    "airflow": "airflow-env.amazonaws.com",
    "iam": "ec2.amazonaws.com",
    "monitoring": "streams.metrics.cloudwatch.amazonaws.com",
    "rds": "monitoring.rds.amazonaws.com",
}
# Members that are roles of tasks, which the service does not assume for itself.
_OF_TASKS: Final = ("taskRoleArn", "executionRoleArn", "TaskRoleArn", "ExecutionRoleArn")
# SageMaker's own rules are in `needs`; who asks STS for a role assumes it.
_PASSING_NONE: Final = ("sagemaker", "sts")
# Members that hold the name of a role; all others hold its ARN.
_NAMES: Final[Mapping[tuple[str, str], str]] = {("iam", "AddRoleToInstanceProfile"): "RoleName"}
# Operations that IAM calls something else.
_OPERATIONS: Final[Mapping[tuple[str, str], str]] = {
    ("s3", "PutReplicationConfiguration"): "PutBucketReplication",
}


def list_passing_needs(service: str, operation: str, model: Mapping[str, Any], body: bytes) -> Iterator[Need]:
    """The permission to pass each role that a request hands over.

    Args:
        service: The service's endpoint name.
        operation: What IAM calls the operation.
        model: The service's API, as botocore has it.
        body: What the request sends.
    """
    members = find_role_members(service, operation, model)
    for member, value in _list_members(model, _find_input(service, operation, model), body) if members else ():
        if member in members and (_ARN.fullmatch(value) or (service, operation) in _NAMES):
            role = value if value.startswith("arn:") else f"arn:aws:iam::{ACCOUNT}:role/{value}"
            context = {"iam:PassedToService": _name_principal(service, member)}
            yield Need(action="iam:PassRole", resource=role, context=context)


def find_role_members(service: str, operation: str, model: Mapping[str, Any]) -> frozenset[str]:
    """The names of the members of an operation's request that are roles, however deep they stand."""
    if service in _PASSING_NONE:
        return frozenset()
    if named := _NAMES.get((service, operation)):
        return frozenset([named])
    shapes, first = model.get("shapes", {}), _find_input(service, operation, model)
    found, open_shapes, seen = set(), [first], {first}
    while open_shapes:
        for name, shape in _list_inner(shapes.get(open_shapes.pop(), {})).items():
            if shapes[shape]["type"] == "string" and _MEMBER.search(name):
                found.add(name)
            if shape not in seen:
                seen.add(shape)
                open_shapes.append(shape)
    return frozenset(found)


def _find_input(service: str, operation: str, model: Mapping[str, Any]) -> str:
    called = _OPERATIONS.get((service, operation), operation)
    return str(model.get("operations", {}).get(called, {}).get("input", {}).get("shape", ""))


def _list_inner(shape: Mapping[str, Any]) -> dict[str, str]:
    """The names and the shapes of what a shape consists of."""
    members = {member.get("locationName", name): member["shape"] for name, member in shape.get("members", {}).items()}
    held = shape.get("member") or shape.get("value")
    return {**members, "": held["shape"]} if held else members


def _list_members(model: Mapping[str, Any], shape: str, body: bytes) -> Iterator[tuple[str, str]]:
    """Every text of a request with the name of its member, in JSON, in a form or in XML."""
    text = body.decode("utf-8", "replace").lstrip()
    if text.startswith("{"):
        yield from _walk(model["shapes"], shape, "", _read(text))
    elif text.startswith("<"):
        yield from _ELEMENT.findall(text)
    else:
        yield from ((name.rpartition(".")[2], value) for name, value in parse_qsl(text))


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _walk(shapes: Mapping[str, Any], shape: str, name: str, value: Any) -> Iterator[tuple[str, str]]:
    """The texts of a document, as far as the API has names for them: the keys of maps are the caller's own."""
    inner = _list_inner(shapes.get(shape, {}))
    if isinstance(value, str):
        yield name, value
    for member, held in value.items() if isinstance(value, dict) else ():
        if held_by := inner.get(member, inner.get("")):
            yield from _walk(shapes, held_by, member if member in inner else "", held)
    for held in value if isinstance(value, list) else ():
        yield from _walk(shapes, inner.get("", ""), name, held)


def _name_principal(service: str, member: str) -> str:
    if service in {"ecs", "pipes"} and member in _OF_TASKS:
        return "ecs-tasks.amazonaws.com"
    return _PRINCIPALS.get(service, f"{service}.amazonaws.com")
