"""The dashboard: what is on it is there, is measured, and fits on the page."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from headrace.recipes import list_usual_recipes
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import SWITCHES, find_resources, template_of

# What services publish, with the dimensions: https://docs.aws.amazon.com/
# sagemaker/latest/dg/monitoring-cloudwatch.html, step-functions/latest/dg/procedure-cw-metrics.html,
# apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html,
# lambda/latest/dg/monitoring-metrics-types.html, efs/latest/ug/efs-metrics.html, fsx/latest/LustreGuide/fs-metrics.html
PUBLISHED: Mapping[tuple[str, tuple[str, ...]], frozenset[str]] = {
    ("AWS/SageMaker", ("EndpointName", "VariantName")): frozenset(
        {"Invocations", "Invocation4XXErrors", "Invocation5XXErrors", "ModelLatency", "OverheadLatency"}
    ),
    ("/aws/sagemaker/Endpoints", ("EndpointName", "VariantName")): frozenset(
        {"CPUUtilization", "MemoryUtilization", "DiskUtilization"}
    ),
    ("AWS/States", ("StateMachineArn",)): frozenset(
        {
            "ExecutionsAborted",
            "ExecutionsFailed",
            "ExecutionsStarted",
            "ExecutionsSucceeded",
            "ExecutionsTimedOut",
            "ExecutionTime",
        }
    ),
    ("AWS/Lambda", ("FunctionName",)): frozenset({"Duration", "Errors", "Invocations", "Throttles"}),
    ("AWS/ApiGateway", ("ApiName", "Stage")): frozenset(
        {"4XXError", "5XXError", "Count", "IntegrationLatency", "Latency"}
    ),
    ("AWS/EFS", ("FileSystemId",)): frozenset({"PercentIOLimit", "TotalIOBytes"}),
    ("AWS/FSx", ("FileSystemId",)): frozenset({"DataReadBytes", "DataWriteBytes", "FreeDataStorageCapacity"}),
}
FRONT_DOOR = {"workloads": ["bigmart"], "authorization": "iam"}
SEARCH = re.compile(r"SEARCH\('\{([^,]+),(\w+)\} MetricName=\((.*)\)', 'Average', 60\)")
SEARCHED = {"TrainingJobName", "Host"}


def read_body(resources: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the dashboard, with `<...>` where CloudFormation fills in."""
    (dashboard,) = (each for each in resources.values() if each["Type"] == "AWS::CloudWatch::Dashboard")
    parts = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    body: dict[str, Any] = json.loads("".join(part if isinstance(part, str) else "<...>" for part in parts))
    return body


@cache
def read_widgets() -> tuple[dict[str, Any], ...]:
    """The widgets where everything is on that they can show."""
    everything = {**SWITCHES["efs"], **SWITCHES["fsx"], "alarms.dashboard": True, "front_door": FRONT_DOOR}
    return tuple(read_body(template_with("Alarms", "dev", everything).to_json()["Resources"])["widgets"])


def list_metrics() -> Iterator[list[Any]]:
    """The metrics of all graphs, with their namespaces, names and dimensions, but without how they are drawn.

    A dot stands for what the metric before has in the same place.
    """
    for widget in read_widgets():
        last: list[Any] = []
        for row in widget["properties"].get("metrics", ()):
            if isinstance(row[0], dict):
                continue
            given = [part for part in row if isinstance(part, str)]
            last = [last[at] if part == "." else part for at, part in enumerate(given)]
            yield last


def list_searches() -> list[str]:
    rows = [row for widget in read_widgets() for row in widget["properties"].get("metrics", ())]
    return [row[0]["expression"] for row in rows if isinstance(row[0], dict)]


def test_shows_metrics_that_services_publish() -> None:
    unknown = [
        metric
        for metric in list_metrics()
        if metric[1] not in PUBLISHED.get((metric[0], tuple(metric[2::2])), frozenset())
    ]

    assert unknown == []
    assert {metric[0] for metric in list_metrics()} == {namespace for namespace, _ in PUBLISHED}


def test_shows_the_api_that_the_front_door_makes_and_none_without_it() -> None:
    (name,) = {metric[3] for metric in list_metrics() if metric[0] == "AWS/ApiGateway"}
    (api,) = (
        each["Properties"]["Name"]
        for each in template_with("FrontDoor", "dev", {"front_door": FRONT_DOOR}).to_json()["Resources"].values()
        if each["Type"] == "AWS::ApiGateway::RestApi"
    )

    assert name == api
    assert "AWS/ApiGateway" not in json.dumps(read_body(template_of("Alarms", "alarms").to_json()["Resources"]))


def test_searches_for_what_training_jobs_report_and_machines_measure() -> None:
    found = [SEARCH.fullmatch(each) for each in list_searches()]
    names = {name for each in found if each for name in re.findall(r'"([^"]+)"', each[3])}
    reported = {name for recipe in list_usual_recipes() for name in recipe.training.metrics}

    assert None not in found
    assert {each[2] for each in found if each} == SEARCHED
    assert names == reported | {"CPUUtilization", "MemoryUtilization", "DiskUtilization"}


def test_begins_with_every_alarm_and_ends_with_the_logs() -> None:
    first, *_, last = read_body(template_of("Alarms", "alarms").to_json()["Resources"])["widgets"]

    assert first["type"] == "alarm"
    assert len(first["properties"]["alarms"]) == len(find_resources("alarms", "AWS::CloudWatch::Alarm"))
    assert last["type"] == "text"
    assert "$252Faws$252Fsagemaker$252FEndpoints$252Fheadrace-dev-bigmart" in last["properties"]["markdown"]


@pytest.mark.parametrize("key", ["x", "y", "width", "height"])
def test_has_widgets_where_cloudwatch_can_draw_them(key: str) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    most = {"x": 23, "y": 1000, "width": 24, "height": 1000}[key]

    assert [widget for widget in read_widgets() if not int(key in ("width", "height")) <= widget[key] <= most] == []


def test_lays_no_widget_over_another_and_none_over_the_edge() -> None:
    taken = [
        (column, line)
        for widget in read_widgets()
        for column in range(widget["x"], widget["x"] + widget["width"])
        for line in range(widget["y"], widget["y"] + widget["height"])
    ]

    assert len(taken) == len(set(taken))
    assert max(column for column, _ in taken) < 24
    assert all(widget["properties"].get("title") or widget["type"] == "text" for widget in read_widgets())
