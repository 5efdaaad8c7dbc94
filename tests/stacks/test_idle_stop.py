"""What stops an endpoint that is not called, as the templates have it."""

import json
from typing import Any

from tests.stacks.conftest import find_resources, template_of
from tests.stacks.settings.test_environment import refusal

ALARM, RULE = "AWS::CloudWatch::Alarm", "AWS::Events::Rule"


def find_alarms() -> dict[str, Any]:
    return dict(template_of("Images", "hours").find_resources(ALARM))


def find_alarm() -> dict[str, Any]:
    (found,) = (each for each in find_alarms().values() if "idle-stop" in each["Properties"]["AlarmName"])
    alarm: dict[str, Any] = found
    return alarm


def find_rule() -> dict[str, Any]:
    (rule,) = (
        each["Properties"]
        for each in template_of("Images", "hours").find_resources(RULE).values()
        if each["Properties"].get("EventPattern", {}).get("source") == ["aws.cloudwatch"]
    )
    found: dict[str, Any] = rule
    return found


def test_looks_at_calls_while_the_endpoint_stands_for_as_long_as_the_settings_say() -> None:
    alarm = find_alarm()["Properties"]
    periods = {metric["MetricStat"]["Period"] for metric in alarm["Metrics"] if "MetricStat" in metric}

    assert alarm["AlarmName"] == "headrace-dev-images-idle-stop"
    assert (periods, alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == ({3600}, 72, "notBreaching")
    assert not any("idle-stop" in str(each) for each in find_resources("dev", ALARM).values())


def test_starts_an_execution_that_stops_it_and_says_what_it_cost() -> None:
    rule = find_rule()
    (target,) = rule["Targets"]

    assert rule["EventPattern"]["detail"] == {
        "alarmName": [find_alarm()["Properties"]["AlarmName"]],
        "state": {"value": ["ALARM"]},
    }
    assert json.loads(target["Input"]) == {
        "EndpointAction": "STOP",
        "WithinSeconds": 3600,
        "UnchangedSeconds": 70 * 3600,
        "Comment": "it was not called for 3 days, and it costs 83.95 dollars a month (1 x ml.m5.large, list price of "
        "us-east-1). To start it again: headrace pipeline endpoint start --env dev --workload images",
    }
    assert target["Arn"]["Fn::GetAtt"][0].startswith("TrainingLiveAlias")


def test_makes_the_rule_before_the_alarm_which_may_go_off_at_once() -> None:
    template = template_of("Images", "hours")
    (rule,) = (name for name, each in template.find_resources(RULE).items() if each["Properties"] == find_rule())

    assert rule in find_alarm()["DependsOn"]


def test_lets_the_alarm_go_off_again_each_day_as_the_rule_hears_of_changes_alone() -> None:
    template = template_of("Images", "hours")
    (schedule,) = (each["Properties"] for each in template.find_resources("AWS::Scheduler::Schedule").values())
    role = schedule["Target"]["RoleArn"]["Fn::GetAtt"][0]
    (alarm,) = (name for name, each in find_alarms().items() if each == find_alarm())
    (policy,) = (
        each["Properties"]["PolicyDocument"]["Statement"]
        for each in template.find_resources("AWS::IAM::Policy").values()
        if {"Ref": role} in each["Properties"]["Roles"]
    )

    assert schedule["ScheduleExpression"] == "rate(1 day)"
    assert "aws-sdk:cloudwatch:setAlarmState" in str(schedule["Target"]["Arn"])
    assert '"StateValue":"OK"' in str(schedule["Target"]["Input"])
    allowed = {"Action": "cloudwatch:SetAlarmState", "Effect": "Allow", "Resource": {"Fn::GetAtt": [alarm, "Arn"]}}
    assert allowed in policy
    assert {statement["Action"] for statement in policy} == {"cloudwatch:SetAlarmState", "sqs:SendMessage"}


def test_refuses_it_where_no_such_span_can_come() -> None:
    hours = {"start": "cron(0 7 * * ? *)", "stop": "cron(0 19 * * ? *)"}

    assert "idle_stop_days: with hours no day without a call is ever full" in refusal(
        "bigmart.endpoint", {"hours": hours, "idle_stop_days": 1}
    )
    assert "idle_stop_days: a serverless endpoint costs nothing" in refusal(
        "bigmart.endpoint", {"serverless": {}, "idle_stop_days": 1}
    )
    assert "allowed: a whole number from 1 to 7, or null" in refusal("bigmart.endpoint.idle_stop_days", 8)
