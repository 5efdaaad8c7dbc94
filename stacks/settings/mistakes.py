"""What is wrong with settings, said by the key's path, what was found and what is allowed."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from headrace.errors import HeadraceError
from stacks.settings.section import Allowed


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


def describe(error: ValidationError, *, prefix: str, model: type[BaseModel]) -> str:
    """Each mistake on its own line.

    Args:
        error: What pydantic found.
        prefix: The path of the object that was read.
        model: What it was read as.
    """
    mistakes = [problem for problem in error.errors() if problem["type"] != "default_factory_not_called"]
    return "\n".join(dict.fromkeys(_describe(problem, prefix, model) for problem in mistakes))


def _describe(problem: Any, prefix: str, model: type[BaseModel]) -> str:
    location = [str(part) for part in problem["loc"]]
    key = ".".join([prefix, *location])
    if problem["type"] == "extra_forbidden":
        # What an environment is called is its own key, not one of its settings.
        allowed = sorted({*_section(model, location[:-1]).model_fields} - {"environment"})
        close = difflib.get_close_matches(location[-1], allowed, n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        return f"{key}: unknown key{hint}; allowed: {', '.join(allowed)}"
    if problem["type"] == "missing":
        return f"{key}: missing"
    allowed = _list_allowed(model, location) if problem["type"].endswith("_type") else []
    reason = f"expected {', '.join(allowed)}" if allowed else problem["msg"].removeprefix("Value error, ")
    if isinstance(problem["input"], Mapping | BaseModel):
        return f"{key}: {reason}"
    # What is refused may hold a password.
    found = re.sub(r"//[^/@]*@", "//...@", repr(problem["input"]))
    return f"{key}: found {found}: {reason}"


def find_section(annotation: Any) -> type[BaseModel] | None:
    """The section inside an annotation such as `Section | None` or `tuple[Section, ...]`, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(find_section, get_args(annotation))), None)


def _list_allowed(model: type[BaseModel], location: list[str]) -> list[str]:
    """What a setting may be, where that stands beside its type."""
    field = _section(model, location[:-1]).model_fields.get(location[-1])
    return [part.text for part in field.metadata if isinstance(part, Allowed)] if field else []


def _section(model: type[BaseModel], path: list[str]) -> type[BaseModel]:
    for part in path:
        if field := model.model_fields.get(part):
            model = find_section(field.annotation) or model
    return model
