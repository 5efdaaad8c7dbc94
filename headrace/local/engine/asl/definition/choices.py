"""Checks of the rules of Choice states."""

from collections.abc import Mapping
from typing import Any, Final

from headrace.local.engine.asl.comparisons import COMPARISONS, TYPE_TESTS
from headrace.local.engine.asl.definition.expressions import check_input_path
from headrace.local.engine.asl.definition.findings import Findings
from headrace.local.engine.asl.jsonata_expressions import read_expression

_COMBINATIONS: Final = frozenset({"And", "Or", "Not"})
_OF_JSONATA: Final = frozenset({"Condition", "Next", "Output", "Assign", "Comment"})
_BESIDES: Final = frozenset({"Variable", "Next", "Assign", "Comment"})


def check_jsonata_rule(rule: Mapping[str, Any], place: str, findings: Findings) -> None:
    """A rule with a condition."""
    for name in rule.keys() - _OF_JSONATA:
        findings.add("Field is not supported in a JSONata rule", f"{place}/{name}")
    condition = rule.get("Condition")
    if not isinstance(condition, bool) and read_expression(condition) is None:
        findings.add("A rule needs a Condition, a boolean or a JSONata expression", f"{place}/Condition")


def check_jsonpath_rule(rule: Any, place: str, findings: Findings, *, is_inner: bool = False) -> None:
    """A rule with one comparison, or one combination of rules."""
    if not isinstance(rule, Mapping):
        findings.add("Expected value of type Object", place)
        return
    tests = rule.keys() - _BESIDES
    if is_inner and (given := rule.keys() & {"Next", "Assign"}):
        findings.add("An inner rule has no such field", f"{place}/{min(given)}")
    if len(tests) != 1:
        findings.add("A rule has exactly one comparison", place)
        return
    (test,) = tests
    if test in _COMBINATIONS:
        _check_combination(rule[test], f"{place}/{test}", test, findings)
        return
    if "Variable" not in rule:
        findings.add("Missing 'Variable'", place)
    else:
        _check_path(rule["Variable"], f"{place}/Variable", findings)
    _check_comparison(test, rule[test], f"{place}/{test}", findings)


def _check_combination(inner: Any, place: str, test: str, findings: Findings) -> None:
    if test == "Not":
        check_jsonpath_rule(inner, place, findings, is_inner=True)
    elif not isinstance(inner, list) or not inner:
        findings.add("Expected a non-empty array of rules", place)
    else:
        for at, rule in enumerate(inner):
            check_jsonpath_rule(rule, f"{place}[{at}]", findings, is_inner=True)


def _check_comparison(test: str, operand: Any, place: str, findings: Findings) -> None:
    if test in TYPE_TESTS:
        if not isinstance(operand, bool):
            findings.add("Expected value of type Boolean", place)
    elif test == "StringMatches":
        if not isinstance(operand, str):
            findings.add("Expected value of type String", place)
    elif test.removesuffix("Path") not in COMPARISONS:
        findings.add("Field is not supported: there is no such comparison", place)
    elif test.endswith("Path"):
        _check_path(operand, place, findings)
    elif COMPARISONS[test][0](operand) is None:
        findings.add("The operand is not of the comparison's type", place)


def _check_path(path: Any, place: str, findings: Findings) -> None:
    if path is None:
        findings.add("Value is not a Reference Path", place)
    check_input_path(path, place, findings)
