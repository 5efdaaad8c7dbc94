"""The events that say that an alarm has another state."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def describe_change(record: Mapping[str, Any], old: str, moment: datetime) -> dict[str, Any]:
    """The detail of the event.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html

    Args:
        record: What DescribeAlarms answers about the alarm.
        old: The state that it was in before.
        moment: When it changed.
    """
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"
    state = {"value": record["StateValue"], "reason": record["StateReason"], "timestamp": stamp}
    if record.get("StateReasonData"):
        state["reasonData"] = record["StateReasonData"]
    return {
        "alarmName": record["AlarmName"],
        "state": state,
        "previousState": {"value": old},
        "configuration": _describe_configuration(record),
    }


def _describe_configuration(record: Mapping[str, Any]) -> dict[str, Any]:
    described = {"description": record["AlarmDescription"]} if record.get("AlarmDescription") else {}
    if record.get("AlarmRule"):
        return {**described, "alarmRule": record["AlarmRule"]}
    if record.get("Metrics"):
        return {**described, "metrics": [_describe_query(query) for query in record["Metrics"]]}
    stat = {
        "Metric": record,
        "Period": record["Period"],
        "Stat": record.get("ExtendedStatistic") or record["Statistic"],
    }
    return {**described, "metrics": [_describe_query({"Id": "m1", "MetricStat": stat, "ReturnData": True})]}


def _describe_query(query: Mapping[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    if "Expression" in query:
        return {**described, "expression": query["Expression"]}
    stat = query["MetricStat"]
    metric = stat["Metric"]
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions") or ()}
    read = {"namespace": metric["Namespace"], "name": metric["MetricName"], "dimensions": dimensions}
    return {**described, "metricStat": {"metric": read, "period": stat["Period"], "stat": stat["Stat"]}}
