"""What starts executions by itself, as the templates have it."""

from typing import Any

import pytest

from headrace.recipes import big_mart
from stacks.settings.environment import Settings
from stacks.settings.mistakes import SettingsError
from tests.stacks.conftest import context_of, find_resources, set_path, template_of

RULE, BUCKET = "AWS::Events::Rule", "AWS::S3::Bucket"
ANSWERED = (["aws.sagemaker"], ["aws.states"])


def settings_with(**values: Any) -> Settings:
    context = context_of("dev")
    for path, value in values.items():
        set_path(context["environments"]["dev"], path.replace("__", "."), value)
    return Settings.from_mapping("dev", context["environments"])


def test_starts_nothing_by_itself_unless_told_to() -> None:
    rules = [rule["Properties"] for rule in find_resources("dev", RULE).values()]

    # The other rules are those of approvals and of executions that have ended.
    assert [rule for rule in rules if rule.get("EventPattern", {}).get("source") not in ANSWERED] == []
    assert "NotificationConfiguration" not in str(find_resources("dev", BUCKET))


def test_starts_on_a_schedule_and_on_new_data_below_its_own_prefix() -> None:
    found = template_of("BigMart", "starts").find_resources(RULE).values()
    rules = [
        rule["Properties"] for rule in found if rule["Properties"].get("EventPattern", {}).get("source") not in ANSWERED
    ]

    (schedule,) = (rule["ScheduleExpression"] for rule in rules if "ScheduleExpression" in rule)
    (pattern,) = (rule["EventPattern"] for rule in rules if "EventPattern" in rule)
    assert schedule == "cron(0 3 ? * MON *)"
    assert pattern["detail"]["object"]["key"] == [
        "bigmart/_SUCCESS",
        {"wildcard": "bigmart/*/_SUCCESS"},
        {"wildcard": "bigmart/*.manifest"},
    ]


def test_may_start_this_state_machine_alone() -> None:
    template = template_of("BigMart", "starts")
    (machine,) = template.find_resources("AWS::StepFunctions::StateMachine")
    statements = [
        statement
        for policy in template.find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "states:StartExecution" in statement["Action"]
    ]

    # The other rule is that of approvals.
    assert [statement["Resource"] for statement in statements] == 2 * [{"Ref": machine}]


def test_has_the_raw_bucket_announce_its_objects() -> None:
    told = [
        name
        for name, bucket in find_resources("starts", BUCKET).items()
        if bucket["Properties"].get("NotificationConfiguration")
        == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    ]

    assert [name.partition("/")[2][:3] for name in told] == ["Raw"]


@pytest.mark.parametrize(
    "schedule", ["rate(1 minute)", "rate(7 days)", "rate(12 hours)", "cron(0 3 ? * MON *)", "cron(0/15 * * * ? 2026)"]
)
def test_takes_schedules_of_eventbridge(schedule: str) -> None:
    assert settings_with(bigmart__start__schedule=schedule).workload(big_mart.RECIPE).start.schedule == schedule


@pytest.mark.parametrize(
    "schedule", ["", "weekly", "rate(1 days)", "rate(0 hours)", "rate(5 weeks)", "cron(0 3 * * *)"]
)
def test_refuses_what_eventbridge_would_refuse(schedule: str) -> None:
    with pytest.raises(SettingsError, match=r"bigmart\.start\.schedule"):
        settings_with(bigmart__start__schedule=schedule)


def test_refuses_to_wait_for_news_of_a_bucket_that_says_nothing() -> None:
    with pytest.raises(SettingsError, match=r"images\.start\.on_new_data: .*photographs.*images\.start\.schedule"):
        settings_with(images__start__on_new_data=True, storage__existing_raw_bucket="company-photographs")
