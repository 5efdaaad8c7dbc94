"""What MiniStack's CloudFormation is taught: types, attributes, watchers, and which changes are changes."""

import importlib
import importlib.metadata
from collections.abc import Callable, Mapping
from typing import Any, Final

from headrace.local.engine.resources import MISSING_ATTRIBUTES, MISSING_TYPES, Attributes, ResourceType, ResourceWatcher

Provision = Callable[..., tuple[str, Attributes]]

_STATE_MACHINE: Final = "AWS::StepFunctions::StateMachine"
# A stack in one of these has the references of its template.
_STANDING: Final = frozenset(
    {"CREATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"}
)


def install_resources(watchers: Mapping[str, ResourceWatcher]) -> None:
    """Teach MiniStack's CloudFormation the types and attributes it lacks.

    Args:
        watchers: What is called with the resources of a type.
    """
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    stacks: Any = importlib.import_module("ministack.services.cloudformation.stacks")
    handlers = provisioners._RESOURCE_HANDLERS

    for missing in MISSING_TYPES:
        handlers[missing.name] = _build_handlers(missing)
        provisioners._REPLACING_PROPERTIES[missing.name] = missing.replacing
    for name, describe in MISSING_ATTRIBUTES.items():
        handlers[name] = _describe_further(handlers[name], describe)
    handlers[_STATE_MACHINE] = _spell_logging(handlers[_STATE_MACHINE])
    for name, watcher in watchers.items():
        handlers[name] = _watch(handlers[name], watcher)
        if watcher.imported_by:
            _teach_import(handlers, name, watcher)
    # Everything else is provisioned on the loop that answers S3 and would wait for itself.
    stacks._runs_on_worker_thread = _run_on_thread_too(watchers, stacks._runs_on_worker_thread)


def _teach_import(handlers: dict[str, Any], kind: str, watcher: ResourceWatcher) -> None:
    """Let stacks take over a resource of this type that exists."""
    changes: Any = importlib.import_module("ministack.services.cloudformation.changesets")
    key = watcher.imported_by

    def find_problem(value: str) -> str | None:
        return None if watcher.exists(value) else str(changes._IMPORT_NOT_FOUND.format(type=kind, value=value))

    handlers[kind] = {**handlers[kind], "import": lambda identifier: (identifier[key], {key: identifier[key]})}
    changes._IMPORT_LOOKUPS[kind] = ((key,), find_problem)


def install_export_locks() -> None:
    """Teach MiniStack that an update neither removes nor changes an export that another stack imports."""
    stacks: Any = importlib.import_module("ministack.services.cloudformation.stacks")
    stacks._resolve_stack_outputs = _lock_exports(stacks._resolve_stack_outputs)


def _lock_exports(resolve: Callable[..., tuple[list[Any], dict[str, Any]]]) -> Callable[..., Any]:
    formation: Any = importlib.import_module("ministack.services.cloudformation")
    handlers: Any = importlib.import_module("ministack.services.cloudformation.handlers")

    def run(*arguments: Any) -> tuple[list[Any], dict[str, Any]]:
        outputs, exports = resolve(*arguments)
        name = arguments[-2]
        for old in formation._stacks.get(name, {}).get("Outputs", []):
            export = old.get("ExportName")
            new = exports.get(export, {}).get("Value")
            if export is None or new == old["OutputValue"]:
                continue
            if users := [user for user in _list_others(name) if export in handlers._imported_export_names(*user)]:
                verb = "deleted" if new is None else "updated"
                places = ", ".join(user for _, user in users)
                raise ValueError(f"Export {export} cannot be {verb} as it is in use by {places}")
            if new is None:
                formation._exports.pop(export, None)
        return outputs, exports

    def _list_others(name: str) -> list[tuple[dict[str, Any], str]]:
        stacks = formation._stacks.items()
        return [(stack, other) for other, stack in stacks if other != name and stack["StackStatus"] in _STANDING]

    return run


