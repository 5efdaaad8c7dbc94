"""The intrinsic functions of the language, `States.…(…)`, which JSONPath states call."""

import base64
import hashlib
import json
import random
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from headrace.local.engine.asl.documents import are_equal, is_integer, is_number, write_json
from headrace.local.engine.asl.failures import fail_at_runtime
from headrace.local.engine.asl.jsonata_expressions import ALGORITHMS
from headrace.local.engine.asl.jsonpath import PathError, check_path, find
from headrace.local.engine.asl.scope import Scope

_MOST_CHARACTERS: Final = 10_000
_MOST_MEMBERS: Final = 1_000
_MOST_DEPTH: Final = 10
_NAME: Final = re.compile(r"\s*(States\.[A-Za-z0-9]+)\s*\(")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?(?=\s*[,)])")
_WORD: Final = re.compile(r"(null|true|false)(?=\s*[,)])")
_STRING: Final = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_WORDS: Final = {"null": None, "true": True, "false": False}


class CallError(Exception):
    """A text that is not a call of an intrinsic function."""


@dataclass(frozen=True)
class Literal:
    """A string, a number, a boolean or null; a string as it is written, with its escapes."""

    value: Any


@dataclass(frozen=True)
class Path:
    """A path."""

    text: str


@dataclass(frozen=True)
class Call:
    """A function and its arguments."""

    name: str
    arguments: "tuple[Literal | Path | Call, ...]"


def is_call(text: Any) -> bool:
    """Whether a text is meant as a call."""
    return isinstance(text, str) and text.startswith("States.")


@lru_cache(maxsize=4_096)
def parse_call(text: str) -> Call:
    """The call that a text is.

    Raises:
        CallError: If it is none, or one of a function that there is not.
    """
    call, end = _parse_call(text, 0, 1)
    if text[end:].strip():
        raise CallError(f"there is more behind the call: {text[end:]}")
    return call


