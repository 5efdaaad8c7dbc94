"""Metric math, as far as alarms of this project use it; the rest is refused when an alarm is put.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from headrace.local.engine.alarms.errors import AlarmRefusedError

Series = list[float | None]
Value = float | Series | list[Series]
Node = Callable[[Mapping[str, Series]], Value]

_TOKEN: Final = re.compile(r"\s*(\d+(?:\.\d+)?|[A-Za-z_]\w*|==|!=|<=|>=|&&|\|\||[-+*/^()<>,\[\]])")
_NAME: Final = re.compile(r"[a-z]\w*")
_DEEPEST: Final = 50
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html
_MOST_CHARACTERS: Final = 2048


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


def _raise(left: float, right: float) -> float | None:
    try:
        result = left**right
    except (OverflowError, ZeroDivisionError):
        return None
    return result if isinstance(result, float | int) else None


def _or(left: float, right: float) -> bool:
    return bool(left or right)


def _and(left: float, right: float) -> bool:
    return bool(left and right)


Operation = Callable[[float, float], float | None]
# What binds least comes first.
_OPERATORS: Final[tuple[Mapping[str, Operation], ...]] = (
    {"OR": _or, "||": _or},
    {"AND": _and, "&&": _and},
    {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        ">": operator.gt,
        "<=": operator.le,
        ">=": operator.ge,
    },
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": _divide},
    {"^": _raise},
)


def _sum(values: Sequence[float]) -> float:
    return math.fsum(values)


def _average(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


# Over one series they give a number, over several a series.
_SUMMARIES: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "SUM": _sum,
    "AVG": _average,
    "MIN": min,
    "MAX": max,
}
_EACH: Final[Mapping[str, Callable[[float], float]]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}
_FUNCTIONS: Final = sorted({"IF", "FILL", *_SUMMARIES, *_EACH})


@dataclass(frozen=True)
class Expression:
    """An expression that has been read.

    Args:
        names: The ids of what it is calculated from.
    """

    names: frozenset[str]
    _node: Node

    def evaluate(self, series: Mapping[str, Series], length: int) -> Series:
        """Its values, as many as those of each series; None where there is none.

        Args:
            series: The values of each id.
            length: How many they are.
        """
        values = _stretch(self._node(series), length)
        return [value if value is not None and math.isfinite(value) else None for value in values]


def read_expression(text: str) -> Expression:
    """An expression of metric math.

    Raises:
        AlarmRefusedError: If it is none, or has what the local cloud cannot calculate.
    """
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = []
        self._at = 0
        self._depth = 0
        self._names: set[str] = set()

    def read(self) -> Expression:
        if len(self._text) > _MOST_CHARACTERS:
            raise AlarmRefusedError(f"An expression has at most {_MOST_CHARACTERS} characters, not {len(self._text)}.")
        self._tokens = self._split()
        node = self._read_binary(0)
        if self._peek():
            raise self._refuse(f"{self._peek()!r} is not expected there")
        return Expression(frozenset(self._names), node)

    def _split(self) -> list[str]:
        tokens, position = [], 0
        text = self._text.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if not found:
                raise self._refuse(f"{text[position:].strip()[:20]!r} cannot be read")
            tokens.append(found[1])
            position = found.end()
        return tokens

    def _refuse(self, reason: str) -> AlarmRefusedError:
        return AlarmRefusedError(
            f"The local cloud does not evaluate the expression {self._text!r}: {reason}. It has arithmetic, "
            f"comparisons, AND, OR and the functions {', '.join(_FUNCTIONS)}."
        )

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, expected: str = "") -> str:
        token = self._peek()
        if not token or (expected and token != expected):
            raise self._refuse(f"{expected or 'a value'} is missing")
        self._at += 1
        return token

    def _read_binary(self, level: int) -> Node:
        if level == len(_OPERATORS):
            return self._read_unary()
        node = self._read_binary(level + 1)
        while (operation := _OPERATORS[level].get(self._peek())) is not None:
            self._take()
            node = _combine(operation, node, self._read_binary(level + 1))
        return node

    def _read_unary(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._refuse(f"it is nested more than {_DEEPEST} deep")
        try:
            if self._peek() == "-":
                self._take()
                return _apply(operator.neg, self._read_unary())
            return self._read_value()
        finally:
            self._depth -= 1

    def _read_value(self) -> Node:
        word = self._take()
        if word == "(":
            node = self._read_binary(0)
            self._take(")")
            return node
        if word == "[":
            return _gather(self._read_list("]"))
        if word[0].isdigit():
            number = float(word)
            return lambda _: number
        if self._peek() == "(":
            return self._read_call(word)
        if not _NAME.fullmatch(word):
            raise self._refuse(f"{word!r} is neither a number nor an id")
        self._names.add(word)
        return lambda series: series[word]

    def _read_call(self, name: str) -> Node:
        self._take("(")
        if name == "FILL":
            return self._read_fill()
        arguments = self._read_list(")")
        if name == "IF" and len(arguments) in (2, 3):
            return _choose(*arguments)
        if name in _SUMMARIES and len(arguments) == 1:
            return _summarize(_SUMMARIES[name], arguments[0])
        if name in _EACH and len(arguments) == 1:
            return _apply(_EACH[name], arguments[0])
        raise self._refuse(f"there is no function {name} of {len(arguments)} arguments")

    def _read_fill(self) -> Node:
        series = self._read_binary(0)
        self._take(",")
        if self._peek() == "REPEAT":
            self._take()
            self._take(")")
            return _repeat(series)
        filling = self._read_binary(0)
        self._take(")")
        return _fill(series, filling)

    def _read_list(self, end: str) -> list[Node]:
        nodes = []
        while self._peek() != end:
            nodes.append(self._read_binary(0))
            if self._peek() != end:
                self._take(",")
        self._take(end)
        return nodes


def _combine(operation: Operation, left: Node, right: Node) -> Node:
    def run(one: float | None, other: float | None) -> float | None:
        if one is None or other is None:
            return None
        result = operation(one, other)
        return None if result is None else float(result)

    return lambda series: _zip(run, left(series), right(series))


def _apply(function: Callable[[float], float], node: Node) -> Node:
    return lambda series: _zip(lambda one: None if one is None else float(function(one)), node(series))


def _choose(condition: Node, then: Node, otherwise: Node | None = None) -> Node:
    def run(asked: float | None, chosen: float | None, other: float | None) -> float | None:
        return None if asked is None else chosen if asked else other

    def node(series: Mapping[str, Series]) -> Value:
        values = condition(series), then(series)
        if otherwise is None:
            return _zip(lambda asked, chosen: run(asked, chosen, None), *values)
        return _zip(run, *values, otherwise(series))

    return node


def _fill(series: Node, filling: Node) -> Node:
    return lambda given: _zip(lambda one, other: other if one is None else one, series(given), filling(given))


def _repeat(node: Node) -> Node:
    def run(series: Mapping[str, Series]) -> Value:
        value = node(series)
        if not isinstance(value, list):
            return value
        repeated: Series = []
        for each in _flatten(value):
            repeated.append(each if each is not None or not repeated else repeated[-1])
        return repeated

    return run


def _gather(nodes: list[Node]) -> Node:
    def run(series: Mapping[str, Series]) -> Value:
        return [_flatten(value) for node in nodes if isinstance(value := node(series), list)]

    return run


def _summarize(function: Callable[[Sequence[float]], float], node: Node) -> Node:
    def summarize(values: Sequence[float | None]) -> float | None:
        present = [value for value in values if value is not None]
        return float(function(present)) if present else None

    def run(series: Mapping[str, Series]) -> Value:
        value = node(series)
        if not isinstance(value, list):
            return value
        rows = [each for each in value if isinstance(each, list)]
        if rows:
            return [summarize(column) for column in zip(*rows, strict=True)]
        return [summarize(_flatten(value))]

    return run


def _flatten(value: Series | list[Series]) -> Series:
    return [each for each in value if not isinstance(each, list)]


def _zip(function: Callable[..., float | None], *values: Value) -> Value:
    """A function of values, point by point where one of them is a series."""
    length = max((len(value) for value in values if isinstance(value, list)), default=1)
    columns = [_stretch(value, length) for value in values]
    return [function(*point) for point in zip(*columns, strict=True)]


def _stretch(value: Value, length: int) -> Series:
    """A value as a series: a number, or a series of one, is the same at every point."""
    flat: Series = _flatten(value) if isinstance(value, list) else [value]
    return flat * length if len(flat) == 1 else flat
