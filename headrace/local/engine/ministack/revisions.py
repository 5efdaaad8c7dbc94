"""Versions and aliases of state machines: an execution runs what the version was made of that starts it."""

import contextvars
import importlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_PublishStateMachineVersion.html
MOST_VERSIONS: Final = 1_000
# What an execution was started from, in MiniStack's record of it.
STARTED_FROM: Final = "startedFrom"

_PAGE: Final = 100
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachineAlias.html
_ALIAS_NAME: Final = re.compile(r"(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+")
_LONGEST_ALIAS: Final = 80
_VERSION: Final = "AWS::StepFunctions::StateMachineVersion"
_ALIAS: Final = "AWS::StepFunctions::StateMachineAlias"

Answer = tuple[int, dict[str, str], bytes]
Serve = Callable[[dict[str, Any]], Answer]


@dataclass(frozen=True, kw_only=True)
class Revision:
    """What an execution is started from.

    Attributes:
        definition: The definition, and
        role_arn: the role, as they were when the version was published, or now.
        revision_id: Which revision of the state machine that is.
        version_arn: The version, if the request names one or an alias.
        alias_arn: The alias, if the request names one.
    """

    definition: str
    role_arn: str
    revision_id: str
    version_arn: str = ""
    alias_arn: str = ""

    def describe(self) -> dict[str, str]:
        """What DescribeExecution and ListExecutions answer about it."""
        arns = {"stateMachineVersionArn": self.version_arn, "stateMachineAliasArn": self.alias_arn}
        return {name: arn for name, arn in arns.items() if arn}


_chosen: contextvars.ContextVar[Revision | None] = contextvars.ContextVar("chosen_revision", default=None)


def find_revision(states: Any, record: Mapping[str, Any]) -> Revision | None:
    """What an execution was started from; of a state machine that is gone, nothing.

    Args:
        states: MiniStack's Step Functions.
        record: What it keeps of the execution.
    """
    return record.get(STARTED_FROM) or _choose(states, record["stateMachineArn"])


def describe_revision(record: Mapping[str, Any]) -> dict[str, str]:
    """The version and the alias that an execution was started by."""
    started_from: Revision | None = record.get(STARTED_FROM)
    return started_from.describe() if started_from else {}


def install_revisions() -> None:
    """Teach MiniStack to start executions from versions and aliases, and CloudFormation to make these.

    After everything that replaces StartExecution's own functions.
    """
    states: Any = importlib.import_module("ministack.services.stepfunctions")
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")

    states._validate_alias_name = _check_alias_name(states)
    states._start_execution = _choose_first(states, states._start_execution)
    states._emit_execution_status_event = _note_choice(states._emit_execution_status_event)
    states._list_executions = _list_qualified(states, states._list_executions)
    states._describe_state_machine_for_execution = _describe_started(
        states, states._describe_state_machine_for_execution
    )
    states._publish_state_machine_version = _publish_once(states, states._publish_state_machine_version)
    states._delete_state_machine = _delete_with_revisions(states, states._delete_state_machine)
    versions, aliases = ("stateMachineVersions", _number), ("stateMachineAliases", _name)
    states._list_state_machine_versions = _list_in_pages(states, states._list_state_machine_versions, *versions)
    states._list_state_machine_aliases = _list_in_pages(states, states._list_state_machine_aliases, *aliases)

    handlers: dict[str, dict[str, Any]] = provisioners._RESOURCE_HANDLERS
    handlers[_VERSION] = {"create": _make_version(states), "update": _keep_version, "delete": _drop_version(states)}
    handlers[_ALIAS] = {
        "create": _make_alias(states),
        "update": _update_alias(states),
        "delete": lambda arn, _properties: states._delete_state_machine_alias({"stateMachineAliasArn": arn}),
    }
    provisioners._REPLACING_PROPERTIES[_VERSION] = ("Description", "StateMachineArn", "StateMachineRevisionId")
    provisioners._REPLACING_PROPERTIES[_ALIAS] = ("Name",)
    machine = handlers["AWS::StepFunctions::StateMachine"]
    handlers["AWS::StepFunctions::StateMachine"] = {**machine, "delete": _forget_after(states, machine["delete"])}


