"""The files of a synthesized app, with what else reads them sure of their shape."""

import json
from collections.abc import Mapping
from graphlib import CycleError
from pathlib import Path
from typing import Any, Final

from headrace.assemblies.assembly import Template, creation_order, list_resources
from headrace.errors import HeadraceError

MANIFEST: Final = "manifest.json"
_STACK: Final = "aws:cloudformation:stack"
_KINDS: Final[Mapping[type, str]] = {dict: "an object", list: "a list", str: "a string"}


class AssemblyError(HeadraceError):
    """A folder holds no templates that can be read."""


def read_stacks(folder: Path) -> dict[str, dict[str, Any]]:
    """The stacks that an app's manifest lists, by id.

    Raises:
        AssemblyError: If it is not JSON, or not what CDK writes.
    """
    path = folder / MANIFEST
    artifacts = _take(read_object(path), "artifacts", dict, f"{path}: ")
    stacks = {}
    for name in artifacts:
        place = f"{path}: artifacts.{name}"
        artifact = _take(artifacts, name, dict, f"{path}: artifacts.")
        if _take(artifact, "type", str, f"{place}.") != _STACK:
            continue
        properties = _take(artifact, "properties", dict, f"{place}.")
        _take(properties, "templateFile", str, f"{place}.properties.")
        _take(properties, "stackName", str, f"{place}.properties.", default=name)
        _take(artifact, "environment", str, f"{place}.", default="")
        _take(artifact, "dependencies", list, f"{place}.", default=[])
        stacks[name] = artifact
    return stacks


def read_template(path: Path) -> Template:
    """A template.

    Raises:
        AssemblyError: If it is not JSON, or not a template.
    """
    template = read_object(path)
    for section in ("Resources", "Outputs", "Metadata"):
        _take(template, section, dict, f"{path}: ", default={})
    for name in list_resources(template):
        resource = _take(template["Resources"], name, dict, f"{path}: Resources.")
        _take(resource, "Type", str, f"{path}: Resources.{name}.")
        _take(resource, "Properties", dict, f"{path}: Resources.{name}.", default={})
    outputs = template.get("Outputs", {})
    for name in outputs:
        output = _take(outputs, name, dict, f"{path}: Outputs.")
        if "Value" not in output:
            raise AssemblyError(f"{path}: Outputs.{name}.Value is missing")
        _take(output, "Export", dict, f"{path}: Outputs.{name}.", default={})
    try:
        list(creation_order(template))
    except CycleError as error:
        raise AssemblyError(f"{path}: its resources need each other: {' → '.join(error.args[1])}") from None
    return template


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        AssemblyError: If it holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AssemblyError(f"{path}: is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise AssemblyError(f"{path}: is not {_KINDS[dict]}")
    return content


def _take(holder: Mapping[str, Any], key: str, kind: type, place: str, default: Any = None) -> Any:
    """What a file has at a place, if that is of the kind that belongs there."""
    value = holder.get(key, default)
    if not isinstance(value, kind):
        fault = f"is not {_KINDS[kind]}" if key in holder else "is missing"
        raise AssemblyError(f"{place}{key} {fault}")
    return value
