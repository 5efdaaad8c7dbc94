"""Assumptions: defaults, what settings and commands change, and what they cannot be."""

import json
from typing import Any

import pytest

from headrace.assemblies import Assembly
from headrace.cost.report import make_report
from headrace.cost.scenarios import SCENARIOS, SCENARIOS_METADATA, ScenarioError, choose_scenario, find_settings
from headrace.cost.usage import estimate_usage
from headrace.inventory import Item, Maker, usual_prices


def test_a_command_wins_over_settings_and_those_over_the_defaults() -> None:
    settings = {"low": {"executions": 7, "requests": 9}}

    chosen = choose_scenario("low", settings, ["requests=11"])

    assert (chosen.executions, chosen.requests) == (7, 11)
    assert chosen.stored_gb == SCENARIOS["low"].stored_gb


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("executions", "'executions' is not an assumption; write it as NAME=NUMBER"),
        ("runs=3", "there is no assumption 'runs'; there are: check_minutes,"),
        ("executions=-1", "executions: expected a number of 0 or more, found '-1'"),
        ("executions=often", "executions: expected a number of 0 or more, found 'often'"),
        ("executions=nan", "executions: expected a number of 0 or more, found 'nan'"),
        ("executions=inf", "executions: expected a number of 0 or more, found 'inf'"),
        ("spot_saving=2", "spot_saving: expected a number from 0 to 1, found '2'"),
    ],
)
def test_refuses_what_is_not_an_assumption(given: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        choose_scenario("low", {}, [given])


def test_counts_an_endpoint_that_stands_and_what_is_stored_once() -> None:
    bucket = Item(kind="AWS::S3::Bucket", name="raw", maker=Maker.STACK, amounts={"gb": 1000})
    variant = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    endpoint = Item(
        kind="AWS::SageMaker::Endpoint", name="e", maker=Maker.RUN, properties={"ProductionVariants": [variant]}
    )
    key = Item(kind="AWS::KMS::Key", name="k", maker=Maker.STACK)
    idle = SCENARIOS["low"].change({"stored_gb": 10, "stored_objects": 0, "key_requests": 0})

    report = make_report([bucket, endpoint, key], usual_prices(), {"idle": idle})

    assert report.standing == pytest.approx(1000 * 0.023 + 730 * 0.115 + 1)
    assert report.month_of("idle") == pytest.approx(1 + 10 * 0.023)


def test_counts_the_file_system_that_an_execution_makes_for_its_training() -> None:
    task = {"Resource": "arn:aws:states:::aws-sdk:fsx:createFileSystem", "Arguments": {"StorageCapacity": 1200}}
    machine = Item(
        kind="AWS::StepFunctions::StateMachine",
        name="m",
        maker=Maker.TEMPLATE,
        properties={"Definition": {"States": {"Create File System": task}}},
    )
    scenario = SCENARIOS["low"].change({"training_minutes": 40})

    lines = estimate_usage([machine], scenario, usual_prices()).executions

    # 40 minutes of training, and 20 around it.
    (found,) = [line.usd for line in lines if line.what == "FSx for Lustre"]
    assert found == pytest.approx(1200 * 0.14 / 730)


def test_finds_the_settings_in_the_templates() -> None:
    given = {"high": {"executions": 1000}}
    app = Assembly({}, {"A": {}, "B": {"Metadata": {SCENARIOS_METADATA: given}}})

    assert find_settings(app) == given
    assert find_settings(Assembly({}, {"A": {"Metadata": {"other": 1}}})) == {}


@pytest.mark.parametrize(("scenario", "hours"), [("low", 40), ("moderate", 365), ("high", 365)])
def test_counts_an_endpoint_that_schedules_stop_for_the_hours_in_which_it_stands(scenario: str, hours: float) -> None:
    definition = {
        "StartAt": "A",
        "States": {
            "A": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sagemaker:createEndpointConfig",
                "Arguments": {"ProductionVariants": [{"InstanceType": "ml.m5.large", "InitialInstanceCount": 2}]},
            }
        },
    }
    machine = make_item("AWS::StepFunctions::StateMachine", Definition=definition)
    schedules = [
        make_item(
            "AWS::Scheduler::Schedule",
            ScheduleExpression=f"cron(0 {hour} * * ? *)",
            ScheduleExpressionTimezone="Europe/Berlin",
            Target={"Input": json.dumps({"EndpointAction": action})},
        )
        for action, hour in (("START", 8), ("STOP", 20))
    ]
    others = [make_item("AWS::Scheduler::Schedule", ScheduleExpression="rate(1 day)", Target={"Input": "{}"})]

    usage = estimate_usage([machine, *schedules, *others], SCENARIOS[scenario], usual_prices())

    (line,) = (line for line in usage.month if line.what == "endpoint on ml.m5.large")
    assert line.quantity == pytest.approx(2 * hours, rel=0.01)


def make_item(kind: str, **properties: Any) -> Item:
    return Item(kind=kind, name=kind, maker=Maker.STACK, stack="headrace-dev-bigmart", properties=properties)
