"""Options as a caller writes them, in strings, for any dataclass of options."""

from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any, Final, TypeVar

from headrace.normalizer.errors import BadOptionError

_TRUTHS: Final = {"true": True, "false": False}

Options = TypeVar("Options")


def parse_fields(options: type[Options], parameters: Mapping[str, str]) -> Options:
    """The options in a mapping of strings, by the types of their defaults; what is left out has its default.

    Args:
        options: A dataclass whose fields all have defaults.
        parameters: The caller's.

    Raises:
        BadOptionError: An option that does not exist, or a value it cannot take.
    """
    # mypy does not know that a class of a dataclass is one.
    defaults = {field.name: field.default for field in fields(options)}  # type: ignore[arg-type]
    for name in parameters:
        if name not in defaults:
            raise BadOptionError(f"there is no option {name!r}; there are {', '.join(defaults)}")
    return options(**{name: _parse(name, parameters[name], defaults[name]) for name in parameters})


def _parse(name: str, text: str, default: Any) -> Any:
    match default:
        case bool():
            return _parse_truth(name, text)
        case int():
            return _parse_number(name, text)
        case StrEnum():
            return _parse_choice(name, text, type(default))
        case str():
            return text
    raise TypeError(
        f"option {name} has the default {default!r}, which is neither a number, true or false, a text nor a choice"
    )


def _parse_truth(name: str, text: str) -> bool:
    if text not in _TRUTHS:
        raise BadOptionError(f"{name} is {text[:20]!r}, which is neither true nor false")
    return _TRUTHS[text]


def _parse_number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise BadOptionError(f"{name} is {text[:20]!r}, which is not a whole number")
    return int(text)


def _parse_choice(name: str, text: str, choices: type[StrEnum]) -> StrEnum:
    try:
        return choices(text)
    except ValueError:
        raise BadOptionError(f"{name} is {text[:20]!r}, which is not one of {', '.join(choices)}") from None
