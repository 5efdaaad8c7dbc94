"""JSONata as Step Functions evaluates it: `$states`, variables, and seven functions of its own."""

import hashlib
import json
import math
import random
import re
import uuid
from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from typing import Any, Final

from jsonata import functions
from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.parser import Parser
from jsonata.utils import Utils

from headrace.local.clock import CLOCK
from headrace.local.engine.asl.failures import fail_evaluation
from headrace.local.engine.asl.scope import UNDEFINED, Scope

ALGORITHMS: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
# What the library raises on what it does not expect.
_STUMBLES: Final = (
    JException,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    re.error,
)
# Counted, so that an expression without an end ends, and how busy the machine is decides about none.
_MOST_STEPS: Final = 2_000_000
# The state machines of an environment have about a thousand expressions.
_MOST_KNOWN: Final = 4_096
# Attributes of the parser's that lead back up its tree.
_UPWARD: Final = frozenset({"ancestor", "slot"})
# Where names are those of what stands before, not of the whole document.
_FOCUSED: Final = frozenset({"predicate", "stages", "group", "body", "terms", "pattern", "update", "delete"})


def read_expression(value: Any) -> str | None:
    """The JSONata in a field, if that is what it holds."""
    if isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        return value[2:-2].strip()
    return None


def render(template: Any, scope: Scope) -> Any:
    """A field's value, with that of each expression in it.

    Raises:
        StateFailedError: If an expression fails.
    """
    if isinstance(template, dict):
        return {name: render(value, scope) for name, value in template.items()}
    if isinstance(template, list):
        return [render(value, scope) for value in template]
    expression = read_expression(template)
    return template if expression is None else evaluate(expression, scope)


def evaluate(expression: str, scope: Scope) -> Any:
    """The value of an expression.

    Raises:
        StateFailedError: If it has none, or none that JSON can say.
    """
    bindings = {name: Utils.NULL_VALUE if value is None else value for name, value in scope.variables.items()}
    states = {"input": scope.input, "context": scope.context}
    further = {"result": scope.result, "errorOutput": scope.error_output}
    bindings["states"] = states | {name: value for name, value in further.items() if value is not UNDEFINED}
    value = _evaluate(expression, bindings)
    if value is None and not _evaluate(f"$exists(({expression}))", bindings):
        raise fail_evaluation(f"The JSONata expression '{expression}' returned nothing (undefined).")
    try:
        # Sequences of the library's become lists; functions and the like are refused.
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise fail_evaluation(f"The value of the JSONata expression '{expression}' is not JSON: {error}") from None


# A definition is checked when it is made and whenever it is executed, and looking takes most of the time of that.
@lru_cache(maxsize=_MOST_KNOWN)
def find_fault(expression: str) -> str | None:
    """What is wrong with an expression before it is evaluated."""
    try:
        tree = _parse(expression)
    except _STUMBLES as error:
        return f"it does not parse: {error}"
    return next(_find_unqualified(tree, is_focused=False), None)


def _evaluate(expression: str, bindings: dict[str, Any]) -> Any:
    try:
        return _compile(expression).evaluate(None, bindings)
    except JException as error:
        raise fail_evaluation(f"{error.error}: {error}" if error.error else str(error)) from None
    except _STUMBLES as error:
        raise fail_evaluation(f"The JSONata expression '{expression}' failed: {error}") from None


# Parsing takes as long as evaluating, which changes nothing in the tree.
@lru_cache(maxsize=_MOST_KNOWN)
def _parse(expression: str) -> Any:
    return Jsonata.jsonata(expression).ast


def _compile(expression: str) -> Any:
    tree = _parse(expression)
    # An evaluation changes the object that evaluates, so that each has its own.
    compiled = Jsonata.jsonata("null")
    compiled.ast = tree
    steps = count(1)

    def count_step(*_: object) -> None:
        if next(steps) > _MOST_STEPS:
            raise fail_evaluation(
                f"The JSONata expression '{expression}' was ended after {_MOST_STEPS:,} steps; does it ever end?"
            )

    compiled.environment.set_evaluate_entry_callback(count_step)
    for name, function in _FUNCTIONS.items():
        compiled.register_lambda(name, function)
    return compiled


def _find_unqualified(node: Any, *, is_focused: bool) -> Iterator[str]:
    """Names that nothing qualifies, and the document as a whole: in Step Functions there is none."""
    if isinstance(node, list | tuple):
        for part in node:
            yield from _find_unqualified(part, is_focused=is_focused)
    elif isinstance(node, Parser.Symbol):
        if node.type == "variable" and node.value == "$":
            yield "$$ is not supported"
        if node.type == "name" and not is_focused:
            yield f"the field name '{node.value}' is not qualified; a state's input is $states.input"
        for part, is_inside in _list_parts(node):
            yield from _find_unqualified(part, is_focused=is_focused or is_inside)


def _list_parts(node: Any) -> Iterator[tuple[Any, bool]]:
    """The parts of a node, and whether names in them are those of what stands before."""
    for name, part in vars(node).items():
        if name == "steps" and part:
            yield part[0], False
            yield part[1:], True
        elif name not in _UPWARD:
            yield part, name in _FOCUSED


def _partition(array: list[Any], size: float) -> list[Any]:
    length = math.floor(size)
    if length < 1:
        raise ValueError("the size of a part must be 1 or more")
    return [array[start : start + length] for start in range(0, len(array), length)]


def _list_range(first: float, last: float, step: float) -> list[int]:
    start, end, delta = math.floor(first), math.floor(last), math.floor(step)
    return list(range(start, end + (1 if delta > 0 else -1), delta))


def _hash(text: str, algorithm: str) -> str:
    return hashlib.new(ALGORITHMS[algorithm], text.encode()).hexdigest()


def _give_random(seed: float | None = None) -> float:
    return random.Random(None if seed is None else math.floor(seed)).random()  # noqa: S311


def _refuse_eval(*_arguments: Any) -> Any:
    raise ValueError("$eval is not supported; use $parse")


def _to_millis(text: str | None = None, picture: str | None = None) -> Any:
    # The library also takes a blank for the T.
    if picture is None and text is not None and "T" not in text:
        raise ValueError(f"D3110: '{text}' is not an ISO 8601 timestamp")
    return functions.Functions.datetime_to_millis(text, picture)


def _replace(text: Any = None, pattern: Any = None, replacement: Any = None, limit: Any = None) -> Any:
    # The library also takes a pattern that matches nothing, as JSONata does not.
    if hasattr(pattern, "search") and (found := pattern.search("")) and not found.group():
        raise ValueError("D1004: the regular expression matches a string of no length")
    return functions.Functions.replace(text, pattern, replacement, limit)


def _say_now(picture: str | None = None, timezone: str | None = None) -> Any:
    return functions.Functions.datetime_from_millis(_count_millis(), picture, timezone)


def _count_millis() -> int:
    return int(CLOCK.time() * 1000)


_FUNCTIONS: Final = {
    "eval": _refuse_eval,
    "hash": _hash,
    "millis": _count_millis,
    "now": _say_now,
    "parse": json.loads,
    "partition": _partition,
    "random": _give_random,
    "range": _list_range,
    "replace": _replace,
    "toMillis": _to_millis,
    "uuid": lambda: str(uuid.uuid4()),
}