def evaluate_call(text: str, scope: Scope) -> Any:
    """What a call gives.

    Raises:
        StateFailedError: If it fails.
    """
    try:
        return _evaluate(parse_call(text), scope)
    except (CallError, PathError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        cause = f"The function '{text}' had the following error: {error}. (States.IntrinsicFailure)"
        raise fail_at_runtime(cause) from None


def _parse_call(text: str, start: int, depth: int) -> tuple[Call, int]:
    named = _NAME.match(text, start)
    if not named or named[1] not in _FUNCTIONS:
        raise CallError(f"'{named[1] if named else text[start:]}' is not an intrinsic function")
    if depth > _MOST_DEPTH:
        raise CallError(f"calls are nested more than {_MOST_DEPTH} deep")
    arguments: list[Literal | Path | Call] = []
    at = _skip_blanks(text, named.end())
    while text[at : at + 1] != ")":
        argument, at = _parse_argument(text, at, depth)
        arguments.append(argument)
        at = _skip_blanks(text, at)
        if text[at : at + 1] not in (",", ")"):
            raise CallError(f"',' or ')' is missing at: {text[at:]}")
        if text[at] == ",":
            at = _skip_blanks(text, at + 1)
            if text[at : at + 1] == ")":
                raise CallError("an argument is missing")
    return Call(named[1], tuple(arguments)), at + 1


def _parse_argument(text: str, start: int, depth: int) -> tuple[Literal | Path | Call, int]:
    if found := _STRING.match(text, start):
        return Literal(found[1]), found.end()
    if found := _WORD.match(text, start):
        return Literal(_WORDS[found[0]]), found.end()
    if found := _NUMBER.match(text, start):
        return Literal(json.loads(found[0])), found.end()
    if text.startswith("$", start):
        end = _find_end_of_path(text, start)
        try:
            check_path(text[start:end].strip())
        except PathError as error:
            raise CallError(str(error)) from None
        return Path(text[start:end].strip()), end
    return _parse_call(text, start, depth + 1)


def _find_end_of_path(text: str, start: int) -> int:
    """Where a path ends: at a comma or parenthesis outside of its brackets and quotes."""
    open_brackets, quote = 0, ""
    for at in range(start, len(text)):
        character = text[at]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "[(":
            open_brackets += 1
        elif open_brackets and character in "])":
            open_brackets -= 1
        elif not open_brackets and character in ",)":
            return at
    raise CallError("the call does not end")


def _skip_blanks(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at


def _evaluate(call: Call, scope: Scope) -> Any:
    values = [_read_argument(argument, scope) for argument in call.arguments]
    if call.name == "States.Format" and values:
        first = call.arguments[0]
        values[0] = first.value if isinstance(first, Literal) else values[0]
    least, most, function = _FUNCTIONS[call.name]
    if not least <= len(values) <= most:
        raise CallError(f"{call.name} does not take {len(values)} arguments")
    return function(*values)


def _read_argument(argument: Literal | Path | Call, scope: Scope) -> Any:
    if isinstance(argument, Path):
        return find(argument.text, scope)
    if isinstance(argument, Call):
        return _evaluate(argument, scope)
    return re.sub(r"\\(.)", r"\1", argument.value) if isinstance(argument.value, str) else argument.value


def _format(template: str, *values: Any) -> str:
    waiting = list(values)

    def fill(found: re.Match[str]) -> str:
        if found[0] != "{}":
            return found[1]
        value = waiting.pop(0)
        if isinstance(value, dict | list):
            raise TypeError("only strings, numbers, booleans and null can be formatted")
        return value if isinstance(value, str) else write_json(value)

    text = re.sub(r"\\(.)|\{\}", fill, _need(template, str))
    if waiting:
        raise ValueError("there are more arguments than {}")
    return text


def _partition(array: Any, size: Any) -> list[Any]:
    length = _need_integer(size)
    if length < 1:
        raise ValueError("the size of a part must be 1 or more")
    return [array[start : start + length] for start in range(0, len(_need(array, list)), length)]


def _list_range(first: Any, last: Any, step: Any) -> list[int]:
    delta = _need_integer(step)
    found = list(range(_need_integer(first), _need_integer(last) + (1 if delta > 0 else -1), delta))
    if len(found) > _MOST_MEMBERS:
        raise ValueError(f"the array has more than {_MOST_MEMBERS} members")
    return found


def _get_item(array: Any, index: Any) -> Any:
    if (place := _need_integer(index)) < 0:
        raise ValueError("the index is below 0")
    return _need(array, list)[place]


def _contains(array: Any, value: Any) -> bool:
    return any(are_equal(member, value) for member in _need(array, list))


def _list_unique(array: Any) -> list[Any]:
    found: list[Any] = []
    for member in _need(array, list):
        if not _contains(found, member):
            found.append(member)
    return found


def _encode(text: Any) -> str:
    return base64.b64encode(_need_short(text).encode()).decode()


def _decode(text: Any) -> str:
    return base64.b64decode(_need_short(text), validate=True).decode()


def _hash(text: Any, algorithm: Any) -> str:
    # Anything else than text is hashed as JSON.
    data = text if isinstance(text, str) else write_json(text)
    return hashlib.new(ALGORITHMS[algorithm], _need_short(data).encode()).hexdigest()


def _merge(one: Any, other: Any, is_deep: Any) -> dict[str, Any]:
    if is_deep is not False:
        raise ValueError("only shallow merging (false) is supported")
    return {**_need(one, dict), **_need(other, dict)}


def _give_random(first: Any, last: Any, seed: Any = None) -> int:
    source = random.Random(None if seed is None else _need_integer(seed))  # noqa: S311
    return source.randrange(_need_integer(first), _need_integer(last))


def _add(one: Any, other: Any) -> int:
    return _need_integer(one) + _need_integer(other)


def _split(text: Any, delimiters: Any) -> list[str]:
    return [part for part in re.split(f"[{re.escape(_need(delimiters, str))}]", _need(text, str)) if part]


def _need(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{write_json(value)} is not of the type that is needed")
    return value


def _need_short(value: Any) -> str:
    if len(_need(value, str)) > _MOST_CHARACTERS:
        raise ValueError(f"the text has more than {_MOST_CHARACTERS} characters")
    return str(value)


def _need_integer(value: Any) -> int:
    if not is_integer(value):
        raise TypeError(f"{write_json(value)} is not a whole number" if is_number(value) else "a number is needed")
    return int(value)


# The fewest and the most arguments of each function.
_FUNCTIONS: Final[Mapping[str, tuple[int, int, Callable[..., Any]]]] = {
    "States.Array": (0, _MOST_MEMBERS, lambda *values: list(values)),
    "States.ArrayContains": (2, 2, _contains),
    "States.ArrayGetItem": (2, 2, _get_item),
    "States.ArrayLength": (1, 1, lambda array: len(_need(array, list))),
    "States.ArrayPartition": (2, 2, _partition),
    "States.ArrayRange": (3, 3, _list_range),
    "States.ArrayUnique": (1, 1, _list_unique),
    "States.Base64Decode": (1, 1, _decode),
    "States.Base64Encode": (1, 1, _encode),
    "States.Format": (1, _MOST_MEMBERS, _format),
    "States.Hash": (2, 2, _hash),
    "States.JsonMerge": (3, 3, _merge),
    "States.JsonToString": (1, 1, write_json),
    "States.MathAdd": (2, 2, _add),
    "States.MathRandom": (2, 3, _give_random),
    "States.StringSplit": (2, 2, _split),
    "States.StringToJson": (1, 1, lambda text: json.loads(_need(text, str))),
    "States.UUID": (0, 0, lambda: str(uuid.uuid4())),
}
