"""A definition is read as a graph, or it is said what is wrong with it and where."""

import json
from typing import Any

import pytest

from headrace.pipeline.conditions import explain_rule
from headrace.pipeline.definition import Transition, UnreadableDefinitionError, read_definition
from tests.headrace.pipeline.machines import ORDERS


def read_state(**state: Any) -> Any:
    definition = {"StartAt": "A", "States": {"A": state, "B": {"Type": "Succeed"}}}
    return read_definition(json.dumps(definition), "here").states["A"]


def test_reads_where_each_state_leads_and_when() -> None:
    machine = read_definition(json.dumps(ORDERS), "orders.json")

    assert machine.start == "Validate"
    assert machine.states["Validate"].transitions == (
        Transition("Is In Stock"),
        Transition("Rejected", "Catch #1: OrderInvalid", is_catch=True),
        Transition("Broken", "Catch #2: States.ALL", is_catch=True),
    )
    assert machine.states["Is In Stock"].transitions == (
        Transition("Both", "$.stock > 0"),
        Transition("Wait", "$.restock is present"),
        Transition("Rejected", "Default"),
    )
    assert [state.name for state in machine.states.values() if state.ends] == ["Sent", "Rejected", "Broken"]


def test_reads_what_runs_inside_of_states() -> None:
    machine = read_definition(json.dumps(ORDERS), "orders.json")

    assert [inner.start for inner in machine.states["Both"].machines] == ["Charge", "Pack"]
    assert [state.name for state in machine.walk()] == [
        *("Validate", "Is In Stock", "Wait", "Both", "Charge", "Pack", "Label"),
        *("Sent", "Rejected", "Broken"),
    ]


@pytest.mark.parametrize(
    ("resource", "work"),
    [
        ("arn:aws:states:::sagemaker:createTrainingJob.sync", "SageMaker: CreateTrainingJob"),
        ("arn:${AWS::Partition}:states:::aws-sdk:sagemaker:describeEndpoint", "SageMaker: DescribeEndpoint"),
        ("arn:aws:states:::glue:startJobRun.sync", "Glue: StartJobRun"),
        ("arn:aws-cn:lambda:cn-north-1:123456789012:function:resize:live", "Lambda: resize"),
        ("arn:aws:states:eu-west-1:123456789012:activity:approve", "Activity: approve"),
        ("${Resize.Arn}", "Task state"),
    ],
)
def test_says_what_a_task_calls(resource: str, work: str) -> None:
    assert read_state(Type="Task", Resource=resource, Next="B").work == work


def test_says_what_other_states_do() -> None:
    inner = {"StartAt": "C", "States": {"C": {"Type": "Pass", "End": True}}}
    distributed = {**inner, "ProcessorConfig": {"Mode": "DISTRIBUTED"}}

    assert read_state(Type="Wait", Seconds=30, Next="B").work == "Wait state: 30 s"
    assert read_state(Type="Wait", Seconds="{% $pause %}", Next="B").work == "Wait state"
    assert read_state(Type="Map", Iterator=inner, End=True).work == "Map state"
    assert read_state(Type="Map", ItemProcessor=distributed, End=True).work == "Distributed Map state"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"Variable": "$.kind", "StringEquals": "a"}, '$.kind == "a"'),
        ({"Variable": "$.name", "StringMatches": "log-*"}, '$.name matches "log-*"'),
        ({"Variable": "$.a", "NumericLessThanEqualsPath": "$.b"}, "$.a <= $.b"),
        ({"Variable": "$.a", "IsNull": False}, "$.a is not null"),
        ({"Variable": "$.a", "IsString": True}, "$.a is a string"),
        ({"Not": {"Variable": "$.a", "BooleanEquals": True}}, "not ($.a == true)"),
        (
            {"Or": [{"Variable": "$.a", "IsPresent": True}, {"Variable": "$.b", "NumericEquals": 1}]},
            "($.a is present) || ($.b == 1)",
        ),
        ({"Condition": "{% $attempts < 4 %}"}, "$attempts < 4"),
        ({"Condition": "{% $attempts < 4 %}", "Comment": "Try again"}, "Try again"),
        ({}, ""),
        ({"And": [7]}, "(7)"),
    ],
)
def test_says_when_a_rule_holds(rule: dict[str, Any], words: str) -> None:
    assert explain_rule({**rule, "Next": "B"}) == words


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ("{", "here: is not JSON"),
        ("[" * 100_000, "here: is not JSON"),
        ("[]", "here: the definition needs States, which must be an object with entries"),
        ('{"States": {}}', "here: the definition needs States"),
        ('{"States": {"A": 7}, "StartAt": "A"}', "here: the state A needs Type, which must be a text"),
        ('{"States": {"A": {"Type": "Pass"}}}', "here: the definition needs StartAt"),
        (
            '{"States": {"A": {"Type": "Pass", "Next": "C"}}, "StartAt": "A"}',
            "here: the definition is wrong: 'A' leads to 'C', which is not a state there",
        ),
        ('{"States": {"A": {"Type": "Choice", "Choices": [7]}}, "StartAt": "A"}', "here: the state A needs Next"),
        ('{"States": {"A": {"Type": "Task", "Catch": {}}}, "StartAt": "A"}', "needs Catch, which must be a list"),
        (
            '{"States": {"A": {"Type": "Map", "Iterator": {"States": {"B": {}}, "StartAt": "B"}}}, "StartAt": "A"}',
            "here: the state A / B needs Type",
        ),
    ],
)
def test_says_what_is_wrong_with_a_definition(definition: str, reason: str) -> None:
    with pytest.raises(UnreadableDefinitionError) as refused:
        read_definition(definition, "here")

    assert reason in str(refused.value)


def test_refuses_states_that_are_nested_without_end() -> None:
    machine: dict[str, Any] = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    for _ in range(60):
        machine = {"StartAt": "A", "States": {"A": {"Type": "Map", "Iterator": machine, "End": True}}}

    with pytest.raises(UnreadableDefinitionError, match="more than 50 others"):
        read_definition(json.dumps(machine), "here")
