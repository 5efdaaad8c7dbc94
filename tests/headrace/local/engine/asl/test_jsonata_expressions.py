"""An expression is parsed once, and each evaluation of it begins as if it were the first."""

from typing import Any, Final

import pytest
from jsonata.jsonata import Jsonata

from headrace.local.engine.asl import jsonata_expressions
from headrace.local.engine.asl.failures import StateFailedError
from headrace.local.engine.asl.jsonata_expressions import evaluate
from headrace.local.engine.asl.scope import Scope

# One of each part of the language.
EXPRESSIONS: Final = (
    "$states.input.items[size > 1].name[]",
    "$states.input.items^(>size).{'name': name, 'size': size}",
    "$states.input.items{name: $sum(size)}",
    "($twice := function($of) { $of * 2 }; $map($states.input.items.size, $twice))",
    "$states.input.items.size ~> $sum() ~> $string()",
    "$map($states.input.items.size, $power(?, 2))",
    "$states.input.items[0] ~> |$|{'size': size + 1}, 'name'|",
    "$states.input.items.$replace(name, /b+/, 'x')",
    "$count($states.input.items) > 2 ? 'many' : ['few', $states.input.items[-1].**]",
)
ONE: Final[Any] = {"items": [{"name": "ab", "size": 1}, {"name": "bb", "size": 2}, {"name": "ab", "size": 3}]}
OTHER: Final[Any] = {"items": [{"name": "cb", "size": 5}]}


def scope(given: Any) -> Scope:
    return Scope(input=given, context={}, variables={})


def evaluate_first(expression: str, given: Any) -> Any:
    """The value of an expression that has never been parsed."""
    jsonata_expressions._parse.cache_clear()
    return evaluate(expression, scope(given))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_gives_the_same_however_often_it_was_evaluated(expression: str) -> None:
    expected = [evaluate_first(expression, given) for given in (OTHER, ONE, OTHER)]

    assert [evaluate(expression, scope(given)) for given in (OTHER, ONE, OTHER)] == expected
    assert expected[0] != expected[1]


def test_is_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate_first("$states.input.items.size", ONE)
    monkeypatch.setattr(Jsonata, "jsonata", Smallest)

    assert evaluate("$states.input.items.size", scope(OTHER)) == 5


class Smallest(Jsonata):  # type: ignore[misc]
    """Parses nothing but the smallest expression."""

    def __init__(self, text: str) -> None:
        assert text == "null"
        super().__init__(text)


def test_evaluates_after_it_has_failed() -> None:
    expression = "$number($states.input)"
    with pytest.raises(StateFailedError):
        evaluate(expression, scope("many"))

    assert evaluate(expression, scope("12")) == 12
