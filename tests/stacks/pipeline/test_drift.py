"""Checks for drift, executed by the engine's interpreter: what is compared, what is said, and what is started."""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from headrace.drift.contract import Metric
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import SWITCHES, find_resources, read_definition, template_of
from tests.stacks.executions import Execution, TaskError, execute, fill_tokens
from tests.stacks.pipeline.test_executions import MISSING

VERSION = "arn:filled:sagemaker:filled:filled:model-package/headrace-dev-bigmart/1"
FACTS = {"headrace:record": "s3://filled/executions/run-0/record/", "headrace:fingerprint": "f00d"}
PROMOTED = "models/bigmart/promoted/dev-7-0123456789ab/record/"
PROFILES = ("executions/run-0/record/profile.json", f"{PROMOTED}profile.json")
CAPTURED = "captured/bigmart/headrace-dev-bigmart/AllTraffic"
GIVEN = {"Time": "2026-12-01T06:00:00Z"}
STEADY = {"Verdict": "steady", "Reason": "steady", "DriftedColumns": 0, "Columns": [], "Rows": 500, "Index": 0.02}
DRIFTED = STEADY | {"Verdict": "drifted", "DriftedColumns": 1, "Columns": ["Item_MRP"], "Index": 4.5}
STARTED = {"ExecutionArn": "arn:filled:states:filled:filled:execution:bigmart:drift-1"}


def list_objects(*days: str, truth: bool = False) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """What S3 lists where these days were captured."""

    def run(asked: Mapping[str, Any]) -> dict[str, Any]:
        if "Delimiter" in asked:
            found = [f"{CAPTURED}/{day}/" for day in days if f"{CAPTURED}/{day}/".startswith(asked["Prefix"])]
            return {
                "KeyCount": len(found),
                **({"CommonPrefixes": [{"Prefix": each} for each in found]} if found else {}),
            }
        return {"KeyCount": int(truth or asked["Prefix"] in PROFILES)}

    return run


def find(facts: Mapping[str, str] = FACTS) -> dict[str, list[Any]]:
    return {
        "describeEndpoint": [{"EndpointStatus": "InService", "EndpointConfigName": "run-0"}],
        "describeEndpointConfig": [{"ProductionVariants": [{"ModelName": "run-0", "InstanceType": "ml.m5.large"}]}],
        "describeModel": [{"PrimaryContainer": {"ModelPackageName": VERSION}, "ExecutionRoleArn": "filled"}],
        "describeModelPackage": [{"ModelPackageArn": VERSION, "CustomerMetadataProperties": facts}],
        "putMetricData": [{}],
        "startExecution": [STARTED],
    }


def check(
    message: Mapping[str, Any] = STEADY,
    listed: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None,
    given: Any = GIVEN,
    answers: Mapping[str, list[Any]] = MappingProxyType({}),
) -> Execution:
    definition = fill_tokens(read_definition(template_of("BigMart", "drift").to_json(), checks=True))
    done = {"ProcessingJobName": "run-1", "ExitMessage": json.dumps(message)}
    known = {
        **find(),
        "listObjectsV2": [listed or list_objects("2026/11/30", "2026/12/01")],
        "createProcessingJob": [done],
        **answers,
    }
    return execute(definition, given, known)


def find_request(execution: Execution, operation: str) -> Mapping[str, Any]:
    (request,) = (request for name, request in execution.requests if name == operation)
    return request


def read_metrics(execution: Execution) -> dict[str, float]:
    request = find_request(execution, "putMetricData")
    assert request["Namespace"] == "Headrace"
    for datum in request["MetricData"]:
        assert {each["Name"]: each["Value"] for each in datum["Dimensions"]} == {
            "Environment": "dev",
            "Workload": "bigmart",
        }
    return {datum["MetricName"]: datum["Value"] for datum in request["MetricData"]}


