"""Checks of Retry and Catch."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from headrace.local.engine.asl.definition.expressions import check_number, check_reference
from headrace.local.engine.asl.definition.findings import Findings
from headrace.local.engine.asl.documents import is_number
from headrace.local.engine.asl.failures import ALL
from headrace.local.engine.asl.languages import JSONATA
from headrace.local.engine.asl.plain_states import MOST_SECONDS

_LONGEST_DELAY: Final = 31_622_400
_OF_RETRIERS: Final = frozenset(
    {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy", "Comment"}
)
_OF_CATCHERS: Final = frozenset({"ErrorEquals", "Next", "Assign", "Comment"})


def check_retriers(retriers: Any, place: str, findings: Findings) -> None:
    """The retriers of a state."""
    for at, retrier in enumerate(_list_rules(retriers, place, findings)):
        here = f"{place}[{at}]"
        for name in retrier.keys() - _OF_RETRIERS:
            findings.add("Field is not supported", f"{here}/{name}")
        _check_numbers(retrier, here, findings)


def check_catchers(catchers: Any, place: str, language: str, findings: Findings) -> None:
    """The catchers of a state; where they lead is checked with all other transitions."""
    supported = _OF_CATCHERS | {"Output" if language == JSONATA else "ResultPath"}
    for at, catcher in enumerate(_list_rules(catchers, place, findings)):
        here = f"{place}[{at}]"
        for name in catcher.keys() - supported:
            findings.add("Field is not supported", f"{here}/{name}")
        if "Next" not in catcher:
            findings.add("Missing 'Next'", here)
        if "ResultPath" in catcher:
            check_reference(catcher["ResultPath"], f"{here}/ResultPath", findings)


def _check_numbers(retrier: Mapping[str, Any], place: str, findings: Findings) -> None:
    bounds = {
        "IntervalSeconds": (1, MOST_SECONDS),
        "MaxAttempts": (0, MOST_SECONDS),
        "BackoffRate": (1, float("inf")),
        "MaxDelaySeconds": (1, _LONGEST_DELAY),
    }
    for name, (least, most) in bounds.items():
        if name in retrier:
            whole = name != "BackoffRate"
            check_number(retrier[name], f"{place}/{name}", findings, least=least, most=most, whole=whole)
    if retrier.get("JitterStrategy", "NONE") not in ("FULL", "NONE"):
        findings.add("Expected FULL or NONE", f"{place}/JitterStrategy")
    interval, longest = retrier.get("IntervalSeconds", 1), retrier.get("MaxDelaySeconds")
    if is_number(interval) and is_number(longest) and longest <= interval:
        findings.add("MaxDelaySeconds must be greater than IntervalSeconds", f"{place}/MaxDelaySeconds")


def _list_rules(rules: Any, place: str, findings: Findings) -> Sequence[Mapping[str, Any]]:
    """The rules that are objects, once their ErrorEquals are checked."""
    if not isinstance(rules, list):
        findings.add("Expected value of type Array", place)
        return []
    for at, rule in enumerate(rules):
        if not isinstance(rule, Mapping):
            findings.add("Expected value of type Object", f"{place}[{at}]")
            continue
        _check_names(rule.get("ErrorEquals"), f"{place}[{at}]/ErrorEquals", findings, is_last=at == len(rules) - 1)
    return [rule for rule in rules if isinstance(rule, Mapping)]


def _check_names(names: Any, place: str, findings: Findings, *, is_last: bool) -> None:
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        findings.add("Expected a non-empty array of error names", place)
    elif ALL in names and len(names) > 1:
        findings.add(f"{ALL} must appear alone", place)
    elif ALL in names and not is_last:
        findings.add(f"{ALL} can only appear in the last rule", place)
