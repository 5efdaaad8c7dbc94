"""What is watched: each type that an environment can have is, or says why not, and each alarm is for something."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from headrace.inventory import KINDS, WATCHES, Item, Maker, price, usual_prices
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import SWITCHES, VARIANTS, find_resources

ALARM = "AWS::CloudWatch::Alarm"
RULE = "AWS::Events::Rule"
FILE_SYSTEMS = {
    **SWITCHES["efs"],
    **SWITCHES["fsx"],
    "alarms.file_systems": {"efs_io_percent": 95, "fsx_free_percent": 10},
}


def list_metrics(alarm: Mapping[str, Any]) -> Iterator[str]:
    """The metrics that an alarm looks at, as signs."""
    stats = [part["MetricStat"]["Metric"] for part in alarm.get("Metrics", ()) if "MetricStat" in part]
    for metric in stats or ([alarm] if "MetricName" in alarm else []):
        yield f"{metric['Namespace']} {metric['MetricName']}"


def list_notices(rule: Mapping[str, Any]) -> Iterator[str]:
    """The events of which a rule notifies the topic of alarms."""
    if any("headrace-dev-alarms" in str(target["Arn"]) for target in rule["Targets"]):
        yield from rule["EventPattern"]["detail-type"]


def find_signs() -> set[str]:
    """What alarms and rules of any variant look at."""
    alarms = [each["Properties"] for variant in VARIANTS for each in find_resources(variant, ALARM).values()]
    template = template_with("FileSystems", "dev", FILE_SYSTEMS)
    alarms += [each["Properties"] for each in template.find_resources(ALARM).values()]
    rules = [each["Properties"] for variant in VARIANTS for each in find_resources(variant, RULE).values()]
    return {sign for alarm in alarms for sign in list_metrics(alarm)} | {
        sign for rule in rules for sign in list_notices(rule)
    }


def test_knows_of_each_type_what_tells_that_it_has_failed_or_why_nothing_needs_to() -> None:
    assert WATCHES.keys() == KINDS.keys()
    assert [kind for kind, watch in WATCHES.items() if bool(watch.signs) is bool(watch.reason)] == []


def test_names_signs_that_alarms_and_rules_look_at_and_no_others() -> None:
    named = {sign for watch in WATCHES.values() for sign in watch.signs}

    assert named == find_signs()


@pytest.mark.parametrize(
    ("stack", "settings"),
    [
        ("BigMart", {"bigmart.endpoint.hours": {"start": "cron(0 7 * * ? *)", "stop": "cron(0 19 * * ? *)"}}),
        ("Images", {"images.endpoint.idle_stop_days": 1}),
    ],
)
def test_keeps_whatever_stops_and_starts_endpoints_could_not_start_in_a_queue_with_an_alarm(
    stack: str, settings: Mapping[str, Any]
) -> None:
    template = template_with(stack, "dev", {"alarms": {}, **settings})
    dead: set[str] = set()
    for kind in (RULE, "AWS::Scheduler::Schedule"):
        for each in template.find_resources(kind).values():
            for target in each["Properties"].get("Targets") or [each["Properties"]["Target"]]:
                if "RoleArn" in target:
                    dead.add(target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0])
    watched = {
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in template.find_resources(ALARM).values()
        for dimension in alarm["Properties"].get("Dimensions", ())
        if dimension["Name"] == "QueueName"
    }

    assert len(dead) == 2
    assert dead == watched


def test_shows_what_watches_a_thing() -> None:
    endpoint = Item(kind="AWS::SageMaker::Endpoint", name="it", maker=Maker.RUN)

    assert price(endpoint, usual_prices()).watched_by == "alarms on calls, errors and latency; notices of failures"