def test_compares_the_days_of_the_window_with_the_profile_of_the_version_that_serves() -> None:
    execution = check(listed=list_objects("2026/11/29", "2026/11/30", "2026/12/01", "2026/12/02"))

    assert execution.status == "SUCCEEDED", execution.cause
    request = find_request(execution, "createProcessingJob")
    inputs = {each["InputName"]: each["S3Input"] for each in request["ProcessingInputs"]}
    assert {name: (each["S3Uri"], each["LocalPath"]) for name, each in inputs.items()} == {
        "profile": ("s3://filled/executions/run-0/record/profile.json", "/opt/ml/processing/profile"),
        "day-0": (f"s3://filled/{CAPTURED}/2026/11/30/", "/opt/ml/processing/captured/0"),
        "day-1": (f"s3://filled/{CAPTURED}/2026/12/01/", "/opt/ml/processing/captured/1"),
    }
    arguments = request["AppSpecification"]["ContainerArguments"]
    assert arguments[:4] == ["--since", "2026-11-30T06:00:00.000Z", "--until", "2026-12-01T06:00:00.000Z"]
    assert request["NetworkConfig"] == {"EnableNetworkIsolation": True}
    (output,) = request["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == "s3://filled/drift/bigmart/run-1/"
    assert execution.output["Report"] == "s3://filled/drift/bigmart/run-1/report.html"


def test_compares_with_the_profile_that_came_with_a_promoted_version() -> None:
    execution = check(answers=find(FACTS | {"headrace:record": f"s3://filled/{PROMOTED}"}))

    assert (execution.status, execution.output["Verdict"]) == ("SUCCEEDED", "steady")
    listed = next(request for name, request in execution.requests if name == "listObjectsV2")
    assert listed == {"Bucket": "filled", "Prefix": f"{PROMOTED}profile.json"}
    (profile,) = (
        each["S3Input"]["S3Uri"]
        for each in find_request(execution, "createProcessingJob")["ProcessingInputs"]
        if each["InputName"] == "profile"
    )
    assert profile == f"s3://filled/{PROMOTED}profile.json"


@pytest.mark.parametrize("role", ["DriftChecksRole", "DriftChecksWorkflowRole"])
def test_may_read_of_archives_only_what_promotions_have_brought(role: str) -> None:
    policies = template_of("BigMart", "drift").find_resources("AWS::IAM::Policy")
    (policy,) = (json.dumps(policy) for name, policy in policies.items() if name.startswith(role))

    assert set(re.findall(r"models/[^\"]*", policy)) == {"models/bigmart/promoted/*"}


def test_reads_one_day_and_the_truth_where_there_is_any() -> None:
    execution = check(listed=list_objects("2026/12/01", truth=True))

    names = [each["InputName"] for each in find_request(execution, "createProcessingJob")["ProcessingInputs"]]
    assert names == ["profile", "day-0", "truth"]


def test_publishes_what_a_check_has_found() -> None:
    assert read_metrics(check()) == {
        Metric.CHECKS: 1,
        Metric.ROWS: 500,
        Metric.COLUMNS: 0,
        Metric.INDEX: 0.02,
    }


def test_publishes_nothing_of_columns_that_too_few_requests_say_nothing_of() -> None:
    few = {"Verdict": "too few", "Reason": "too few", "DriftedColumns": 0, "Columns": [], "Rows": 3}

    execution = check(few)

    assert read_metrics(execution) == {Metric.CHECKS: 1, Metric.ROWS: 3}
    assert (execution.output["Verdict"], execution.output["Index"]) == ("too few", None)


@pytest.mark.parametrize(
    ("answers", "verdict", "reason"),
    [
        ({"describeEndpoint": [MISSING]}, "not compared", "nothing is known of what serves: Could not find endpoint"),
        (
            {"describeModel": [{"ExecutionRoleArn": "filled", "PrimaryContainer": {}}]},
            "not compared",
            "nothing is known of what serves: the model that serves, run-0, is not a version",
        ),
        (find({}), "not compared", f"the record of {VERSION} has no profile.json"),
        (
            find({"headrace:record": "s3://elsewhere/x/"}),
            "not compared",
            f"the record of {VERSION} has no profile.json",
        ),
        (
            find({"headrace:record": "s3://filled/models/bigmart/mine/record/"}),
            "not compared",
            f"the record of {VERSION} has no profile.json",
        ),
        (
            {"listObjectsV2": [{"KeyCount": 0}]},
            "not compared",
            f"the record of {VERSION} has no profile.json",
        ),
        (
            {"listObjectsV2": [list_objects()]},
            "too few",
            "no request was captured between 2026-11-30T06:00:00.000Z and 2026-12-01T06:00:00.000Z",
        ),
    ],
)
def test_says_why_without_a_job_where_there_is_nothing_to_compare(
    answers: dict[str, list[Any]], verdict: str, reason: str
) -> None:
    execution = check(answers=answers)

    assert execution.status == "SUCCEEDED", execution.cause
    assert "createProcessingJob" not in execution.list_operations()
    assert (execution.output["Verdict"], execution.output["Report"]) == (verdict, None)
    assert execution.output["Reason"].startswith(reason)
    checked = {Metric.CHECKS: 1} if verdict == "too few" else {}
    assert read_metrics(execution) == {**checked, Metric.ROWS: 0}


def test_compares_with_what_served_before_the_endpoint_was_stopped() -> None:
    settings = {**SWITCHES["hours"], **SWITCHES["drift"]}
    settings["bigmart.endpoint"] = {**SWITCHES["hours"]["bigmart.endpoint"], **SWITCHES["drift"]["bigmart.endpoint"]}
    template = template_with("BigMart", "dev", settings)
    definition = fill_tokens(read_definition(template.to_json(), checks=True))
    note = {"EndpointConfigName": "run-0", "ModelName": "run-0", "ModelPackageArn": VERSION}

    def list_note_or_captured(asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["Prefix"] == "served/headrace-dev-bigmart":
            return {"KeyCount": 1, "Contents": [{"Key": asked["Prefix"]}]}
        return list_objects("2026/12/01")(asked)

    answers = {
        **find(),
        "describeEndpoint": [MISSING],
        "listObjectsV2": [list_note_or_captured],
        "getObject": [{"Body": json.dumps(note)}],
        "createProcessingJob": [{"ProcessingJobName": "run-1", "ExitMessage": json.dumps(STEADY)}],
    }
    execution = execute(definition, GIVEN, answers)

    assert (execution.output["Verdict"], execution.output["ModelPackageArn"]) == ("steady", VERSION)


def test_starts_one_execution_for_the_same_training_data() -> None:
    first, second = check(DRIFTED), check(DRIFTED)
    other = check(DRIFTED, answers=find(FACTS | {"headrace:fingerprint": "beef"}))

    names = [find_request(execution, "startExecution")["Name"] for execution in (first, second, other)]
    assert names[0] == names[1] != names[2]
    assert all(name.startswith("drift-") and len(name) <= 80 for name in names)
    assert first.output["Retraining"] == STARTED["ExecutionArn"]


def test_ends_well_where_the_execution_was_started_before() -> None:
    before = TaskError("Sfn.ExecutionAlreadyExistsException", "Execution Already Exists")

    execution = check(DRIFTED, answers={"startExecution": [before]})

    assert execution.status == "SUCCEEDED"
    assert execution.output["Retraining"].startswith("not again: drift-")
    assert execution.output["Retraining"].endswith("see how it ended, and redrive it, or start another one yourself")


@pytest.mark.parametrize("message", [STEADY, STEADY | {"Verdict": "too few"}])
def test_starts_nothing_without_drift(message: Mapping[str, Any]) -> None:
    assert "startExecution" not in check(message).list_operations()


def test_fails_when_its_job_does() -> None:
    failed = TaskError("States.TaskFailed", json.dumps({"ExitMessage": "no profile"}))

    execution = check(answers={"createProcessingJob": [failed]})

    assert execution.status == "FAILED"
    assert execution.cause == "Check For Drift: no profile"


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"Time": "yesterday"}, "Time: found yesterday; allowed: a time in UTC such as 2026-11-29T06:00:00Z"),
        ({"Time": 5}, "Time: found 5; allowed: a time in UTC such as 2026-11-29T06:00:00Z"),
        ({"Hour": 6}, "unknown in the input: Hour; it may have Time"),
    ],
)
def test_refuses_an_input_that_says_no_time(given: Any, cause: str) -> None:
    execution = check(given=given)

    assert (execution.status, execution.cause) == ("FAILED", cause)


