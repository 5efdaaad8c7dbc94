"""Definitions that no state machine is made of (`refused.jsonl`), and those that one is made of."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.local.engine.asl.definition.checker import InvalidDefinitionError, check_definition

REFUSED = [
    json.loads(line) for line in Path(__file__).with_name("refused.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in REFUSED])
def test_refuses(case: Mapping[str, Any]) -> None:
    with pytest.raises(InvalidDefinitionError, match=r"Invalid State Machine Definition: '[A-Z_]+: .+ at /"):
        check_definition(json.dumps(case["definition"]))


CASES = [json.loads(line) for line in Path(__file__).with_name("cases.jsonl").read_text(encoding="utf-8").splitlines()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.just("{% $x %}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
# What AWS refuses that the file of refused definitions has no example of.
ALSO_REFUSED = {
    "no JSON": "{",
    "no object": "[]",
    "NaN": '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": NaN, "End": true}}}',
    "an unknown field": {"A": {"Type": "Pass", "Rezult": 1, "End": True}},
    "both Next and End": {"A": {"Type": "Pass", "Next": "Z", "End": True}, "Z": {"Type": "Succeed"}},
    "a Wait without a duration": {"A": {"Type": "Wait", "End": True}},
    "a catcher without Next": {"A": {"Type": "Map", "ItemProcessor": {}, "Catch": [{"ErrorEquals": ["E"]}]}},
    "no branches": {"A": {"Type": "Parallel", "Branches": [], "End": True}},
    "a task without a resource": {"A": {"Type": "Task", "End": True}},
    "an unknown comparison": {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEqual": 1, "Next": "Z"}]},
        "Z": {"Type": "Succeed"},
    },
    "an operand of another type": {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEquals": "1", "Next": "Z"}]},
        "Z": {"Type": "Succeed"},
    },
    "a limit of no time": {"A": {"Type": "Task", "Resource": "arn:aws:r", "TimeoutSeconds": 0, "End": True}},
}


def replace_one(document: Any, place: int, value: Any) -> Any:
    """A copy of a document with another value at its nth place."""
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key, inner in node.items() if isinstance(node, dict) else enumerate(node):
            places.append((node, key))
            if isinstance(inner, dict | list):
                walk(inner)

    copy = json.loads(json.dumps(document))
    walk(copy)
    owner, key = places[place % len(places)]
    owner[key] = value
    return copy


@pytest.mark.parametrize("states", ALSO_REFUSED.values(), ids=ALSO_REFUSED)
def test_refuses_also(states: Any) -> None:
    text = states if isinstance(states, str) else json.dumps({"StartAt": "A", "States": states})

    with pytest.raises(InvalidDefinitionError):
        check_definition(text)


def test_names_the_place_of_each_fault() -> None:
    states = {"A": {"Type": "Pass", "Next": "B"}, "C": {"Type": "Wait", "Seconds": -1, "Next": "A"}}

    with pytest.raises(InvalidDefinitionError) as refusal:
        check_definition(json.dumps({"StartAt": "A", "States": states}))

    assert [str(fault) for fault in refusal.value.faults] == [
        "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next",
        'MISSING_TRANSITION_TARGET: State "C" is not reachable. at /States/C',
        "SCHEMA_VALIDATION_FAILED: Expected value of type Integer from 0 to 99999999 at /States/C/Seconds",
    ]


@given(case=st.sampled_from(CASES), place=st.integers(0, 200), value=JSON)
def test_finds_faults_without_faults_of_its_own(case: Mapping[str, Any], place: int, value: Any) -> None:
    text = json.dumps(replace_one(case["definition"], place, value))

    with suppress(InvalidDefinitionError):
        check_definition(text)
