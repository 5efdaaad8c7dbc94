"""Where alarms go, and that every one of them goes there."""

from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import find_resources, list_stacks, template_of

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
        if alarm["Properties"]["MetricName"] == metric
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


def test_lets_nothing_publish_but_alarms_and_only_over_tls(template: Template) -> None:
    (policy,) = template.find_resources("AWS::SNS::TopicPolicy").values()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]

    allowed = [s["Principal"] for s in statements if s["Effect"] == "Allow"]
    denied = [s["Condition"] for s in statements if s["Effect"] == "Deny"]

    assert allowed == [{"Service": "cloudwatch.amazonaws.com"}]
    assert denied == [{"Bool": {"aws:SecureTransport": "false"}}]


@pytest.mark.parametrize(("alarms", "subscribed"), [({}, 0), ({"email": "ops@example.com"}, 1)])
def test_subscribes_an_address_only_if_there_is_one(alarms: dict[str, str], subscribed: int) -> None:
    template = template_with("Alarms", "dev", {"alarms": alarms})

    template.resource_count_is("AWS::SNS::Subscription", subscribed)