def test_ends_the_window_now_where_no_time_is_given() -> None:
    execution = check(given={}, listed=list_objects("2025/12/31", "2026/01/01"))

    assert (execution.output["Since"], execution.output["Until"]) == (
        "2025-12-31T00:00:00.000Z",
        "2026-01-01T00:00:00.000Z",
    )


def test_may_start_the_workloads_state_machine_alone() -> None:
    template = template_of("BigMart", "drift")
    (machine,) = (
        name for name in template.find_resources("AWS::StepFunctions::StateMachine") if name.startswith("Training")
    )
    statements = [
        statement
        for name, policy in template.find_resources("AWS::IAM::Policy").items()
        if name.startswith("DriftChecksWorkflowRole")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "states:StartExecution" in statement["Action"]
    ]

    assert [statement["Resource"] for statement in statements] == [{"Ref": machine}]


def test_watches_columns_that_have_drifted_and_checks_that_do_not_come() -> None:
    alarms = {
        alarm["Properties"]["AlarmName"]: alarm["Properties"]
        for name, alarm in find_resources("drift", "AWS::CloudWatch::Alarm").items()
        if "DriftChecks" in name
    }

    drift, missing = alarms["headrace-dev-bigmart-drift"], alarms["headrace-dev-bigmart-drift-checks"]
    assert (drift["MetricName"], drift["TreatMissingData"]) == (Metric.COLUMNS, "ignore")
    assert (missing["MetricName"], missing["TreatMissingData"]) == (Metric.CHECKS, "missing")
    # A week is the most that CloudWatch looks back.
    assert missing["EvaluationPeriods"] * missing["Period"] == 7 * 24 * 3600


def test_says_to_the_topic_of_alarms_that_checks_do_not_come() -> None:
    settings = {**SWITCHES["alarms"], **SWITCHES["drift"]}
    alarms = template_with("BigMart", "dev", settings).find_resources("AWS::CloudWatch::Alarm")

    told = {
        alarm["Properties"].get("AlarmName"): alarm["Properties"].get("InsufficientDataActions")
        for alarm in alarms.values()
    }
    assert [name for name, actions in told.items() if actions] == ["headrace-dev-bigmart-drift-checks"]


def test_checks_in_the_time_zone_of_the_settings_and_ends_windows_when_a_check_is_due() -> None:
    (schedule,) = (found["Properties"] for found in find_resources("drift", "AWS::Scheduler::Schedule").values())

    assert schedule["ScheduleExpression"] == "cron(0 6 ? * MON *)"
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert json.loads(schedule["Target"]["Input"]) == {"Time": "<aws.scheduler.scheduled-time>"}


def test_checks_nothing_unless_the_settings_say_so() -> None:
    assert find_resources("dev", "AWS::Scheduler::Schedule") == {}
    assert "drift" not in str(template_of("BigMart").to_json()).lower()
