"""Executions through the API of a real local cloud, and cases of the language in the same way."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from headrace.local.engine.asl.documents import are_equal
from headrace.local.engine.cloud import LocalCloud
from tests.headrace.local.engine.asl.test_cases import CASES, Case
from tests.local_clouds import allow, make_role, running_with_object
from tests.patience import wait_until

pytestmark = pytest.mark.slow

READ = "arn:aws:states:::aws-sdk:ssm:getParameter"
# What calls nothing and waits for nothing, every fifth of it.
SAMPLE = [case for case in CASES if not (case["mocks"] or case.keys() & {"realtime", "unsure", "no_input"})][::5]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with running_with_object(tmp_path_factory.mktemp("cloud"), "a", b"a") as started:
        make_role("states", allow("ssm:*", "sqs:*", "s3:*", "states:*"), trusted="states.amazonaws.com")
        yield started


@pytest.fixture
def states(cloud: LocalCloud) -> Any:
    assert cloud
    return boto3.client("stepfunctions", config=Config(inject_host_prefix=False))


def make(states: Any, name: str, definition: Mapping[str, Any]) -> str:
    """A state machine."""
    role = "arn:aws:iam::000000000000:role/states"
    made = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
    return str(made["stateMachineArn"])


def write_task(resource: str, **fields: Any) -> dict[str, Any]:
    """A JSONata definition of a state before a task, and the task."""
    task = {"Type": "Task", "Resource": resource, "End": True, **fields}
    states = {"Before": {"Type": "Pass", "Output": {"n": 1}, "Next": "Task"}, "Task": task}
    return {"QueryLanguage": "JSONata", "StartAt": "Before", "States": states}


def wait_for_end(states: Any, arn: str) -> dict[str, Any]:
    """What is said of an execution that has ended."""

    def find() -> Any:
        found = states.describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None

    return dict(wait_until(find))


def list_events(states: Any, arn: str) -> list[dict[str, Any]]:
    """The history of an execution."""
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def list_entered(states: Any, arn: str) -> list[str]:
    """The states that an execution has entered."""
    found = [event.get("stateEnteredEventDetails") for event in list_events(states, arn)]
    return [details["name"] for details in found if details]


def refuse(call: Callable[..., Any], **request: Any) -> str:
    """The code and words of a refusal."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    error = refused.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in SAMPLE])
def test_holds_through_the_api(states: Any, case: Case) -> None:
    machine, expected = make(states, case["id"], case["definition"]), case["expect"]
    name = case.get("execution_name", case["id"])

    arn = states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(case["input"]))["executionArn"]

    ended = wait_for_end(states, arn)
    assert ended["status"] == expected["status"], ended
    if "output" in expected:
        assert are_equal(json.loads(ended["output"]), expected["output"])
    if "error" in expected:
        assert ended["error"] in expected["error"]
    outermost = case["definition"]["States"]
    assert [name for name in list_entered(states, arn) if name in outermost] == expected.get(
        "path", list_entered(states, arn)
    )


def test_goes_on_at_the_state_that_failed(states: Any) -> None:
    machine = make(states, "redriven", write_task(READ, Arguments={"Name": "late"}, Output="{% 'read' %}"))
    arn = states.start_execution(stateMachineArn=machine)["executionArn"]
    failed = wait_for_end(states, arn)
    assert (failed["status"], failed["redriveStatus"], failed["redriveCount"]) == ("FAILED", "REDRIVABLE", 0)
    boto3.client("ssm").put_parameter(Name="late", Value="v", Type="String")

    redriven = states.redrive_execution(executionArn=arn, clientToken="once")

    ended = wait_for_end(states, arn)
    again = states.redrive_execution(executionArn=arn, clientToken="once")
    assert again["redriveDate"] == redriven["redriveDate"]
    assert (ended["status"], ended["output"], ended["redriveCount"]) == ("SUCCEEDED", '"read"', 1)
    assert ended["redriveDate"] == redriven["redriveDate"]
    assert list_entered(states, arn) == ["Before", "Task", "Task"]
    assert states.list_executions(stateMachineArn=machine)["executions"][0]["redriveCount"] == 1
    assert "ExecutionNotRedrivable" in refuse(states.redrive_execution, executionArn=arn)


