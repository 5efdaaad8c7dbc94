"""The schedules that stop and start an endpoint, as the templates have them."""

import json
from typing import Any

import pytest

from tests.stacks.conftest import find_resources, template_of
from tests.stacks.settings.test_environment import refusal

SCHEDULE = "AWS::Scheduler::Schedule"
DAY = {"start": "cron(0 7 * * ? *)", "stop": "cron(0 19 * * ? *)"}


def find_schedules() -> dict[str, dict[str, Any]]:
    """The properties of each schedule, by what it has done."""
    found = [each["Properties"] for each in template_of("BigMart", "hours").find_resources(SCHEDULE).values()]
    return {json.loads(each["Target"]["Input"])["EndpointAction"]: each for each in found}


def test_stops_nothing_unless_the_settings_say_when() -> None:
    assert find_resources("dev", SCHEDULE) == {}


def test_stops_and_starts_by_the_alias_in_the_time_zone_of_the_settings() -> None:
    schedules = find_schedules()

    assert {action: each["ScheduleExpression"] for action, each in schedules.items()} == {
        "START": "cron(0 7 ? * MON-FRI *)",
        "STOP": "cron(0 18 ? * MON-FRI *)",
    }
    assert {each["ScheduleExpressionTimezone"] for each in schedules.values()} == {"Europe/Berlin"}
    (alias,) = template_of("BigMart", "hours").find_resources("AWS::StepFunctions::StateMachineAlias")
    assert {each["Target"]["Arn"]["Fn::GetAtt"][0] for each in schedules.values()} == {alias}


def test_may_wait_for_the_turn_until_the_opposite_may_be_due() -> None:
    within = {action: json.loads(each["Target"]["Input"])["WithinSeconds"] for action, each in find_schedules().items()}

    assert within == {"START": 11 * 3600, "STOP": 13 * 3600}


def test_may_start_this_state_machine_and_do_nothing_else() -> None:
    template = template_of("BigMart", "hours")
    (machine,) = template.find_resources("AWS::StepFunctions::StateMachine")
    (role,) = {each["Target"]["RoleArn"]["Fn::GetAtt"][0] for each in find_schedules().values()}
    trusted = template.find_resources("AWS::IAM::Role")[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    (policy,) = (
        each["Properties"]["PolicyDocument"]["Statement"]
        for each in template.find_resources("AWS::IAM::Policy").values()
        if {"Ref": role} in each["Properties"]["Roles"]
    )
    assert policy[0] == {"Action": "states:StartExecution", "Effect": "Allow", "Resource": {"Ref": machine}}
    assert [statement["Action"] for statement in policy[1:]] == ["sqs:SendMessage"]
    assert trusted[0]["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trusted[0]["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_what_cleans_up_knows_where_it_is_noted_what_the_endpoint_is_started_with() -> None:
    def list_keys(context: str) -> list[str]:
        functions = template_of("BigMart", context).find_resources("AWS::Lambda::Function").values()
        variables = [each["Properties"].get("Environment", {}).get("Variables", {}) for each in functions]
        return [each["SERVED_NOTE_KEY"] for each in variables if "SERVED_NOTE_KEY" in each]

    assert (list_keys("hours"), list_keys("dev")) == (["served/headrace-dev-bigmart"], [])


@pytest.mark.parametrize(
    ("hours", "reason"),
    [
        ({"start": "cron(0 7 * * ? *)"}, "hours.stop"),
        ({**DAY, "stop": "cron(30 7 * * ? *)"}, "is due 30 minutes after start 'cron(0 7 * * ? *)'"),
        ({**DAY, "start": "cron(0 19 * * ? *)"}, "is due 0 minutes after"),
        # Once a year, when the clocks go on, the hour between them is half of one.
        (
            {"start": "cron(0 3 * * ? *)", "stop": "cron(30 1 * * ? *)", "timezone": "Europe/Berlin"},
            "start: found 'cron(0 3 * * ? *)', which is due 30 minutes after stop",
        ),
        ({**DAY, "start": "rate(1 day)"}, "hours come again every year; use cron(…) with * for the year"),
        ({**DAY, "start": "cron(0 7 * * ? 2027)"}, "use cron(…) with * for the year"),
        ({**DAY, "stop": "at(2027-01-01T08:00:00)"}, "use cron(…)"),
        ({**DAY, "stop": "cron(0 25 * * ? *)"}, "hours: '25' is not within 0 to 23"),
        ({**DAY, "timezone": "Mars/Olympus"}, "time zone"),
    ],
)
def test_refuses_hours_that_an_endpoint_cannot_keep(hours: dict[str, str], reason: str) -> None:
    said = refusal("bigmart.endpoint.hours", hours)

    assert "environments.dev.bigmart.endpoint.hours" in said
    assert reason in said


def test_refuses_hours_where_there_is_nothing_to_stop() -> None:
    assert "hours: a serverless endpoint costs nothing while it is not asked" in refusal(
        "bigmart.endpoint", {"serverless": {}, "hours": DAY}
    )
    assert "endpoint.hours: deploy is batch, which makes no endpoint" in refusal(
        "bigmart", {"deploy": "batch", "endpoint": {"hours": DAY}}
    )
