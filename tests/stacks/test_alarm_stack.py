"""Where alarms go, and that every one of them goes there."""

from typing import Any, get_args

import pytest
from aws_cdk.assertions import Match, Template

from headrace.contract import WorkloadAlarm
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import SWITCHES, find_resources, list_stacks, template_of

ALARM = "AWS::CloudWatch::Alarm"
OF_THIS_ACCOUNT = {
    "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
    "ArnLike": {"aws:SourceArn": Match.any_value()},
}


@pytest.fixture(scope="module")
def template() -> Template:
    return template_of("Alarms", "alarms")


def read_topic(alarm: dict[str, Any]) -> list[str]:
    """The last part of the addresses that an alarm publishes to."""
    return [action["Fn::Join"][1][-1].strip(":") for action in alarm["Properties"].get("AlarmActions", [])]


def test_lets_every_alarm_publish_to_the_topic(template: Template) -> None:
    (topic,) = template.find_resources("AWS::SNS::Topic").values()

    published = [read_topic(alarm) for alarm in find_resources("alarms", ALARM).values()]

    assert published == [[topic["Properties"]["TopicName"]]] * len(published)


@pytest.mark.parametrize("metric", ["ExecutionsFailed", "ExecutionsTimedOut"])
def test_has_an_alarm_for_the_failed_executions_of_each_state_machine(metric: str) -> None:
    machines = set(find_resources("alarms", "AWS::StepFunctions::StateMachine"))

    watched = {
        f"{name.partition('/')[0]}/{alarm['Properties']['Dimensions'][0]['Value']['Ref']}"
        for name, alarm in find_resources("alarms", ALARM).items()
        if alarm["Properties"].get("MetricName") == metric
    }

    assert len(machines) == 3
    assert watched == machines


@pytest.mark.parametrize("workload", ["BigMart", "Images"])
def test_has_an_alarm_for_approvals_that_start_nothing(workload: str) -> None:
    template = template_of(workload, "alarms")
    ((queue, _),) = template.find_resources("AWS::SQS::Queue").items()

    template.has_resource_properties(
        ALARM,
        {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}],
            "Statistic": "Maximum",
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
        },
    )


def read_endpoint_alarms(settings: dict[str, Any], workload: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """The alarms on the endpoint of sales that settings of alarms and of the workload make, by the ends of names."""
    template = template_with("BigMart", "dev", {"alarms": {"endpoints": settings}, "bigmart": workload or {}})
    alarms = [alarm["Properties"] for alarm in template.find_resources(ALARM).values()]
    prefix = "headrace-dev-bigmart-"
    return {
        alarm["AlarmName"].removeprefix(prefix): alarm
        for alarm in alarms
        if alarm.get("AlarmName", "").startswith(prefix)
    }


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"idle_days": 3}, {"idle"}),
        ({"error_percent": 0.0}, {"errors"}),
        ({"latency_milliseconds": 500}, {"latency"}),
    ],
)
def test_watches_endpoints_by_the_lines_that_are_drawn(settings: dict[str, Any], names: set[str]) -> None:
    assert read_endpoint_alarms(settings).keys() == names


def test_has_no_two_alarms_on_an_endpoint_that_people_cannot_tell_apart() -> None:
    lines = {"error_percent": 1.0, "latency_milliseconds": 500}
    update = {"alarms": {**lines, "container_errors": True}, "wait_seconds": 300}
    alarms = read_endpoint_alarms({**lines, "idle_days": 3}, {"endpoint": {"update": update, "idle_stop_days": 5}})

    assert len(alarms) == 7
    assert len({alarm["AlarmDescription"] for alarm in alarms.values()}) == 7
    rolling_back = {name for name, alarm in alarms.items() if "an update is rolled back" in alarm["AlarmDescription"]}
    assert rolling_back == {"endpoint-errors", "endpoint-latency", "container-errors"}


def test_names_no_two_alarms_of_a_workload_alike() -> None:
    kinds = [kind for enum in get_args(WorkloadAlarm) for kind in enum]

    assert kinds
    assert len({*kinds}) == len(kinds)


@pytest.mark.parametrize(
    ("workload", "cost"),
    [
        ({}, "it costs 83.95 dollars a month (1 x ml.m5.large, list price of us-east-1)"),
        (
            {"endpoint": {"instance_type": "ml.m5.xlarge", "instance_count": 2}},
            "it costs 335.80 dollars a month (2 x ml.m5.xlarge, list price of us-east-1)",
        ),
        (
            {
                "endpoint": {
                    "instance_count": 3,
                    "scaling": {"min_instances": 2, "max_instances": 4, "invocations_per_minute": 600},
                }
            },
            "it costs at least 167.90 dollars a month (2 x ml.m5.large, list price of us-east-1)",
        ),
        (
            {"endpoint": {"instance_type": "ml.c7i.48xlarge"}},
            "it costs its machines, 1 x ml.c7i.48xlarge, whose price is not known here,",
        ),
    ],
)
def test_says_what_an_endpoint_that_is_not_called_costs(workload: dict[str, Any], cost: str) -> None:
    alarm = read_endpoint_alarms({"idle_days": 3}, workload)["idle"]

    assert alarm["AlarmDescription"] == (f"Not called for 3 days, and {cost} until it is deleted: headrace-dev-bigmart")