def test_publishes_each_status_of_an_execution(states: Any) -> None:
    sqs, events = boto3.client("sqs"), boto3.client("events")
    queue = sqs.create_queue(QueueName="statuses")["QueueUrl"]
    pattern = {"source": ["aws.states"], "detail": {"name": ["published"]}}
    events.put_rule(Name="statuses", EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": "arn:aws:sqs:us-east-1:000000000000:statuses"}
    events.put_targets(Rule="statuses", Targets=[target])
    machine = make(states, "published", {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "E"}}})
    found: list[tuple[str, str]] = []

    def receive() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            detail = json.loads(message["Body"])["detail"]
            found.append((detail["status"], detail["redriveStatus"]))
        return len(found) > 1

    states.start_execution(stateMachineArn=machine, name="published")
    wait_until(receive)

    assert sorted(found) == [("FAILED", "REDRIVABLE"), ("RUNNING", "NOT_REDRIVABLE")]


def test_refuses_to_redrive_what_there_is_not(states: Any) -> None:
    arn = "arn:aws:states:us-east-1:000000000000:execution:machine:lost"

    assert "ExecutionDoesNotExist" in refuse(states.redrive_execution, executionArn=arn)


def test_ends_an_execution_that_runs_out_of_time_and_redrives_it(states: Any) -> None:
    wait = {"Type": "Wait", "Seconds": 99_999_999, "End": True}
    machine = make(states, "late", {"StartAt": "Wait", "TimeoutSeconds": 1, "States": {"Wait": wait}})

    arn = states.start_execution(stateMachineArn=machine)["executionArn"]

    assert wait_for_end(states, arn)["status"] == "TIMED_OUT"
    assert list_events(states, arn)[-1]["type"] == "ExecutionTimedOut"
    states.redrive_execution(executionArn=arn)
    states.stop_execution(executionArn=arn, error="Test", cause="by hand")
    stopped = wait_for_end(states, arn)
    assert (stopped["status"], stopped["error"], stopped["cause"]) == ("ABORTED", "Test", "by hand")
    wait_until(lambda: list_events(states, arn)[-1]["type"] == "ExecutionAborted")
    states.redrive_execution(executionArn=arn)
    states.stop_execution(executionArn=arn)


def test_waits_for_what_is_sent_with_a_token(states: Any) -> None:
    sqs: Any = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="tasks")["QueueUrl"]
    arguments = {"QueueUrl": queue, "MessageBody": {"token": "{% $states.context.Task.Token %}"}}
    definition = write_task("arn:aws:states:::sqs:sendMessage.waitForTaskToken", Arguments=arguments)
    arn = states.start_execution(stateMachineArn=make(states, "waiting", definition))["executionArn"]
    (message,) = wait_until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    token = json.loads(message["Body"])["token"]

    states.send_task_heartbeat(taskToken=token)
    states.send_task_success(taskToken=token, output='{"answer": 42}')

    assert json.loads(wait_for_end(states, arn)["output"]) == {"answer": 42}
    assert "TaskDoesNotExist" in refuse(states.send_task_success, taskToken="lost", output="{}")


def test_tries_a_state_out(states: Any) -> None:
    task = write_task(READ, Arguments={"Name": "{% $name %}"}, Retry=[{"ErrorEquals": ["E"], "MaxAttempts": 2}])
    request = {"definition": json.dumps(task), "stateName": "Task", "variables": '{"name": "p"}'}
    request |= {"roleArn": "arn:aws:iam::000000000000:role/states", "inspectionLevel": "DEBUG"}
    failing = {"mock": {"errorOutput": {"error": "E", "cause": "c"}}}

    found = states.test_state(**request, mock={"result": '{"Parameter": {}}'})
    again = states.test_state(**request, **failing, stateConfiguration={"retrierRetryCount": 1})
    no_more = states.test_state(**request, **failing, stateConfiguration={"retrierRetryCount": 2})
    real = states.test_state(**request)

    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", {"Parameter": {}})
    assert (again["status"], again["inspectionData"]["errorDetails"]["retryBackoffIntervalSeconds"]) == ("RETRIABLE", 2)
    assert (no_more["status"], no_more["error"]) == ("FAILED", "E")
    assert (real["status"], real["error"].partition(".")[0]) == ("FAILED", "Ssm")
    assert json.loads(real["inspectionData"]["afterArguments"]) == {"Name": "p"}


def test_tries_a_state_out_that_is_given_alone(states: Any) -> None:
    state = {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "There"}]}
    request = {"definition": json.dumps(state), "roleArn": "arn:aws:iam::000000000000:role/states"}

    assert states.test_state(**request, input='{"a": 1}')["nextState"] == "There"
    assert states.test_state(**request, input="{}")["error"] == "States.Runtime"
    broken = {**request, "definition": '{"Type": "Choice", "Choices": []}'}
    assert "InvalidDefinition" in refuse(states.test_state, **broken)