def install_change_sets() -> None:
    """Teach MiniStack that new outputs of a stack are a change of it, as on AWS, where no resource changes."""
    handlers: Any = importlib.import_module("ministack.services.cloudformation.handlers")
    actions = handlers._ACTION_HANDLERS
    actions["CreateChangeSet"] = _take_new_outputs(actions["CreateChangeSet"])


def _take_new_outputs(create: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    formation: Any = importlib.import_module("ministack.services.cloudformation")

    def run(parameters: dict[str, Any]) -> Any:
        known = set(formation._change_sets)
        answer = create(parameters)
        for made in (formation._change_sets[name] for name in set(formation._change_sets) - known):
            current = formation._stacks[made["StackName"]]["_template"]
            is_empty = made["ChangeSetType"] == "UPDATE" and made["Status"] == "FAILED" and not made["Changes"]
            if is_empty and made["_template"].get("Outputs") != current.get("Outputs"):
                made |= {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE", "StatusReason": ""}
        return answer

    return run


def _build_handlers(missing: ResourceType) -> dict[str, Any]:
    """What MiniStack calls for a type; it replaces a resource itself where its table says so."""

    def create(logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, Attributes]:
        resource_id = missing.identify(logical_id, properties)
        return resource_id, missing.describe(resource_id, properties)

    def update(
        resource_id: str, _old: dict[str, Any], properties: dict[str, Any], _stack: str
    ) -> tuple[str, Attributes]:
        return resource_id, missing.describe(resource_id, properties)

    def delete(_resource_id: str, _properties: dict[str, Any]) -> None:
        """Nothing is left of a resource that was only an identifier."""

    return {"create": create, "update": update, "delete": delete}


def _describe_further(
    handlers: dict[str, Any], describe: Callable[[str, dict[str, Any]], Attributes]
) -> dict[str, Any]:
    def complete(provision: Provision, properties_at: int) -> Provision:
        def run(*arguments: Any) -> tuple[str, Attributes]:
            resource_id, attributes = provision(*arguments)
            return resource_id, {**describe(resource_id, arguments[properties_at]), **attributes}

        return run

    return {**handlers, "create": complete(handlers["create"], 1), "update": complete(handlers["update"], 2)}


def _spell_logging(handlers: dict[str, Any]) -> dict[str, Any]:
    """Spell a state machine's logging as the API of Step Functions does, which refuses a template's spelling."""

    def spell(properties: dict[str, Any]) -> dict[str, Any]:
        name = "LoggingConfiguration"
        return {**properties, name: _spell_as_api(properties[name])} if name in properties else properties

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        return handlers["create"](logical_id, spell(properties), stack)

    def update(resource_id: str, old: dict[str, Any], properties: dict[str, Any], *stack: str) -> Any:
        return handlers["update"](resource_id, spell(old), spell(properties), *stack)

    return {**handlers, "create": create, "update": update}


def _spell_as_api(value: Any) -> Any:
    if isinstance(value, list):
        return [_spell_as_api(entry) for entry in value]
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _spell_as_api(entry) for key, entry in value.items()}
    return value


def _watch(handlers: dict[str, Any], watcher: ResourceWatcher) -> dict[str, Any]:
    def create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, Attributes]:
        resource_id, attributes = handlers["create"](logical_id, properties, stack)
        watcher.create(resource_id, properties)
        return resource_id, attributes

    def update(
        resource_id: str, old: dict[str, Any], properties: dict[str, Any], *stack: str
    ) -> tuple[str, Attributes]:
        updated: tuple[str, Attributes] = handlers["update"](resource_id, old, properties, *stack)
        watcher.update(resource_id, properties)
        return updated

    def delete(resource_id: str, properties: dict[str, Any]) -> None:
        handlers["delete"](resource_id, properties)
        watcher.delete(resource_id)

    return {**handlers, "create": create, "update": update, "delete": delete}


def _run_on_thread_too(
    types: Mapping[str, ResourceWatcher], is_told_to: Callable[[str], bool]
) -> Callable[[str], bool]:
    return lambda resource_type: resource_type in types or is_told_to(resource_type)
