"""JSONPath as Step Functions reads it: into the input, the context object (`$$`) and variables (`$name`)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import jsonpath
from jsonpath.exceptions import JSONPathError

from headrace.local.engine.asl.failures import fail_at_runtime
from headrace.local.engine.asl.scope import Scope

_START: Final = re.compile(r"(?P<context>\$\$)(?=[.\[]|$)|\$(?P<variable>[^\W\d]\w*)|\$(?=[.\[]|$)")
_REFERENCE: Final = re.compile(r"""(?:\.[^.\[\]@,:?*'"()\s]+|\[\d+\]|\['[^']+'\]|\["[^"]+"\])*""")
_STEP: Final = re.compile(r"""\.([^.\[\]]+)|\[(\d+)\]|\[['"]([^'"]+)['"]\]""")


class PathError(Exception):
    """A path that is not one, or that leads nowhere."""


@lru_cache(maxsize=4_096)
def _compile(rest: str) -> Any:
    try:
        return jsonpath.compile(f"${rest}")
    except (JSONPathError, RecursionError, ValueError) as error:
        raise PathError(f"Invalid path '${rest}': {error}") from None


def check_path(path: Any) -> None:
    """See that a text is a path.

    Raises:
        PathError: If it is not.
    """
    _, rest = _split(path)
    if rest:
        _compile(rest)


def is_reference(path: Any) -> bool:
    """Whether a text is a Reference Path, which leads to one place in the input."""
    return isinstance(path, str) and path[:1] == "$" and bool(_REFERENCE.fullmatch(path, 1))


def find(path: str, scope: Scope) -> Any:
    """What a path leads to; if it may lead to several values, a list of them.

    Raises:
        PathError: If it leads nowhere.
    """
    start, rest = _split(path)
    roots: Mapping[str | None, Any] = {None: scope.input, "$": scope.context}
    if start not in roots and start not in scope.variables:
        raise PathError(f"The variable '{path}' has not been assigned")
    root = roots[start] if start in roots else scope.variables[str(start)]
    if not rest:
        return root
    compiled = _compile(rest)
    found = compiled.findall(root) if isinstance(root, dict | list) else []
    if not compiled.singular_query():
        return found
    if not found:
        raise PathError(f"The JSONPath '{path}' could not be found in the input")
    return found[0]


def find_at_runtime(path: str, field: str, scope: Scope) -> Any:
    """What a path in a field leads to.

    Raises:
        StateFailedError: If it leads nowhere.
    """
    try:
        return find(path, scope)
    except PathError as error:
        raise fail_at_runtime(f"{error}: it is specified for the field '{field}'") from None


def put(document: Any, path: str, value: Any) -> Any:
    """A copy of a document with a value at the place that a Reference Path names.

    Raises:
        StateFailedError: If the document has no room for it there.
    """
    steps = [int(index) if index else name or quoted for name, index, quoted in _STEP.findall(path[1:])]
    return _put(document, steps, value, path)


def _put(document: Any, steps: list[str | int], value: Any, path: str) -> Any:
    if not steps:
        return value
    step, *later = steps
    if isinstance(step, int):
        if isinstance(document, list) and step < len(document):
            return [*document[:step], _put(document[step], later, value, path), *document[step + 1 :]]
    elif isinstance(document, dict):
        inner = document.get(step, {} if later else None)
        return {**document, step: _put(inner, later, value, path)}
    raise fail_at_runtime(f"Unable to apply ReferencePath {path} to input: States.ResultPathMatchFailure")


def _split(path: Any) -> tuple[str | None, str]:
    """Where a path starts (`$` for the context object, a variable's name, or nothing), and its further steps."""
    found = _START.match(path) if isinstance(path, str) else None
    if not found:
        raise PathError(f"Value is not a Reference Path or JsonPath: {path!r}")
    return "$" if found["context"] else found["variable"], path[found.end() :]