def test_says_what_is_wrong_with_a_definition(states: Any) -> None:
    machine = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}

    found = states.validate_state_machine_definition(definition=json.dumps(machine))

    assert found["result"] == "FAIL"
    assert [(fault["code"], fault["location"]) for fault in found["diagnostics"]] == [
        ("MISSING_TRANSITION_TARGET", "/States/A/Next")
    ]


def test_makes_no_state_machine_of_a_template_with_a_bad_definition(states: Any, cloud: LocalCloud) -> None:
    formation: Any = boto3.client("cloudformation")
    definition = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Rezult": 1, "End": true}}}'
    role = "arn:aws:iam::000000000000:role/states"
    properties = {"DefinitionString": definition, "RoleArn": role}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    formation.create_stack(StackName="bad", TemplateBody=json.dumps({"Resources": {"Machine": machine}}))

    def find() -> str:
        reasons = [
            e.get("ResourceStatusReason", "") for e in formation.describe_stack_events(StackName="bad")["StackEvents"]
        ]
        return next((reason for reason in reasons if "InvalidDefinition" in reason), "")

    assert "Field is not supported by Pass states in JSONPath at /States/A/Rezult" in wait_until(find)


S3 = "arn:aws:states:::aws-sdk:s3"


def run_task(states: Any, name: str, resource: str, **fields: Any) -> dict[str, Any]:
    """How an execution of one task has ended."""
    arn = states.start_execution(stateMachineArn=make(states, name, write_task(resource, **fields)))["executionArn"]
    return wait_for_end(states, arn)


def test_reads_what_was_written_as_text(states: Any) -> None:
    place = {"Bucket": "raw", "Key": "turns/é x"}
    written = run_task(states, "writes", f"{S3}:putObject", Arguments={**place, "Body": '{"n": 1}'})
    read = run_task(states, "reads", f"{S3}:getObject", Arguments=place)

    tag = json.loads(written["output"])["ETag"]
    found = json.loads(read["output"])
    assert (found["Body"], found["ETag"], found["ContentLength"]) == ('{"n": 1}', tag, 8)


def test_lets_one_of_many_write_what_is_not_there(states: Any) -> None:
    body = "{% $states.context.Execution.Name %}"
    arguments = {"Bucket": "raw", "Key": "turns/one", "Body": body, "IfNoneMatch": "*"}
    machine = make(states, "rivals", write_task(f"{S3}:putObject", Arguments=arguments))

    arns = [states.start_execution(stateMachineArn=machine, name=f"r{n}")["executionArn"] for n in range(8)]

    ends = [wait_for_end(states, arn) for arn in arns]
    winners = [end["name"] for end in ends if end["status"] == "SUCCEEDED"]
    assert winners == [boto3.client("s3").get_object(Bucket="raw", Key="turns/one")["Body"].read().decode()]
    assert {(end["error"], end["cause"][-31:]) for end in ends if end["status"] == "FAILED"} == {
        ("S3.S3Exception", "(Service: S3, Status Code: 412)")
    }


@pytest.mark.parametrize(
    ("name", "operation", "arguments", "error"),
    [
        ("absent", "getObject", {"Key": "absent"}, "S3.NoSuchKeyException"),
        ("matches", "putObject", {"Key": "absent", "Body": "", "IfMatch": '"0"'}, "S3.NoSuchKeyException"),
        ("deletes", "deleteObject", {"Key": "a", "IfMatch": '"0"'}, "S3.S3Exception"),
        ("misspells", "getObject", {"key": "a"}, "States.Runtime"),
    ],
)
def test_names_errors_of_s3_as_step_functions_does(
    states: Any, name: str, operation: str, arguments: dict[str, Any], error: str
) -> None:
    ended = run_task(states, name, f"{S3}:{operation}", Arguments={"Bucket": "raw", **arguments})

    assert (ended["status"], ended["error"]) == ("FAILED", error)


def test_names_errors_of_step_functions_itself_as_it_does(states: Any) -> None:
    arn = "arn:aws:states:us-east-1:000000000000:execution:absent:absent"

    ended = run_task(states, "looks", "arn:aws:states:::aws-sdk:sfn:describeExecution", Arguments={"ExecutionArn": arn})

    assert ended["error"] == "Sfn.ExecutionDoesNotExistException"