@pytest.mark.parametrize("days", [1, 7])
def test_looks_at_each_hour_of_the_days_in_which_an_endpoint_stood_without_a_call(days: int) -> None:
    alarm = read_endpoint_alarms({"idle_days": days})["idle"]
    stats = {part["Id"]: part["MetricStat"] for part in alarm["Metrics"] if "MetricStat" in part}
    (expression,) = [part["Expression"] for part in alarm["Metrics"] if "Expression" in part]

    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    assert 3600 * alarm["EvaluationPeriods"] == days * 86_400 <= 604_800
    assert {stat["Period"] for stat in stats.values()} == {3600}
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "LessThanOrEqualToThreshold")
    assert alarm["TreatMissingData"] == "notBreaching"
    assert expression == "IF(samples > 0, FILL(requests, 0))"
    metrics = {
        name: (stat["Metric"]["Namespace"], stat["Metric"]["MetricName"], stat["Stat"]) for name, stat in stats.items()
    }
    assert metrics == {
        "samples": ("/aws/sagemaker/Endpoints", "CPUUtilization", "SampleCount"),
        "requests": ("AWS/SageMaker", "Invocations", "Sum"),
    }


def test_has_an_alarm_for_ends_of_executions_that_are_not_dealt_with() -> None:
    functions = {name for name in find_resources("alarms", "AWS::Lambda::Function") if "CleanUp" in name}

    watched = {
        f"{name.partition('/')[0]}/{alarm['Properties']['Dimensions'][0]['Value']['Ref']}"
        for name, alarm in find_resources("alarms", ALARM).items()
        if alarm["Properties"].get("MetricName") == "Errors" and "CleanUp" in name
    }

    assert len(functions) == 3
    assert watched == functions


def test_watches_the_file_systems_that_there_are_by_the_lines_that_are_drawn() -> None:
    lines = {"efs_io_percent": 95, "fsx_free_percent": 10}
    template = template_with("FileSystems", "dev", {**SWITCHES["efs"], **SWITCHES["fsx"], "alarms.file_systems": lines})
    alarms = [alarm["Properties"] for alarm in template.find_resources(ALARM).values()]

    drawn = {
        alarm["MetricName"]: (alarm["Statistic"], alarm["Period"], alarm["ComparisonOperator"], alarm["Threshold"])
        for alarm in alarms
    }

    assert drawn == {
        "PercentIOLimit": ("Maximum", 60, "GreaterThanThreshold", 95),
        # A tenth of 1,200 GiB.
        "FreeDataStorageCapacity": ("Sum", 60, "LessThanThreshold", 120 * 2**30),
    }


def list_notices(stack: str) -> dict[str, dict[str, Any]]:
    """The rules of a stack that tell the topic of failures, by what they match."""
    rules = template_of(stack, "alarms").find_resources("AWS::Events::Rule").values()
    return {
        rule["Properties"]["EventPattern"]["detail-type"][0]: rule["Properties"]
        for rule in rules
        if rule["Properties"]["Targets"][0]["Id"] == "Topic"
    }


@pytest.mark.parametrize(
    ("stack", "told"),
    [
        ("BigMart", {"Training Job", "Processing Job", "Endpoint"}),
        ("Images", {"Training Job", "Processing Job", "Endpoint"}),
        ("Normalizer", {"Training Job", "Processing Job"}),
        ("Alarms", {"Transform Job"}),
    ],
)
def test_tells_of_each_kind_of_failure_once(stack: str, told: set[str]) -> None:
    assert list_notices(stack).keys() == {f"SageMaker {kind} State Change" for kind in told}


def test_tells_of_failures_in_the_words_of_sagemaker() -> None:
    rules = list_notices("BigMart")
    training = rules["SageMaker Training Job State Change"]

    named = {each["Fn::GetAtt"][0][:-8] for each in training["EventPattern"]["detail"]["RoleArn"]}
    assert named == {"PreprocessingRole", "TrainingRole"}
    assert training["EventPattern"]["detail"]["TrainingJobStatus"] == ["Failed"]
    assert training["Targets"][0]["InputTransformer"] == {
        "InputPathsMap": {"name": "$.detail.TrainingJobName", "reason": "$.detail.FailureReason"},
        "InputTemplate": '"headrace-dev: the training job <name> has failed: <reason>"',
    }


