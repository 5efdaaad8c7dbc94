"""What using a platform costs: an execution of each workload, and a month, as a scenario assumes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from headrace.cost.choices import FSX_AROUND_MINUTES
from headrace.cost.hours import find_most_hours
from headrace.cost.lines import Line, list_job_lines, make_line
from headrace.cost.machines import STATE_MACHINE, Definition, Machines, read_definition
from headrace.cost.reading import list_reading_lines
from headrace.cost.scenarios import Scenario
from headrace.cost.schedules import count_checks, count_executions
from headrace.documents.prices import ENDPOINT_AROUND_SECONDS
from headrace.drift.contract import Metric
from headrace.inventory import Charge, Item, PriceList
from headrace.inventory.prices import HOURS_PER_MONTH, INSTANCE

_KB_PER_GB: Final = 1024 * 1024
_MB_PER_GB: Final = 1024
_SECONDS_PER_MINUTE: Final = 60
_INTELLIGENT_TIERING_PRICE: Final = "s3-monitored-object-month"


@dataclass(frozen=True)
class Usage:
    """What using a platform costs.

    Args:
        executions: One execution of each state machine.
        month: The month besides executions: endpoints, requests, storage, logs, photographs.
        unread: What cannot be known before it runs.
    """

    executions: tuple[Line, ...]
    month: tuple[Line, ...]
    unread: tuple[str, ...]


def estimate_usage(items: Sequence[Item], scenario: Scenario, prices: PriceList) -> Usage:
    """What a platform of these things costs when it is used as a scenario assumes."""
    starts, started = count_checks(items), count_executions(items)
    machines = [(item, read_definition(item)) for item in items if item.kind == STATE_MACHINE]
    scheduled = [(item, each) for item, each in machines if (item.stack, item.logical_id) in starts]
    others = [pair for pair in machines if pair not in scheduled]
    return Usage(
        tuple(line for item, each in others for line in _list_execution(item.section, each, scenario, prices)),
        (
            *(
                line
                for item, each in scheduled
                for line in _list_checks(item, each, starts[item.stack, item.logical_id], scenario, prices)
            ),
            *(
                line
                for item, each in others
                for line in _list_further(
                    item, each, started.get((item.stack, item.logical_id), 0) - scenario.executions, scenario, prices
                )
            ),
            *(
                line
                for item, each in machines
                for line in _list_endpoint(item.section, each, _limit_hours(items, item.section, scenario), prices)
            ),
            *(
                line
                for item, each in machines
                for line in list_reading_lines(
                    item.section, each.asked, scenario.document_pages, prices, classifies=each.classifier_units > 0
                )
            ),
            *_list_month(items, scenario, prices),
        ),
        tuple(f"{item.section}: {fault}" for item, each in machines for fault in each.unread),
    )


def _list_execution(section: str, definition: Definition, scenario: Scenario, prices: PriceList) -> Iterator[Line]:
    for machines in definition.jobs:
        seconds = _find_minutes(machines, scenario) * _SECONDS_PER_MINUTE
        billed = seconds * (1 - scenario.spot_saving) if machines.is_spot else seconds
        yield from list_job_lines(section, machines, billed, prices)
        if machines.reads_efs:
            yield make_line(section, "reading from EFS", Charge("efs-gb-read", scenario.efs_gb), prices)
    if definition.lustre_gb:
        hours = (scenario.training_minutes + FSX_AROUND_MINUTES) / 60
        quantity = definition.lustre_gb * hours / HOURS_PER_MONTH
        yield make_line(section, "FSx for Lustre", Charge("fsx-scratch-gb-month", quantity), prices)
    if definition.trainings:
        hours = scenario.training_minutes / 60 * definition.trainings
        yield make_line(section, "training of a classifier", Charge("comprehend-training-hour", hours), prices)
    if definition.classifier_units:
        charge = Charge("comprehend-endpoint-second", definition.classifier_units * ENDPOINT_AROUND_SECONDS)
        yield make_line(section, "endpoint of a classifier, besides classifying", charge, prices)
    yield make_line(section, "states", Charge("transition", definition.states), prices)
    if definition.jobs:
        yield make_line(section, "reading objects", Charge("s3-get", scenario.read_objects), prices)
        yield make_line(section, "writing objects", Charge("s3-put", scenario.read_objects / 10), prices)


def _list_checks(
    item: Item, definition: Definition, starts: float, scenario: Scenario, prices: PriceList
) -> Iterator[Line]:
    """What a state machine costs a month that a schedule starts so often: its job checks, and preprocesses nothing."""
    one = replace(scenario, preprocessing_minutes=scenario.check_minutes)
    yield from _repeat(_list_execution(item.section, definition, one, prices), "checks", starts)


def _list_further(
    item: Item, definition: Definition, starts: float, scenario: Scenario, prices: PriceList
) -> Iterator[Line]:
    """What a schedule starts a month beyond the executions that a scenario assumes."""
    if starts > 0:
        lines = _list_execution(item.section, definition, scenario, prices)
        yield from _repeat(lines, f"{starts:,.0f} more executions by schedule", starts)


def _repeat(lines: Iterator[Line], title: str, times: float) -> Iterator[Line]:
    for line in lines:
        usd = None if line.usd is None else line.usd * times
        yield replace(line, what=f"{title}: {line.what}", quantity=line.quantity * times, usd=usd)


def _find_minutes(machines: Machines, scenario: Scenario) -> float:
    return {
        "processing job": scenario.preprocessing_minutes,
        "training job": scenario.training_minutes,
        "transform job": scenario.transform_minutes,
    }[machines.kind.word]


def _limit_hours(items: Sequence[Item], section: str, scenario: Scenario) -> Scenario:
    """A scenario in which an endpoint stands no longer than its schedules let it."""
    return replace(scenario, endpoint_hours=min(scenario.endpoint_hours, find_most_hours(items, section)))


def _list_endpoint(section: str, definition: Definition, scenario: Scenario, prices: PriceList) -> Iterator[Line]:
    for variant in definition.variants:
        if serverless := variant.get("ServerlessConfig"):
            gb = float(serverless["MemorySizeInMB"]) / _MB_PER_GB
            used = scenario.requests * scenario.request_seconds * gb
            yield make_line(section, "serverless endpoint", Charge("serverless-gb-second", used), prices)
            if kept := serverless.get("ProvisionedConcurrency"):
                ready = float(kept) * gb * scenario.endpoint_hours * 3600
                charge = Charge("serverless-provisioned-gb-second", ready)
                yield make_line(section, "serverless endpoint kept ready", charge, prices)
        else:
            hours = float(variant.get("InitialInstanceCount", 1)) * scenario.endpoint_hours
            what = f"endpoint on {variant['InstanceType']}"
            yield make_line(section, what, Charge(f"{INSTANCE}{variant['InstanceType']}", hours), prices)
        moved = scenario.requests * scenario.request_kb / _KB_PER_GB
        yield make_line(section, "requests to the endpoint", Charge("endpoint-gb", moved), prices)


def _list_month(items: Sequence[Item], scenario: Scenario, prices: PriceList) -> Iterator[Line]:
    """What is billed by use outside of executions, of the types of things that there are."""
    there = Counter(item.kind for item in items)
    for kind, section, what, price, quantity in (
        ("AWS::S3::Bucket", "storage", "what buckets hold", "s3-gb-month", scenario.stored_gb),
        ("AWS::S3::Bucket", "storage", "objects that are watched", _INTELLIGENT_TIERING_PRICE, scenario.stored_objects),
        ("AWS::ECR::Repository", "registry", "container images", "ecr-gb-month", scenario.container_image_gb),
        ("AWS::EFS::FileSystem", "filesystems", "what EFS holds", "efs-gb-month", scenario.efs_gb),
        ("AWS::Logs::LogGroup", "logs", "writing logs", "logs-gb-written", scenario.log_gb),
        ("AWS::Logs::LogGroup", "logs", "keeping logs", "logs-gb-month", scenario.log_gb),
        ("AWS::EC2::NatGateway", "network", "through NAT gateways", "nat-gb", scenario.network_gb),
        ("AWS::KMS::Key", "encryption", "requests to keys", "key-request", scenario.key_requests),
        (
            "AWS::Lambda::Url",
            "normalizer",
            "normalizing photographs",
            "lambda-arm64-gb-second",
            scenario.photographs * scenario.photograph_gb_seconds,
        ),
        ("AWS::Lambda::Url", "normalizer", "requests for photographs", "lambda-request", scenario.photographs),
        ("AWS::Lambda::Url", "normalizer", "reading photographs", "s3-get", scenario.photographs),
    ):
        if there[kind]:
            yield make_line(section, what, Charge(price, quantity), prices)
    if interfaces := sum(item.properties.get("VpcEndpointType") == "Interface" for item in items):
        charge = Charge("interface-endpoint-gb", scenario.network_gb)
        yield make_line("network", f"through {interfaces} interface endpoints", charge, prices)
    if metrics := sum(map(_count_metrics, items)):
        yield make_line("metrics", "metrics of golden requests and drift", Charge("metric-month", metrics), prices)


def _count_metrics(item: Item) -> int:
    """How many of our own metrics there are for an alarm: checks for drift publish more than alarms watch."""
    if item.properties.get("Namespace") != "Headrace":
        return 0
    return {Metric.CHECKS: len(Metric), Metric.COLUMNS: 0}.get(item.properties["MetricName"], 1)
