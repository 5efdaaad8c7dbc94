"""What MiniStack's CloudFormation is taught of deleting what is not empty, of names taken or drawn, and of imports."""

import importlib
import json
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from xml.etree import ElementTree

from headrace.local.engine.resources import EFS_FILE_SYSTEM

BUCKET: Final = "AWS::S3::Bucket"
LOG_GROUP: Final = "AWS::Logs::LogGroup"
REPOSITORY: Final = "AWS::ECR::Repository"


def install_retention() -> None:
    """Teach MiniStack to keep what AWS would keep: full buckets, and what has a name that a stack wants for itself.

    And to import the types that it knows but would only make: repositories and file systems.
    """
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    changes: Any = importlib.import_module("ministack.services.cloudformation.changesets")
    s3: Any = importlib.import_module("ministack.services.s3")
    logs: Any = importlib.import_module("ministack.services.cloudwatch_logs")
    ecr: Any = importlib.import_module("ministack.services.ecr")
    efs: Any = importlib.import_module("ministack.services.efs")
    handlers = provisioners._RESOURCE_HANDLERS

    handlers[BUCKET] = {**handlers[BUCKET], "delete": _refuse_full_bucket(s3)}
    for kind, name, taken in (
        (LOG_GROUP, "LogGroupName", logs._log_groups),
        (REPOSITORY, "RepositoryName", ecr._repositories),
    ):
        handlers[kind] = _draw_names(handlers[kind], name)
        handlers[kind] = {**handlers[kind], "create": _refuse_taken_name(handlers[kind]["create"], kind, name, taken)}
    for kind, name, known, describe in (
        (REPOSITORY, "RepositoryName", ecr._repositories, _describe_repository),
        (EFS_FILE_SYSTEM, "FileSystemId", efs._file_systems, provisioners._efs_file_system_attrs),
    ):
        handlers[kind] = {**handlers[kind], "import": _import_by(name, known, describe)}
        changes._IMPORT_LOOKUPS[kind] = ((name,), _find_problem(changes, kind, known))


def _refuse_full_bucket(s3: Any) -> Callable[[str, Mapping[str, Any]], None]:
    """S3's own rules of deleting a bucket, which the engine's CloudFormation goes round."""

    def delete(name: str, _properties: Mapping[str, Any]) -> None:
        if name not in s3._buckets:
            return
        status, _, answer = s3._delete_bucket(name)
        if status >= HTTPStatus.BAD_REQUEST:
            root = ElementTree.fromstring(answer)  # noqa: S314 (the engine's own)
            message = root.findtext("Message")
            raise ValueError(f"{message} (Service: S3, Status Code: {status})")

    return delete


def _refuse_taken_name(
    create: Callable[..., Any], kind: str, name_property: str, taken: Mapping[str, Any]
) -> Callable[..., Any]:
    def run(logical_id: str, properties: Mapping[str, Any], stack: str) -> Any:
        name = properties.get(name_property)
        if name and name in taken:
            identifier = json.dumps({f"/properties/{name_property}": name}, separators=(",", ":"))
            raise ValueError(f"Resource of type '{kind}' with identifier '{identifier}' already exists.")
        return create(logical_id, properties, stack)

    return run


def _draw_names(handlers: Mapping[str, Any], name_property: str) -> dict[str, Any]:
    """Draw another name for each that its template gives none; the engine's would be that of one that was kept."""

    def create(logical_id: str, properties: Mapping[str, Any], stack: str) -> Any:
        drawn = f"{stack}-{logical_id}-{secrets.token_hex(6)}".lower()
        return handlers["create"](logical_id, {name_property: drawn, **properties}, stack)

    def update(name: str, old: Mapping[str, Any], new: Mapping[str, Any], *rest: Any) -> Any:
        if name_property in old or name_property in new:
            return handlers["update"](name, old, new, *rest)
        return handlers["update"](name, {**old, name_property: name}, {**new, name_property: name}, *rest)

    return {**handlers, "create": create, "update": update}


def _import_by(
    name: str, known: Mapping[str, Any], describe: Callable[[Any], Any]
) -> Callable[[Mapping[str, str]], tuple[str, Any]]:
    return lambda identifier: (identifier[name], describe(known[identifier[name]]))


def _find_problem(changes: Any, kind: str, known: Mapping[str, Any]) -> Callable[[str], str | None]:
    def find(value: str) -> str | None:
        if value in known:
            return None
        return str(changes._IMPORT_NOT_FOUND.format(type=kind, value=value))

    return find


def _describe_repository(record: Mapping[str, Any]) -> dict[str, Any]:
    return {"Arn": record["repositoryArn"], "RepositoryUri": record["repositoryUri"]}
