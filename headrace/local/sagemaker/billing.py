"""What jobs and endpoints are billed for: the instances that they have, by the second, and their volumes.

https://aws.amazon.com/sagemaker/ai/pricing/
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from headrace.inventory.prices import INSTANCE
from headrace.local.sagemaker.endpoint import Endpoint
from headrace.local.sagemaker.host import count_instances
from headrace.local.sagemaker.jobs import Job
from headrace.local.usage import SECONDS_PER_HOUR, SECONDS_PER_MONTH, Key, Use, read_seconds

_VOLUME: Final = "volume-gb-month"
_VOLUMES: Final = {"ProcessingJob": "processing-volume-gb-month"}
_TIMED: Final = ("Training", "Processing", "Transform")
_BILLED: Final = ("InService", "Updating", "RollingBack", "Deleting", "OutOfService")


def list_job_uses(jobs: Iterable[Job]) -> Iterator[Use]:
    """What jobs have used, also those that run."""
    for job in jobs:
        thing, cluster = f"{job.kind} {job.name}", job.instances
        seconds = read_billed_seconds(job.describe()) * count_instances(cluster)
        yield Use(f"{INSTANCE}{cluster['InstanceType']}", thing, seconds / SECONDS_PER_HOUR)
        if size := cluster.get("VolumeSizeInGB"):
            yield Use(_VOLUMES.get(job.kind, _VOLUME), thing, size * seconds / SECONDS_PER_MONTH)


def read_billed_seconds(described: Mapping[str, Any]) -> float:
    """How long a job was billed for, or has been until now: from its start to its end, on spot instances a part."""
    if billable := described.get("BillableTimeInSeconds"):
        return float(billable)
    begun, ended = (
        next((described[f"{kind}{end}Time"] for kind in _TIMED if f"{kind}{end}Time" in described), None)
        for end in ("Start", "End")
    )
    return read_seconds(begun, ended)


def read_endpoint_rates(endpoints: Iterable[Endpoint]) -> dict[Key, float]:
    """How many hours of instances endpoints use a second; serverless ones use none while they stand."""
    rates: dict[Key, float] = {}
    for endpoint in endpoints:
        if endpoint.status not in _BILLED:
            continue
        for held in endpoint.instances:
            if "InstanceType" in held:
                key = (f"{INSTANCE}{held['InstanceType']}", f"Endpoint {endpoint.name}")
                rates[key] = rates.get(key, 0) + count_instances(held) / SECONDS_PER_HOUR
    return rates
