"""Golden requests are asked before the switch, while an update can be rolled back, and of what serves in the end."""

from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator

from tests.stacks.conftest import find_resources, read_definition, template_of
from tests.stacks.executions import Execution, TaskError, execute, fill_tokens
from tests.stacks.pipeline.test_executions import ANSWERS, MISSING, describe_job

SERVICE = get_session().get_service_model("sagemaker")
SERVED = {"EndpointStatus": "InService", "EndpointConfigName": "run-0"}
NEW = {**SERVED, "EndpointConfigName": "run-1"}
UPDATING = {**SERVED, "EndpointStatus": "Updating"}
BAKING = {**UPDATING, "ProductionVariants": [{"VariantName": "a", "VariantStatus": [{"Status": "Baking"}]}]}
PENDING = {**UPDATING, "PendingDeploymentSummary": {"ProductionVariants": BAKING["ProductionVariants"]}}
RIGHT = {"Payload": {"Wrong": 0, "Reason": ""}}
WRONG = {
    "Payload": {"Wrong": 1, "Reason": "1 of 3 golden requests are not answered as expected: cat expected 1, found 2"}
}
REHEARSED = ANSWERS["createProcessingJob"]


def run(**answers: list[Any]) -> Execution:
    definition = fill_tokens(read_definition(template_of("Images", "guard").to_json()))
    given: dict[str, list[Any]] = {
        "createProcessingJob": [describe_job],
        "invoke": [RIGHT],
        "describeAlarms": [{"MetricAlarms": []}],
    }
    return execute(definition, {}, {**ANSWERS, **given, **answers})


def test_rehearses_with_the_serving_container_image_before_anything_is_switched() -> None:
    execution = run()

    operations = execution.list_operations()
    request = dict(execution.requests)["createProcessingJob"]
    report = ParamValidator().validate(
        {**request, "RoleArn": "arn:aws:iam::123456789012:role/rehearsal"},
        SERVICE.operation_model("CreateProcessingJob").input_shape,
    )
    assert report.generate_report() == ""
    assert operations.index("createProcessingJob") < operations.index("createEndpointConfig")
    assert request["ProcessingJobName"] == "run-1-rehearsal"
    assert request["AppSpecification"]["ContainerEntrypoint"] == [
        "python",
        "-m",
        "containers.images.inference.rehearsal",
    ]
    assert request["AppSpecification"]["ContainerArguments"] == [
        "--model",
        "/opt/ml/processing/model/model.tar.gz",
        "--requests",
        "/opt/ml/processing/golden/photographs.jsonl",
    ]
    inputs = {source["InputName"]: source["S3Input"]["S3Uri"] for source in request["ProcessingInputs"]}
    assert inputs["model"] == "s3://work/model.tar.gz"
    assert inputs["golden"].endswith("/golden/images/photographs.jsonl")


def test_touches_no_endpoint_when_the_rehearsal_fails_and_says_which_request_it_was() -> None:
    cause = '{"ProcessingJobName": "x", "ExitMessage": "1 of 3 golden requests are not answered as expected: cat …"}'

    execution = run(createProcessingJob=[TaskError("States.TaskFailed", cause)])

    assert execution.error == "RehearseFailed"
    assert execution.cause.endswith("not answered as expected: cat …")
    assert "createEndpointConfig" not in execution.list_operations()


@pytest.mark.parametrize("stage", [BAKING, PENDING])
def test_asks_the_endpoint_while_the_update_can_be_rolled_back(stage: dict[str, Any]) -> None:
    execution = run(describeEndpoint=[MISSING, SERVED, UPDATING, stage, stage, NEW])

    assert (execution.status, execution.list_operations().count("invoke")) == ("SUCCEEDED", 3)
    assert dict(execution.requests)["invoke"]["Payload"] == {"EndpointName": "headrace-dev-images"}


def test_says_which_request_has_rolled_an_update_back() -> None:
    execution = run(describeEndpoint=[MISSING, SERVED, BAKING, SERVED], invoke=[WRONG])

    assert execution.error == "EndpointRolledBack"
    assert execution.cause.endswith(" 1 of 3 golden requests are not answered as expected: cat expected 1, found 2.")


def test_goes_on_when_the_function_cannot_be_called_and_lets_the_last_answers_decide() -> None:
    failed = TaskError("Exception", "no such file")

    assert run(describeEndpoint=[MISSING, SERVED, BAKING, NEW], invoke=[failed, RIGHT]).status == "SUCCEEDED"
    assert run(describeEndpoint=[MISSING, SERVED, BAKING, NEW], invoke=[failed]).error == "AskServingModelFailed"


def test_fails_when_the_first_model_of_an_endpoint_answers_wrongly() -> None:
    execution = run(invoke=[WRONG])

    assert execution.error == "GoldenRequestsFailed"
    assert execution.cause.startswith("endpoint headrace-dev-images: 1 of 3 golden requests")


def test_rolls_back_by_an_alarm_on_the_requests_that_failed() -> None:
    (alarm,) = (
        alarm["Properties"]
        for alarm in find_resources("guard", "AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("AlarmName") == "headrace-dev-images-golden-requests"
    )

    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (
        "Headrace",
        "GoldenRequestsFailed",
        "Maximum",
    )
    assert alarm["Dimensions"] == [{"Name": "EndpointName", "Value": "headrace-dev-images"}]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")


def test_lets_the_function_read_one_file_and_ask_the_endpoints_of_its_workload() -> None:
    (policy,) = (
        policy["Properties"]["PolicyDocument"]["Statement"]
        for name, policy in find_resources("guard", "AWS::IAM::Policy").items()
        if "GoldenRequests" in name
    )
    allowed = {statement["Action"]: statement for statement in policy if isinstance(statement["Action"], str)}

    assert "golden/images/photographs.jsonl" in str(allowed["s3:GetObject"]["Resource"])
    ours = {"environment": "dev", "project": "headrace", "workload": "images"}
    tagged = {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in ours.items()}}
    assert allowed["sagemaker:InvokeEndpoint"]["Condition"] == tagged
    assert allowed["cloudwatch:PutMetricData"]["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Headrace"}}
