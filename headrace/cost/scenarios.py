"""How much a platform is used a month: what its cost hangs on besides what stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, Self

from headrace.assemblies import Assembly
from headrace.errors import HeadraceError

# Where a template says what an environment's settings change in the scenarios.
SCENARIOS_METADATA: Final = "headrace:CostScenarios"


class ScenarioError(HeadraceError):
    """An assumption is not one, or not a number that it can have."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is assumed of a month.

    Args:
        executions: Executions of each workload.
        preprocessing_minutes: How long a processing job of an execution takes.
        check_minutes: How long a job takes that a schedule starts to check requests.
        training_minutes: How long a training job takes.
        transform_minutes: How long a transform job takes.
        spot_saving: Which part of the price training on spot instances saves.
        endpoint_hours: For how long each endpoint stands.
        requests: Requests to each endpoint.
        request_seconds: How long a serverless endpoint takes for one.
        request_kb: How large a request and its answer are together.
        photographs: Photographs that the normalizer's function normalizes.
        photograph_gb_seconds: How much of the function one takes; docs/normalizer-measurements.md has measured figures.
        photographs_per_second: How many the processors of an ml.m5.xlarge normalize in a second; measured there, too.
        document_pages: Pages of documents that Textract reads, where `documents` is on.
        stored_gb: What all buckets hold.
        stored_objects: How many objects of at least 128 KB that is.
        read_objects: How many objects are read and written in each execution.
        container_image_gb: What all repositories hold.
        efs_gb: What EFS holds, and a training job reads of it.
        log_gb: What is written to logs.
        network_gb: What goes through NAT gateways and interface endpoints.
        key_requests: Requests to customers' keys.
    """

    executions: float = 4
    preprocessing_minutes: float = 5
    check_minutes: float = 5
    training_minutes: float = 10
    transform_minutes: float = 5
    spot_saving: float = 0.5
    endpoint_hours: float = 40
    requests: float = 1_000
    request_seconds: float = 0.1
    request_kb: float = 10
    photographs: float = 10_000
    photograph_gb_seconds: float = 0.018
    photographs_per_second: float = 300
    document_pages: float = 100
    stored_gb: float = 5
    stored_objects: float = 1_000
    read_objects: float = 1_000
    container_image_gb: float = 3
    efs_gb: float = 1
    log_gb: float = 0.05
    network_gb: float = 1
    key_requests: float = 10_000

    def change(self, given: Mapping[str, object]) -> Self:
        """The same with other assumptions.

        Raises:
            ScenarioError: If there is no such assumption, or it cannot be that much.
        """
        known = {each.name for each in fields(self)}
        if unknown := sorted(given.keys() - known):
            raise ScenarioError(f"there is no assumption '{unknown[0]}'; there are: {', '.join(sorted(known))}")
        return replace(self, **{name: _read_number(name, value) for name, value in given.items()})


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "low": Scenario(),
    "moderate": Scenario(
        executions=30,
        preprocessing_minutes=10,
        training_minutes=60,
        transform_minutes=15,
        endpoint_hours=730,
        requests=1_000_000,
        photographs=1_000_000,
        photograph_gb_seconds=0.030,
        photographs_per_second=250,
        document_pages=10_000,
        stored_gb=500,
        stored_objects=500_000,
        read_objects=10_000,
        container_image_gb=6,
        efs_gb=50,
        log_gb=2,
        network_gb=50,
        key_requests=100_000,
    ),
    "high": Scenario(
        executions=300,
        preprocessing_minutes=30,
        training_minutes=240,
        transform_minutes=60,
        endpoint_hours=730,
        requests=50_000_000,
        photographs=50_000_000,
        photograph_gb_seconds=0.046,
        photographs_per_second=86,
        document_pages=500_000,
        stored_gb=10_000,
        stored_objects=10_000_000,
        read_objects=100_000,
        container_image_gb=12,
        efs_gb=1_000,
        log_gb=50,
        network_gb=1_000,
        key_requests=5_000_000,
    ),
}


def find_settings(app: Assembly) -> Mapping[str, Mapping[str, object]]:
    """What the settings of an app change in the scenarios, by scenario; they stand in the metadata of a template."""
    found = [template.get("Metadata", {}).get(SCENARIOS_METADATA) for template in app.templates.values()]
    return next((each for each in found if isinstance(each, Mapping)), {})


def choose_scenario(name: str, settings: Mapping[str, Mapping[str, object]], given: Sequence[str]) -> Scenario:
    """A scenario with what an environment's settings and a command change in it.

    Args:
        name: Which one.
        settings: What the settings change, by scenario.
        given: What the command changes, each as `NAME=NUMBER`.

    Raises:
        ScenarioError: If one of them is not an assumption.
    """
    if wrong := next((each for each in given if "=" not in each), None):
        raise ScenarioError(f"'{wrong}' is not an assumption; write it as NAME=NUMBER")
    chosen = SCENARIOS[name].change(settings.get(name, {}))
    return chosen.change(dict(each.split("=", 1) for each in given))


def _read_number(name: str, value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf") or (name == "spot_saving" and number > 1):
        most = "from 0 to 1" if name == "spot_saving" else "of 0 or more"
        raise ScenarioError(f"{name}: expected a number {most}, found '{value}'")
    return number
