"""The rules of a JSONPath Choice state."""

import re
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt
from typing import Any, Final

from headrace.local.engine.asl.documents import is_number, parse_timestamp
from headrace.local.engine.asl.jsonpath import PathError, find, find_at_runtime
from headrace.local.engine.asl.scope import Scope

_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "Equals": eq,
    "LessThan": lt,
    "GreaterThan": gt,
    "LessThanEquals": le,
    "GreaterThanEquals": ge,
}


def _read_string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _read_number(value: Any) -> float | None:
    return value if is_number(value) else None


def _read_boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "String": _read_string,
    "Numeric": _read_number,
    "Timestamp": parse_timestamp,
}
_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": is_number,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: parse_timestamp(value) is not None,
}
# Each comparison, and what its two sides must be read as.
COMPARISONS: Final[Mapping[str, tuple[Callable[[Any], Any], Callable[[Any, Any], bool]]]] = {
    **{f"{kind}{name}": (read, order) for kind, read in _READERS.items() for name, order in _ORDERS.items()},
    "BooleanEquals": (_read_boolean, eq),
}
TYPE_TESTS: Final = frozenset({*_TYPES, "IsPresent"})


def holds(rule: Mapping[str, Any], scope: Scope) -> bool:
    """Whether a rule holds.

    Raises:
        StateFailedError: If a path leads nowhere.
    """
    if "And" in rule:
        return all(holds(inner, scope) for inner in rule["And"])
    if "Or" in rule:
        return any(holds(inner, scope) for inner in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], scope)
    if "IsPresent" in rule:
        return _is_present(rule["Variable"], scope) is rule["IsPresent"]
    value = find_at_runtime(rule["Variable"], "Variable", scope)
    name = next(name for name in rule if name not in ("Variable", "Next", "Assign", "Comment"))
    if name in _TYPES:
        return _TYPES[name](value) is rule[name]
    if name == "StringMatches":
        return isinstance(value, str) and bool(_translate_pattern(rule[name]).fullmatch(value))
    operand = rule[name]
    if name.endswith("Path"):
        operand = find_at_runtime(operand, name, scope)
    return _compare(name.removesuffix("Path"), value, operand)


def _compare(name: str, value: Any, operand: Any) -> bool:
    read, order = COMPARISONS[name]
    one, other = read(value), read(operand)
    return one is not None and other is not None and order(one, other)


def _is_present(path: str, scope: Scope) -> bool:
    try:
        find(path, scope)
    except PathError:
        return False
    return True


def _translate_pattern(pattern: str) -> re.Pattern[str]:
    """The regular expression of a pattern whose `*` means anything, and whose backslash takes a meaning away."""
    parts = re.findall(r"\\(.)|(\*)|([^\\*]+|\\)", pattern, re.DOTALL)
    return re.compile("".join(".*" if star else re.escape(escaped or text) for escaped, star, text in parts), re.DOTALL)
