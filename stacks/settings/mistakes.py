"""What is wrong with settings, said by the key's path, what was found and what is allowed."""

import difflib
import re
from collections.abc import Mapping, Sequence, Sized
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from headrace.errors import HeadraceError
from stacks.settings.wording import describe_field, describe_type

_LONGEST_SHOWN: Final = 200


class SettingsError(HeadraceError, ValueError):
    """A setting is missing, misspelt, of the wrong type or impossible."""


def refuse_repeated(names: Sequence[str], advice: str = "remove one") -> None:
    """Refuse a list in which something occurs twice.

    Args:
        names: What is listed, or what it is called.
        advice: What to do with one of the two.

    Raises:
        ValueError: Naming the first that occurs twice.
    """
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"'{name}' occurs twice; {advice}")


def describe(error: ValidationError, *, prefix: str, model: type[BaseModel], given: Any) -> str:
    """Each mistake on its own line.

    Args:
        error: What pydantic found.
        prefix: The path of the object that was read.
        model: What it was read as.
        given: The object.
    """
    mistakes = [problem for problem in error.errors() if not _follows_from_another(problem)]
    return "\n".join(dict.fromkeys(_describe(problem, prefix, model, given) for problem in mistakes))


def _follows_from_another(problem: Any) -> bool:
    """Whether it is said of what a mistake has left: a default, or a list without the entries that are wrong."""
    if problem["type"] == "too_short":
        return isinstance(problem["input"], Sized) and len(problem["input"]) >= problem["ctx"]["min_length"]
    return bool(problem["type"] == "default_factory_not_called")


def _describe(problem: Any, prefix: str, model: type[BaseModel], given: Any) -> str:
    location = _locate(problem, given)
    key = ".".join([prefix, *map(str, location)])
    if problem["type"] == "extra_forbidden":
        # What an environment is called is its own key, not one of its settings.
        allowed = sorted({*_section(model, location[:-1]).model_fields} - {"environment"})
        close = difflib.get_close_matches(str(location[-1]), allowed, n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        return f"{key}: unknown key{hint}; allowed: {', '.join(allowed)}"
    if problem["type"] == "missing":
        return f"{key}: missing"
    if problem["type"] == "value_error":
        reason = problem["msg"].removeprefix("Value error, ")
        is_section = isinstance(problem["input"], Mapping | BaseModel)
        if is_section:
            return "\n".join(f"{key}: {line}" for line in reason.splitlines())
        return f"{key}: found {_show(problem['input'])}: {reason}"
    wanted = "a finite number" if problem["type"] == "finite_number" else _describe_allowed(model, location)
    return f"{key}: found {_show(problem['input'])}, allowed: {wanted}"


def _locate(problem: Any, given: Any) -> list[str | int]:
    """Where it is in what was given: pydantic also names the alternatives of a type on the way there."""
    located: list[str | int] = []
    for part in problem["loc"]:
        if isinstance(given, Mapping) and (part in given or problem["type"] == "missing"):
            given = given.get(part)
        elif isinstance(given, Sequence) and not isinstance(given, str) and isinstance(part, int):
            given = given[part]
        else:
            continue
        located.append(part)
    return located


def _show(found: Any) -> str:
    """What was given, as far as that is of use; a password in an address is left out."""
    shown = re.sub(r"//[^/@]*@", "//...@", repr(found))
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"


def find_section(annotation: Any) -> type[BaseModel] | None:
    """The section inside an annotation such as `Section | None` or `tuple[Section, ...]`, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(find_section, get_args(annotation))), None)


def _describe_allowed(model: type[BaseModel], location: Sequence[str | int]) -> str:
    """What may stand at a place of the settings."""
    section, described = model, ""
    schema: Mapping[str, Any] = {}
    for part in location:
        if isinstance(part, str) and (field := section.model_fields.get(part)):
            schema = _list_schemas(section)[part]
            section, described = find_section(field.annotation) or section, describe_field(field, schema)
        else:
            schema = _find_entry(schema, "items" if isinstance(part, int) else "additionalProperties")
            described = describe_type(schema)
    return described.replace("`", "")


@cache
def _list_schemas(section: type[BaseModel]) -> Mapping[str, Any]:
    schemas: Mapping[str, Any] = section.model_json_schema()["properties"]
    return schemas


def _find_entry(schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The schema of the entries of a list, or of an object with keys of its own, that may be null."""
    options: Sequence[Mapping[str, Any]] = schema.get("anyOf", [schema])
    return next((option[key] for option in options if key in option), {})


def _section(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel]:
    for part in path:
        if field := model.model_fields.get(str(part)):
            model = find_section(field.annotation) or model
    return model
