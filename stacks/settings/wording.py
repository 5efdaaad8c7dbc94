"""What a setting may be, in words: for the page of all settings, and for who is refused one."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic.fields import FieldInfo

from stacks.settings.section import Allowed

_TYPES: Final = {"boolean": "true or false", "integer": "whole number", "number": "number", "string": "text"}
_NULL: Final = "null"


def describe_field(field: FieldInfo, schema: Mapping[str, Any]) -> str:
    """What a setting may be.

    Args:
        field: What pydantic knows of it; what stands beside its type counts for more than that.
        schema: Its JSON schema.
    """
    allowed = [part.text for part in field.metadata if isinstance(part, Allowed)]
    if allowed:
        return ", ".join([*filter(None, [_TYPES.get(schema.get("type", ""))]), *allowed])
    return describe_type(schema)


def describe_type(schema: Mapping[str, Any]) -> str:
    """A JSON schema in words, values and patterns between backticks."""
    if options := schema.get("anyOf"):
        return " or ".join(describe_type(option) for option in options)
    if values := schema.get("enum"):
        return " or ".join(f"`{json.dumps(value)}`" for value in values)
    if "items" in schema:
        items = "objects" if "$ref" in schema["items"] else describe_type(schema["items"])
        return ", ".join([f"list of {items}", *_list_lengths(schema)])
    return ", ".join([_name_type(schema), *_list_bounds(schema)])


def _name_type(schema: Mapping[str, Any]) -> str:
    name = str(schema.get("type", ""))
    return name if name == _NULL else _TYPES.get(name, "object")


def _list_lengths(schema: Mapping[str, Any]) -> Iterator[str]:
    if "minItems" in schema:
        yield f"at least {schema['minItems']}"
    if "maxItems" in schema:
        yield f"at most {schema['maxItems']}"


def _list_bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    if "minimum" in schema:
        yield f"{schema['minimum']} to {schema['maximum']}"
    if "exclusiveMinimum" in schema:
        yield f"between {schema['exclusiveMinimum']} and {schema['exclusiveMaximum']}"
    if "pattern" in schema:
        yield f"`{schema['pattern']}`"
    if "minLength" in schema:
        yield f"at least {schema['minLength']} characters" if schema["minLength"] > 1 else "not empty"
    if "maxLength" in schema:
        yield f"at most {schema['maxLength']} characters"
