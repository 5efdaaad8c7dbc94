"""An update that alarms watch: what SageMaker is asked for, and what is said of one that was rolled back."""

from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator

from headrace.policies import as_list
from tests.stacks.conftest import find_resources, read_definition, template_of
from tests.stacks.executions import Execution, TaskError, execute, fill_tokens
from tests.stacks.pipeline.test_executions import ANSWERS as CREATING

SERVICE = get_session().get_service_model("sagemaker")
SERVED = {"EndpointStatus": "InService", "EndpointConfigName": "run-0"}
ROLLED_BACK = [SERVED, SERVED, {"EndpointStatus": "Updating", "EndpointConfigName": "run-0"}, SERVED]
ERRORS = "headrace-dev-bigmart-endpoint-errors"
ALARMS = [ERRORS, "headrace-dev-bigmart-endpoint-latency"]
LONG_AGO = "2020-01-01T00:00:00Z"


# What serves is looked for at first; here it is no version.
ANSWERS = CREATING | {
    "describeEndpointConfig": [{"ProductionVariants": [{"ModelName": "another"}]}],
    "describeModel": [{"PrimaryContainer": {"Image": "another"}}],
}


def run(given: Any = None, *, variant: str = "guard", **answers: list[Any]) -> Execution:
    definition = fill_tokens(read_definition(template_of("BigMart", variant).to_json()))
    return execute(definition, given or {}, ANSWERS | answers)


def find_update(execution: Execution) -> dict[str, Any]:
    (request,) = (dict(request) for operation, request in execution.requests if operation == "updateEndpoint")
    report = ParamValidator().validate(request, SERVICE.operation_model("UpdateEndpoint").input_shape)
    assert report.generate_report() == ""
    return request


def test_updates_as_sagemaker_does_by_itself_unless_the_settings_say_otherwise() -> None:
    execution = run(variant="dev", describeEndpoint=[SERVED, SERVED, {**SERVED, "EndpointConfigName": "run-1"}])

    assert find_update(execution).keys() == {"EndpointName", "EndpointConfigName"}


def test_lets_a_part_of_the_new_machines_serve_first_while_alarms_watch() -> None:
    execution = run(describeEndpoint=[SERVED, SERVED, {**SERVED, "EndpointConfigName": "run-1"}])

    deployment = find_update(execution)["DeploymentConfig"]
    assert deployment["BlueGreenUpdatePolicy"] == {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "WaitIntervalInSeconds": 120,
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25},
        },
        "TerminationWaitInSeconds": 0,
        "MaximumExecutionTimeoutInSeconds": 3600,
    }
    assert deployment["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": name} for name in ALARMS]}


@pytest.mark.parametrize(("name", "is_watched"), [("HEADRACE-dev-bigmart", True), ("shop", False)])
def test_has_alarms_for_the_endpoint_of_the_settings_only(name: str, is_watched: bool) -> None:
    answers = [SERVED, SERVED, {**SERVED, "EndpointConfigName": "run-1"}]

    request = find_update(run({"EndpointName": name}, describeEndpoint=answers))

    assert bool(request["DeploymentConfig"]["AutoRollbackConfiguration"]) == is_watched


def test_has_the_metrics_come_as_often_as_the_settings_say() -> None:
    requests = {variant: dict(run(variant=variant).requests)["createEndpointConfig"] for variant in ("dev", "guard")}

    assert "MetricsConfig" not in requests["dev"]
    assert requests["guard"]["MetricsConfig"] == {"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 10}


@pytest.mark.parametrize(
    ("alarms", "said"),
    [
        ([{"StateValue": "ALARM", "StateTransitionedTimestamp": LONG_AGO}], f" Alarms that have gone off: {ERRORS}."),
        ([{"StateValue": "OK", "StateTransitionedTimestamp": "2999-01-01T00:00:00Z"}], f"gone off: {ERRORS}."),
        ([{"StateValue": "OK", "StateTransitionedTimestamp": LONG_AGO}], "it was rolled back"),
        ([], "it was rolled back"),
    ],
)
def test_says_which_alarm_has_rolled_an_update_back(alarms: list[dict[str, Any]], said: str) -> None:
    reason = {**SERVED, "FailureReason": "it was rolled back"}

    execution = run(
        describeEndpoint=[SERVED, SERVED, reason],
        describeAlarms=[{"MetricAlarms": [{"AlarmName": ERRORS, **alarm} for alarm in alarms]}],
    )

    assert (execution.error, dict(execution.requests)["describeAlarms"]) == (
        "EndpointRolledBack",
        {"AlarmNames": ALARMS},
    )
    assert execution.cause.endswith(said)


@pytest.mark.parametrize("answer", [{}, {"MetricAlarms": [{}]}, TaskError("CloudWatch.CloudWatchException", "no")])
def test_fails_with_the_rollback_whatever_cloudwatch_says(answer: Any) -> None:
    execution = run(describeEndpoint=ROLLED_BACK, describeAlarms=[answer])

    assert execution.error == "EndpointRolledBack"
    assert execution.cause.startswith("endpoint headrace-dev-bigmart serves run-0 again: the update was rolled back.")


def test_asks_no_alarms_where_there_are_none() -> None:
    execution = run(variant="dev", describeEndpoint=ROLLED_BACK)

    assert (execution.error, execution.list_operations()[-1]) == ("EndpointRolledBack", "describeEndpoint")


def test_watches_errors_as_a_share_of_requests_and_stays_silent_without_any() -> None:
    alarms = {
        alarm["Properties"]["AlarmName"]: alarm["Properties"]
        for alarm in find_resources("guard", "AWS::CloudWatch::Alarm").values()
        if "AlarmName" in alarm["Properties"]
    }

    errors, latency = (alarms[name] for name in ALARMS)
    assert [query.get("Expression") for query in errors["Metrics"]] == ["100 * FILL(errors, 0) / requests", None, None]
    assert {query["MetricStat"]["Period"] for query in errors["Metrics"][1:]} == {10}
    assert (errors["Threshold"], errors["TreatMissingData"]) == (2.5, "notBreaching")
    assert (latency["ExtendedStatistic"], latency["Threshold"], latency["MetricName"]) == (
        "p99",
        250_000,
        "ModelLatency",
    )
    assert "headrace-dev-images-endpoint-errors" in alarms


def test_watches_what_containers_count_by_promql() -> None:
    (alarm,) = (
        alarm["Properties"]
        for alarm in find_resources("container-alarms", "AWS::CloudWatch::Alarm").values()
        if "EvaluationCriteria" in alarm["Properties"]
    )

    assert alarm["AlarmName"] == "headrace-dev-bigmart-container-errors"
    assert alarm["EvaluationCriteria"]["PromQLCriteria"]["Query"] == (
        'sum(increase({"headrace_model_errors_total", "aws.sagemaker.endpoint.name"="headrace-dev-bigmart"}[1m])) > 0'
    )


def test_lets_sagemaker_and_the_state_machine_look_at_alarms() -> None:
    policies = [policy["Properties"] for policy in find_resources("guard", "AWS::IAM::Policy").values()]
    statements = [
        statement
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        if "cloudwatch:DescribeAlarms" in as_list(statement["Action"])
    ]

    assert len(statements) == 4