def _check_alias_name(states: Any) -> Callable[[Any], Answer | None]:
    """Digits alone would be a version."""

    def check(name: Any) -> Answer | None:
        if isinstance(name, str) and len(name) <= _LONGEST_ALIAS and _ALIAS_NAME.fullmatch(name):
            return None
        message = (
            f"Value '{name}' at 'name' failed to satisfy constraint: Member must have length less than or equal to "
            f"{_LONGEST_ALIAS} and satisfy regular expression pattern: {_ALIAS_NAME.pattern}"
        )
        refused: Answer = states.error_response_json("ValidationException", message, 400)
        return refused

    return check


def _choose(states: Any, arn: str) -> Revision | None:
    alias = states._state_machine_aliases.get(arn)
    version_arn = _draw_version(alias["routingConfiguration"]) if alias else arn
    version = states._state_machine_versions.get(version_arn)
    source = version or (None if alias else states._state_machines.get(arn))
    if not source:
        return None
    return Revision(
        definition=source["definition"],
        role_arn=source["roleArn"],
        revision_id=source.get("stateMachineRevisionId") or source.get("revisionId", ""),
        version_arn=version_arn if version else "",
        alias_arn=arn if alias else "",
    )


def _draw_version(routing: list[dict[str, Any]]) -> str:
    """One of an alias's versions, by their weights, which are percent."""
    drawn = secrets.randbelow(100)
    for entry in routing:
        drawn -= entry["weight"]
        if drawn < 0:
            return str(entry["stateMachineVersionArn"])
    return str(routing[-1]["stateMachineVersionArn"])


def _choose_first(states: Any, start: Serve) -> Serve:
    def run(request: dict[str, Any]) -> Answer:
        token = _chosen.set(_choose(states, request["stateMachineArn"].partition("#")[0]))
        try:
            return start(request)
        finally:
            _chosen.reset(token)

    return run


