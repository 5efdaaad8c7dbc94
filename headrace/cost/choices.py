"""Choices that people ask about, each as one month of a scenario would cost them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from headrace.cost.scenarios import Scenario
from headrace.inventory import PriceList
from headrace.inventory.prices import HOURS_PER_MONTH, INSTANCE

_FSX_GB: Final = 1200
# A file system is made within about 10 minutes, reads its data again from the bucket, and is deleted.
FSX_AROUND_MINUTES: Final = 20
_ZONES: Final = 2
# What a job or a notebook in isolated subnets asks most: SageMaker's API, CloudWatch Logs, and STS.
_ENDPOINTS: Final = 3
_SERVERLESS_GB: Final = 2
_SECONDS_PER_HOUR: Final = 3600
_MACHINE: Final = f"{INSTANCE}ml.m5.xlarge"
_SERVER: Final = f"{INSTANCE}ml.m5.large"


@dataclass(frozen=True)
class Way:
    """One way to do something.

    Args:
        choice: What is chosen.
        way: This way.
        usd: What it costs a month.
    """

    choice: str
    way: str
    usd: float


def list_choices(scenario: Scenario, prices: PriceList) -> Iterator[Way]:
    """The ways of each choice, next to each other.

    Args:
        scenario: How much the platform is used.
        prices: The prices.

    Raises:
        PriceError: If one of them is not known.
    """
    for choice in (_list_lustre, _list_epochs, _list_network, _list_serving, _list_normalizing):
        yield from choice(scenario, prices.each)


_Each = Callable[[str], float]


def _list_lustre(scenario: Scenario, each: _Each) -> Iterator[Way]:
    choice = "FSx for Lustre of 1,200 GiB"
    hours = scenario.executions * (scenario.training_minutes + FSX_AROUND_MINUTES) / 60
    yield Way(choice, "always there, persistent", _FSX_GB * each("fsx-persistent-125-gb-month"))
    yield Way(choice, "always there, scratch", _FSX_GB * each("fsx-scratch-gb-month"))
    yield Way(choice, "for each run, scratch", _FSX_GB * each("fsx-scratch-gb-month") * hours / HOURS_PER_MONTH)


def _list_epochs(scenario: Scenario, each: _Each) -> Iterator[Way]:
    choice = f"{scenario.efs_gb:g} GB of training data, read once an execution"
    passes = scenario.executions
    s3 = scenario.efs_gb * each("s3-gb-month") + passes * scenario.read_objects * each("s3-get")
    efs = scenario.efs_gb * (each("efs-gb-month") + passes * each("efs-gb-read"))
    yield Way(choice, "from S3", s3)
    yield Way(choice, "from EFS", efs)


def _list_network(scenario: Scenario, each: _Each) -> Iterator[Way]:
    choice = f"a way out of the VPC for {scenario.network_gb:g} GB"
    nat = HOURS_PER_MONTH * (each("nat-gateway-hour") + each("public-address-hour"))
    interfaces = _ENDPOINTS * _ZONES * HOURS_PER_MONTH * each("interface-endpoint-hour")
    yield Way(choice, "one NAT gateway", nat + scenario.network_gb * each("nat-gb"))
    yield Way(
        choice,
        f"{_ENDPOINTS} interface endpoints in {_ZONES} zones",
        interfaces + scenario.network_gb * each("interface-endpoint-gb"),
    )


def _list_serving(scenario: Scenario, each: _Each) -> Iterator[Way]:
    choice = f"an endpoint with {scenario.requests:,.0f} requests"
    used = scenario.requests * scenario.request_seconds * _SERVERLESS_GB
    yield Way(choice, f"an ml.m5.large, {scenario.endpoint_hours:g} hours", scenario.endpoint_hours * each(_SERVER))
    yield Way(choice, f"serverless, {_SERVERLESS_GB} GB", used * each("serverless-gb-second"))


def _list_normalizing(scenario: Scenario, each: _Each) -> Iterator[Way]:
    choice = f"{scenario.photographs:,.0f} photographs normalized"
    used, asked = scenario.photographs * scenario.photograph_gb_seconds, scenario.photographs * each("lambda-request")
    seconds = scenario.photographs / scenario.photographs_per_second if scenario.photographs_per_second else 0.0
    yield Way(choice, "in the function, arm64", used * each("lambda-arm64-gb-second") + asked)
    # As many GB-seconds as on arm64: they were measured on x86-64.
    yield Way(choice, "in the function, x86-64", used * each("lambda-x86-gb-second") + asked)
    yield Way(choice, "on the training machine, an ml.m5.xlarge", seconds / _SECONDS_PER_HOUR * each(_MACHINE))