@pytest.mark.parametrize(
    ("endpoint", "is_told"),
    [
        ({}, True),
        ({"hours": {"start": "cron(0 7 * * ? *)", "stop": "cron(0 19 * * ? *)"}}, False),
        ({"idle_stop_days": 3}, False),
    ],
)
def test_tells_that_an_endpoint_is_deleted_unless_executions_do_it_day_by_day(
    endpoint: dict[str, Any], is_told: bool
) -> None:
    changes = {"alarms.failures": True, **{f"bigmart.endpoint.{key}": value for key, value in endpoint.items()}}
    rules = template_with("BigMart", "dev", changes).find_resources("AWS::Events::Rule").values()

    (told,) = (
        rule["Properties"]["EventPattern"]["detail"]["EndpointStatus"]
        for rule in rules
        if rule["Properties"].get("EventPattern", {}).get("detail-type") == ["SageMaker Endpoint State Change"]
    )

    assert told == [*(["DELETING"] if is_told else []), "FAILED", "OUT_OF_SERVICE", "UPDATE_ROLLBACK_FAILED"]


def test_has_a_budget_for_what_carries_the_tags_of_the_environment(template: Template) -> None:
    (budget,) = (found["Properties"] for found in template.find_resources("AWS::Budgets::Budget").values())

    assert budget["Budget"]["BudgetLimit"] == {"Amount": 200, "Unit": "USD"}
    matched = [part["Tags"] for part in budget["Budget"]["FilterExpression"]["And"]]
    assert {tag["Key"]: tag["Values"] for tag in matched} == {"project": ["headrace"], "environment": ["dev"]}
    notices = budget["NotificationsWithSubscribers"]
    assert [(each["Notification"]["NotificationType"], each["Notification"]["Threshold"]) for each in notices] == [
        ("ACTUAL", 80),
        ("ACTUAL", 100),
        ("FORECASTED", 100),
    ]
    (topic,) = template.find_resources("AWS::SNS::Topic")
    assert {each["Subscribers"][0]["Address"]["Ref"] for each in notices} == {topic}


def test_reports_no_serverless_endpoint_for_its_price() -> None:
    assert read_endpoint_alarms({"idle_days": 3}, {"endpoint": {"serverless": {}}}) == {}


@pytest.mark.parametrize(
    ("endpoint", "found"),
    [
        ({"hours": {"start": "cron(0 7 * * ? *)", "stop": "cron(0 19 * * ? *)"}}, set()),
        ({"idle_stop_days": 3}, set()),
        ({"idle_stop_days": 4}, {"idle"}),
    ],
)
def test_reports_no_idle_endpoint_that_is_stopped_before(endpoint: dict[str, Any], found: set[str]) -> None:
    assert read_endpoint_alarms({"idle_days": 3}, {"endpoint": endpoint}).keys() - {"idle-stop"} == found


def test_leaves_alarms_as_they_are_without_a_topic() -> None:
    assert "Alarms" not in list_stacks("dev")
    assert {str(read_topic(alarm)) for alarm in find_resources("dev", ALARM).values()} == {"[]"}


def test_encrypts_the_topic_with_a_key_that_alarms_may_use(template: Template) -> None:
    (key,) = template.find_resources("AWS::KMS::Key")

    template.has_resource_properties("AWS::SNS::Topic", {"KmsMasterKeyId": {"Fn::GetAtt": [key, "Arn"]}})
    template.has_resource_properties(
        "AWS::KMS::Key",
        {
            "EnableKeyRotation": True,
            "KeyPolicy": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                                "Condition": OF_THIS_ACCOUNT,
                            }
                        )
                    ]
                )
            },
        },
    )


def test_lets_nothing_publish_but_alarms_and_budgets_of_this_account_and_only_over_tls(template: Template) -> None:
    (policy,) = template.find_resources("AWS::SNS::TopicPolicy").values()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]

    allowed = [s["Principal"] for s in statements if s["Effect"] == "Allow"]
    denied = [s["Condition"] for s in statements if s["Effect"] == "Deny"]
    accounts = [s["Condition"]["StringEquals"] for s in statements if s["Effect"] == "Allow"]

    assert allowed == [{"Service": "cloudwatch.amazonaws.com"}, {"Service": "budgets.amazonaws.com"}]
    assert denied == [{"Bool": {"aws:SecureTransport": "false"}}]
    assert accounts == [{"aws:SourceAccount": {"Ref": "AWS::AccountId"}}] * 2


@pytest.mark.parametrize(("alarms", "subscribed"), [({}, 0), ({"email": "ops@example.com"}, 1)])
def test_subscribes_an_address_only_if_there_is_one(alarms: dict[str, str], subscribed: int) -> None:
    template = template_with("Alarms", "dev", {"alarms": alarms})

    template.resource_count_is("AWS::SNS::Subscription", subscribed)
