"""What Step Functions refuses: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html."""

import json
from typing import Any

import pytest

from headrace.local.engine.step_functions import StatesError, check_request

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:machine"


def find_refusal(operation: str = "StartExecution", **request: Any) -> str:
    """The code of the error, or nothing."""
    if operation == "StartExecution":
        request = {"stateMachineArn": MACHINE, **request}
    try:
        check_request(operation, request)
    except StatesError as error:
        return error.code
    return ""


@pytest.mark.parametrize("name", ["a", "a" * 80, "run-1_2.3", "a+b=c@d!(e)'", "ünïcode"])
def test_takes_names_that_aws_takes(name: str) -> None:
    assert find_refusal(name=name) == ""


@pytest.mark.parametrize(
    "name", [*'<>{}[]?*"#%\\^|~`$&,;:/', "a b", "a\tb", "a\n", "a\x00", "a\x9f", "a\u2003", "\ud800"]
)
def test_refuses_names_with_a_character_that_aws_does_not_take(name: str) -> None:
    assert find_refusal(name=name) == "InvalidName"


# Seen on AWS: https://github.com/wolfeidau/buildkite-serverless-agent/issues/37.
@pytest.mark.parametrize("name", ["", "a" * 81, 7])
def test_refuses_names_that_are_too_long_or_none(name: object) -> None:
    assert find_refusal(name=name) == "ValidationException"


@pytest.mark.parametrize("text", ["{", "", "x", "{'a': 1}", '{"a": NaN}', "[1,]", '{"a": 1} {}', "[" * 100_000])
def test_refuses_an_input_that_is_not_json(text: str) -> None:
    assert find_refusal(input=text) == "InvalidExecutionInput"


@pytest.mark.parametrize("text", ["{}", " {} ", "null", "5", '"a"', "[]", '{"a": "é\U0001f600"}'])
def test_takes_any_json(text: str) -> None:
    assert find_refusal(input=text) == ""


def test_takes_an_input_of_256_kib_and_no_more() -> None:
    assert find_refusal(input='"' + "a" * (262_144 - 2) + '"') == ""
    assert find_refusal(input='"' + "a" * (262_144 - 1) + '"') == "ValidationException"
    assert find_refusal(input='"' + "é" * 140_000 + '"') == "InvalidExecutionInput"


def test_tells_no_input_in_its_message() -> None:
    with pytest.raises(StatesError, match="Invalid State Machine Execution Input: 'Expecting ',' delimiter"):
        check_request("StartExecution", {"stateMachineArn": MACHINE, "input": '{"secret": 1 "b": 2}'})


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("CreateStateMachine", {"name": "a b", "definition": "{}", "roleArn": "arn"}, "InvalidName"),
        ("CreateStateMachine", {"name": "a" * 81, "definition": "{}", "roleArn": "arn"}, "ValidationException"),
        ("CreateActivity", {"name": "a:b"}, "InvalidName"),
        ("StartSyncExecution", {"stateMachineArn": MACHINE, "input": "{"}, "InvalidExecutionInput"),
        ("SendTaskSuccess", {"taskToken": "t", "output": "{"}, "InvalidOutput"),
        ("StopExecution", {"executionArn": "arn", "error": "e" * 257}, "ValidationException"),
        ("StopExecution", {}, "ValidationException"),
        ("ListExecutions", {"stateMachineArn": MACHINE, "statusFilter": "DONE"}, "ValidationException"),
        ("ListExecutions", {"stateMachineArn": MACHINE, "maxResults": 5000}, "ValidationException"),
        ("DescribeStateMachine", {"stateMachineArn": ""}, "ValidationException"),
        ("UpdateStateMachine", {"stateMachineArn": MACHINE, "definition": "{"}, "InvalidDefinition"),
    ],
)
def test_refuses_the_same_of_the_operations_beside_it(operation: str, request_: dict[str, Any], code: str) -> None:
    assert find_refusal(operation, **request_) == code


@pytest.mark.parametrize(
    ("definition", "fault"),
    [
        ([], "SCHEMA_VALIDATION_FAILED: Expected value of type Object at /"),
        ({"StartAt": "A", "States": {"A": {"Next": "A"}}}, "SCHEMA_VALIDATION_FAILED: .* at /States/A/Type"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}, "target: B at /States/A/Next"),
    ],
)
@pytest.mark.parametrize("operation", ["CreateStateMachine", "UpdateStateMachine"])
def test_refuses_a_definition_that_cannot_run(operation: str, definition: object, fault: str) -> None:
    request = {"name": "a", "definition": json.dumps(definition), "roleArn": "arn", "stateMachineArn": MACHINE}

    with pytest.raises(StatesError, match=f"Invalid State Machine Definition: '.*{fault}"):
        check_request(operation, request)