def _note_choice(publish: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """MiniStack calls this with the record that it has just made, before the execution's thread begins."""

    def run(record: dict[str, Any]) -> None:
        record.setdefault(STARTED_FROM, _chosen.get())
        publish(record)

    return run


def _list_qualified(states: Any, serve: Serve) -> Serve:
    """Executions of a version or an alias alone, where one is named."""

    def run(request: dict[str, Any]) -> Answer:
        arn = request.get("stateMachineArn", "")
        machine = states._resolve_state_machine_arn(arn)
        if not machine or machine == arn:
            return serve(request)
        most = int(request.get("maxResults") or 1_000)
        found: list[dict[str, Any]] = []
        page = {**request, "stateMachineArn": machine, "maxResults": 1_000}
        while page:
            status, headers, body = serve(page)
            if status >= 400:
                return status, headers, body
            listed = json.loads(body)
            found += [execution for execution in listed["executions"] if arn in _list_qualifiers(states, execution)]
            token = listed.get("nextToken")
            page = {**page, "nextToken": token} if token and len(found) <= most else {}
        answer = {"executions": found[:most]}
        if len(found) > most:
            answer["nextToken"] = states._encode_execution_token(found[most - 1])
        served: Answer = states.json_response(answer)
        return served

    return run


def _list_qualifiers(states: Any, execution: Mapping[str, Any]) -> list[str]:
    return list(describe_revision(states._executions[execution["executionArn"]]).values())


def _describe_started(states: Any, serve: Serve) -> Serve:
    """An execution goes on by the definition that it was started with, whatever the state machine's is by now."""

    def run(request: dict[str, Any]) -> Answer:
        status, headers, body = serve(request)
        started_from = status < 400 and states._executions[request["executionArn"]].get(STARTED_FROM)
        if not started_from:
            return status, headers, body
        started = {
            "definition": started_from.definition,
            "roleArn": started_from.role_arn,
            "revisionId": started_from.revision_id,
        }
        answer: Answer = states.json_response({**json.loads(body), **started})
        return answer

    return run


def _publish_once(states: Any, publish: Serve) -> Serve:
    """One version of a revision, and no more of a state machine than AWS keeps."""

    def run(request: dict[str, Any]) -> Answer:
        arn = request["stateMachineArn"]
        machine = states._state_machines.get(arn)
        if not machine or request.get("revisionId", machine["revisionId"]) != machine["revisionId"]:
            return publish(request)
        versions = [each for each in states._state_machine_versions.values() if each["stateMachineArn"] == arn]
        for version in versions:
            if version["stateMachineRevisionId"] == machine["revisionId"]:
                again: Answer = states.json_response(
                    {name: version[name] for name in ("stateMachineVersionArn", "creationDate")}
                )
                return again
        if len(versions) < MOST_VERSIONS:
            return publish(request)
        message = f"Exceeded the maximum number of versions ({MOST_VERSIONS}) for state machine {arn}"
        refused: Answer = states.error_response_json("ServiceQuotaExceededException", message, 400)
        return refused

    return run


def _delete_with_revisions(states: Any, delete: Serve) -> Serve:
    def run(request: dict[str, Any]) -> Answer:
        answer = delete(request)
        _forget_revisions(states, request["stateMachineArn"])
        return answer

    return run


def _forget_after(states: Any, delete: Callable[..., Any]) -> Callable[..., Any]:
    def run(arn: str, properties: dict[str, Any]) -> None:
        delete(arn, properties)
        _forget_revisions(states, arn)

    return run


def _forget_revisions(states: Any, machine_arn: str) -> None:
    for kept in (states._state_machine_versions, states._state_machine_aliases):
        for arn in [arn for arn in list(kept.keys()) if arn.rpartition(":")[0] == machine_arn]:
            kept.pop(arn, None)


def _list_in_pages(states: Any, serve: Serve, name: str, rank: Callable[[dict[str, Any]], Any]) -> Serve:
    """The latest first: those of one moment have no order by their time."""

    def run(request: dict[str, Any]) -> Answer:
        status, headers, body = serve({**request, "maxResults": None})
        if status >= 400:
            return status, headers, body
        listed = sorted(json.loads(body)[name], key=rank, reverse=True)
        start, most = int(request.get("nextToken") or 0), int(request.get("maxResults") or _PAGE)
        page: dict[str, Any] = {name: listed[start : start + most]}
        if len(listed) > start + most:
            page["nextToken"] = str(start + most)
        answer: Answer = states.json_response(page)
        return answer

    return run


def _number(version: dict[str, Any]) -> int:
    return int(version["stateMachineVersionArn"].rpartition(":")[2])


def _name(alias: dict[str, Any]) -> tuple[Any, str]:
    return alias["creationDate"], alias["stateMachineAliasArn"]


def _make_version(states: Any) -> Callable[..., Any]:
    def create(_logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
        request = {"stateMachineArn": properties["StateMachineArn"]}
        if revision := properties.get("StateMachineRevisionId"):
            request["revisionId"] = revision
        if description := properties.get("Description"):
            request["description"] = description
        arn = _read(states._publish_state_machine_version(request))["stateMachineVersionArn"]
        return arn, {"Arn": arn}

    return create


def _keep_version(arn: str, _old: dict[str, Any], _properties: dict[str, Any], *_stack: str) -> tuple[str, Any]:
    """Each property of a version needs another one, so nothing is left to be changed."""
    return arn, {"Arn": arn}


def _drop_version(states: Any) -> Callable[[str, dict[str, Any]], None]:
    def delete(arn: str, _properties: dict[str, Any]) -> None:
        _read(states._delete_state_machine_version({"stateMachineVersionArn": arn}))

    return delete


def _make_alias(states: Any) -> Callable[..., Any]:
    def create(logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
        request = {"name": properties.get("Name") or logical_id, **_describe_alias(properties)}
        arn = _read(states._create_state_machine_alias(request))["stateMachineAliasArn"]
        return arn, {"Arn": arn}

    return create


def _update_alias(states: Any) -> Callable[..., Any]:
    def update(arn: str, _old: dict[str, Any], properties: dict[str, Any], *_stack: str) -> tuple[str, dict[str, str]]:
        _read(states._update_state_machine_alias({"stateMachineAliasArn": arn, **_describe_alias(properties)}))
        return arn, {"Arn": arn}

    return update


def _describe_alias(properties: dict[str, Any]) -> dict[str, Any]:
    """What the API calls an alias's properties; a deployment preference of any type leads to its version at once."""
    if preference := properties.get("DeploymentPreference"):
        routing = [{"stateMachineVersionArn": preference["StateMachineVersionArn"], "weight": 100}]
    else:
        routing = [
            {"stateMachineVersionArn": entry["StateMachineVersionArn"], "weight": int(entry["Weight"])}
            for entry in properties["RoutingConfiguration"]
        ]
    described: dict[str, Any] = {"routingConfiguration": routing}
    if description := properties.get("Description"):
        described["description"] = description
    return described


def _read(answer: Answer) -> dict[str, Any]:
    """What the API answers; a refusal fails the resource with its words."""
    status, _, body = answer
    read: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise ValueError(read.get("message") or read.get("Message") or str(read))
    return read
