"""What a schedule starts, counted by the month."""

import pytest

from headrace.cost.scenarios import SCENARIOS
from headrace.cost.schedules import count_checks, count_executions
from headrace.cost.usage import estimate_usage
from headrace.inventory import Item, Maker, usual_prices
from headrace.inventory.prices import HOURS_PER_MONTH

DAYS = HOURS_PER_MONTH / 24
STACK = "headrace-dev-bigmart"
MACHINE = "AWS::StepFunctions::StateMachine"
CLUSTER = {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 30}
CHECK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
    "Arguments": {"ProcessingResources": {"ClusterConfig": CLUSTER}},
    "End": True,
}


def make(kind: str, name: str, **properties: object) -> Item:
    return Item(kind=kind, name=name, maker=Maker.TEMPLATE, stack=STACK, logical_id=name, properties=properties)


def schedule(expression: str, target: object) -> Item:
    return make("AWS::Scheduler::Schedule", "S", ScheduleExpression=expression, Target={"Arn": target})


@pytest.mark.parametrize(
    ("expression", "starts"),
    [
        ("cron(0 6 * * ? *)", DAYS),
        ("cron(0 6 ? * MON *)", DAYS / 7),
        ("rate(12 hours)", 2 * DAYS),
        ("rate(often)", 0),
    ],
)
def test_counts_how_often_a_month_a_schedule_is_due(expression: str, starts: float) -> None:
    assert count_checks([schedule(expression, {"Ref": "Checks"})]) == {(STACK, "Checks"): pytest.approx(starts)}


@pytest.mark.parametrize("target", ["arn:aws:lambda:…", {"Fn::GetAtt": ["Alias", "Arn"]}])
def test_counts_nothing_for_what_is_no_state_machine_of_the_template(target: object) -> None:
    assert count_checks([schedule("rate(1 day)", target)]) == {}


def test_puts_what_a_schedule_starts_into_the_month_and_not_into_an_execution() -> None:
    machine = make(MACHINE, "Checks", Definition={"StartAt": "Check", "States": {"Check": CHECK}})
    prices, scenario = usual_prices(), SCENARIOS["low"]

    usage = estimate_usage([machine, schedule("rate(1 day)", {"Ref": "Checks"})], scenario, prices)

    (job,) = (line for line in usage.month if line.what == "checks: processing job on ml.t3.medium")
    assert usage.executions == ()
    assert job.usd == pytest.approx(DAYS * scenario.check_minutes / 60 * 0.05)


def started_by_rule(expression: str) -> list[Item]:
    """A state machine that a rule starts through the alias of its version."""
    machine = make(MACHINE, "Machine", Definition={"StartAt": "Check", "States": {"Check": CHECK}})
    version = make("AWS::StepFunctions::StateMachineVersion", "Version", StateMachineArn={"Ref": "Machine"})
    routes = [{"StateMachineVersionArn": {"Fn::GetAtt": ["Version", "Arn"]}, "Weight": 100}]
    alias = make("AWS::StepFunctions::StateMachineAlias", "Live", RoutingConfiguration=routes)
    targets = [{"Id": "Target0", "Arn": {"Fn::GetAtt": ["Live", "Arn"]}}]
    rule = make("AWS::Events::Rule", "Rule", ScheduleExpression=expression, Targets=targets)
    return [machine, version, alias, rule]


def test_counts_what_a_rule_starts_through_an_alias() -> None:
    assert count_executions(started_by_rule("rate(1 hour)")) == {(STACK, "Machine"): pytest.approx(HOURS_PER_MONTH)}


def test_counts_no_rule_that_waits_for_events() -> None:
    rule = make("AWS::Events::Rule", "Rule", EventPattern={}, Targets=[{"Arn": {"Ref": "Machine"}}])

    assert count_executions([rule]) == {}


@pytest.mark.parametrize(("expression", "more"), [("rate(1 hour)", HOURS_PER_MONTH), ("cron(0 3 1 * ? *)", 0)])
def test_puts_executions_by_schedule_beyond_those_of_the_scenario_into_the_month(expression: str, more: float) -> None:
    prices, scenario = usual_prices(), SCENARIOS["low"]

    usage = estimate_usage(started_by_rule(expression), scenario, prices)

    (job,) = (line for line in usage.executions if line.what == "processing job on ml.t3.medium")
    further = [line for line in usage.month if line.what.endswith(f"executions by schedule: {job.what}")]
    assert job.usd
    assert [line.usd for line in further] == [pytest.approx((more - scenario.executions) * job.usd)] * bool(more)
