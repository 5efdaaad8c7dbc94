"""Checks requests against botocore's model of the API, in the words of AWS."""

import difflib
import functools
import math
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import botocore.loaders
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from headrace.local.sagemaker.errors import RequestRefusedError

# The API's patterns are Java's. \w is letters, numbers and "_" together: every class of the API that has one has all.
JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\w",
    r"\p{Z}": r"\x20\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{ASCII}": r"[\x00-\x7f]",
    r"\p{Print}": r"\x20-\x7e",
    r"\z": r"\Z",
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010ffff",
}
# Marks, symbols and punctuation, which Python's patterns have no class for.
UNICODE_CATEGORY = re.compile(r"\\p\{([MSP])\}")
# The end of a value, so many times: Java takes it for the end.
REPEATED_END = re.compile(r"\$\{\d+,\d+\}")
SHOWN_VALUE_CHARACTERS = 256
SENSITIVE = object()


@functools.cache
def load_service_model(service: str) -> ServiceModel:
    """Botocore's description of a service."""
    return ServiceModel(botocore.loaders.Loader().load_service_model(service, "service-2"), service)


@functools.cache
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern of the API's model as a Python one."""
    for java, python in JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    pattern = UNICODE_CATEGORY.sub(lambda found: list_category(found[1]), pattern)
    return re.compile(REPEATED_END.sub("", pattern))


@functools.cache
def list_category(letter: str) -> str:
    """The characters of the Unicode categories that begin with a letter, as they stand in a class of a pattern."""
    characters = (chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == letter)
    runs: list[list[str]] = []
    for character in characters:
        if runs and ord(character) == ord(runs[-1][-1]) + 1:
            runs[-1][1:] = [character]
        else:
            runs.append([character])
    return "".join("-".join(re.escape(end) for end in run) for run in runs)


def validate_request(shape: Shape | None, request: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError that lists everything in which a request breaks its shape."""
    violations = list(find_violations(shape, request, "")) if shape else []
    if violations:
        noun = "error" if len(violations) == 1 else "errors"
        raise RequestRefusedError(f"{len(violations)} validation {noun} detected: {'; '.join(violations)}")


def find_violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Every way in which a value breaks its shape, as AWS says it."""
    if not has_type(shape, value):
        yield describe_violation(path, value, f"Member must be of type {shape.type_name}")
        return
    for constraint in find_broken_constraints(shape, value):
        yield describe_violation(path, SENSITIVE if shape.metadata.get("sensitive") else value, constraint)
    if isinstance(shape, StructureShape):
        yield from find_structure_violations(shape, value, path)
    elif isinstance(shape, ListShape):
        for position, member in enumerate(value, 1):
            yield from find_violations(shape.member, member, f"{path}.{position}.member")
    elif isinstance(shape, MapShape):
        yield from find_map_violations(shape, value, path)


def find_structure_violations(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    """Missing, unknown and wrong members of a structure."""
    for name in shape.required_members:
        if value.get(name) is None:
            yield describe_violation(join_path(path, name), None, "Member must not be null")
    for name, member in value.items():
        if name not in shape.members:
            yield describe_violation(join_path(path, name), member, describe_unknown(name, list(shape.members)))
        elif member is not None:
            yield from find_violations(shape.members[name], member, join_path(path, name))


def find_map_violations(shape: MapShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    """Keys and values of a map that break the constraints on them."""
    for key, member in value.items():
        broken_by_key = list(find_broken_constraints(shape.key, key))
        if broken_by_key:
            yield describe_violation(path, value, f"Map keys must satisfy constraint: [{', '.join(broken_by_key)}]")
        if not has_type(shape.value, member):
            yield describe_violation(f"{path}.{key}", member, f"Map value must be of type {shape.value.type_name}")
            continue
        broken_by_value = list(find_broken_constraints(shape.value, member))
        if broken_by_value:
            yield describe_violation(path, value, f"Map value must satisfy constraint: [{', '.join(broken_by_value)}]")


def find_broken_constraints(shape: Shape, value: Any) -> Iterator[str]:
    """The limits of one shape, without its members', that a value of the right type breaks."""
    limits = shape.metadata
    size, noun = measure_value(shape, value)
    if size is not None and "min" in limits and size < limits["min"]:
        yield f"Member must have {noun} greater than or equal to {limits['min']}"
    if size is not None and "max" in limits and size > limits["max"]:
        yield f"Member must have {noun} less than or equal to {limits['max']}"
    if limits.get("enum") and value not in limits["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(limits['enum'])}]"
    if "pattern" in limits and isinstance(value, str) and not compile_pattern(limits["pattern"]).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {limits['pattern']}"


def measure_value(shape: Shape, value: Any) -> tuple[float | None, str]:
    """What a shape's min and max are about, and what AWS calls it."""
    if shape.type_name in {"string", "blob", "list", "map"}:
        return len(value), "length"
    if shape.type_name in {"integer", "long", "float", "double"}:
        return value, "value"
    return None, ""


def is_whole_number(value: Any, bits: int) -> bool:
    """Whether a value is an integer of so many bits; JSONata hands whole numbers over as floats."""
    return is_number(value) and value == int(value) and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)


def is_number(value: Any) -> bool:
    """Whether a value is a number that a float can hold; Python's JSON has others."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def is_timestamp(value: Any) -> bool:
    """Whether a value is a time, or the seconds from 1970 to one that there is."""
    try:
        return isinstance(value, datetime) or (is_number(value) and bool(datetime.fromtimestamp(value, UTC)))
    except (OverflowError, ValueError, OSError):
        return False


TYPE_CHECKS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "blob": lambda value: isinstance(value, bytes | str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": functools.partial(is_whole_number, bits=32),
    "long": functools.partial(is_whole_number, bits=64),
    "float": is_number,
    "double": is_number,
    "timestamp": is_timestamp,
    "structure": lambda value: isinstance(value, Mapping),
    "map": lambda value: isinstance(value, Mapping),
    "list": lambda value: isinstance(value, list | tuple),
}


def has_type(shape: Shape, value: Any) -> bool:
    """Whether a value has the type its shape names."""
    return TYPE_CHECKS[shape.type_name](value)


def describe_violation(path: str, value: Any, constraint: str) -> str:
    """One violation in the words of AWS."""
    if value is SENSITIVE:
        return f"Value at '{path}' failed to satisfy constraint: {constraint}"
    shown = "null" if value is None else f"'{str(value)[:SHOWN_VALUE_CHARACTERS]}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def describe_unknown(name: str, known: list[str]) -> str:
    """What to say of a member the API does not have; AWS itself drops it silently, which hides misspellings."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"Member is not known; did you mean {close[0]}?" if close else "Member is not known"


def join_path(path: str, name: str) -> str:
    """A member's dotted path, in lower camel case as AWS writes it."""
    member = name[:1].lower() + name[1:]
    return f"{path}.{member}" if path else member
