"""What CloudWatch knows of the machines of jobs and endpoints.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html has the metrics and their dimensions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace.cost.lines import SECONDS_PER_HOUR
from headrace.cost.recorded import RecordedJob
from headrace.cost.sizing import CPU, METRICS, Advice, Machine, Measured, advise
from headrace.inventory import Item, PriceList
from headrace.inventory.prices import HOURS_PER_MONTH

# A machine must hold the peak, and that of an hour is that of its minutes. Of hours CloudWatch knows for 455 days, of
# minutes for 15.
_PERIOD_SECONDS: Final = SECONDS_PER_HOUR
_HOUR: Final = timedelta(hours=1)
_LEAST_MINUTES: Final = 5
# A week of working hours, out of the four weeks that are usual for right-sizing.
_LEAST_HOURS: Final = 40
_LOOKED_BACK: Final = timedelta(days=28)
_COUNT: Final = "count"

_Values = Mapping[str, list[float]]


def advise_jobs(session: Any, jobs: Iterable[RecordedJob], prices: PriceList) -> list[Advice]:
    """Whether the machines of jobs that have ended were too large.

    Args:
        session: boto3's, which leads to the account and the Region; nothing but reading is asked of it.
        jobs: The jobs.
        prices: The prices.
    """
    return [advise(_describe_job(job), _measure_job(session, job), prices) for job in jobs]


def advise_endpoints(session: Any, endpoints: Iterable[Item], prices: PriceList, now: datetime) -> list[Advice]:
    """Whether the machines of endpoints were too large in the last four weeks.

    Args:
        session: boto3's, as above.
        endpoints: The endpoints of an inventory; serverless variants have no machines.
        prices: The prices.
        now: The end of the four weeks.
    """
    return [
        advise(_describe_variant(endpoint, variant), _measure_variant(session, endpoint, variant, now), prices)
        for endpoint in endpoints
        for variant in endpoint.properties.get("ProductionVariants", [])
        if "InstanceType" in variant
    ]


def _describe_job(job: RecordedJob) -> Machine:
    hours = job.machines.count * job.seconds / SECONDS_PER_HOUR
    kind, instance_type = job.machines.kind.word, job.machines.instance_type
    return Machine(job.name, kind, instance_type, hours, "execution", "minutes", _LEAST_MINUTES)


def _describe_variant(endpoint: Item, variant: Mapping[str, Any]) -> Machine:
    count = variant.get("CurrentInstanceCount", variant.get("InitialInstanceCount", 1))
    name = f"{endpoint.name}/{variant['VariantName']}"
    return Machine(name, "endpoint", variant["InstanceType"], count * HOURS_PER_MONTH, "month", "hours", _LEAST_HOURS)


def _measure_job(session: Any, job: RecordedJob) -> Measured:
    if job.began is None or job.ended is None:
        return Measured()
    namespace = f"/aws/sagemaker/{job.machines.kind.entity}s"
    try:
        cloudwatch = session.client("cloudwatch")
        found = [
            _read(cloudwatch, namespace, {"Host": host}, job.began, job.ended)
            for host in _list_hosts(session, job, namespace)
        ]
    except ClientError as error:
        return Measured(fault=error.response["Error"]["Code"])
    return _merge(found, min((round(sum(values[_COUNT])) for values in found), default=0))


def _measure_variant(session: Any, endpoint: Item, variant: Mapping[str, Any], now: datetime) -> Measured:
    dimensions = {"EndpointName": endpoint.name, "VariantName": variant["VariantName"]}
    try:
        config = session.client("sagemaker").describe_endpoint_config(
            EndpointConfigName=endpoint.properties["EndpointConfigName"]
        )
        # What an earlier configuration's machines have used is of other machines; those go in the first hour.
        since = max(now - _LOOKED_BACK, config["CreationTime"] + _HOUR)
        found = _read(session.client("cloudwatch"), "/aws/sagemaker/Endpoints", dimensions, since, now)
    except ClientError as error:
        return Measured(fault=error.response["Error"]["Code"])
    return _merge([found], len(found[_COUNT]))


def _list_hosts(session: Any, job: RecordedJob, group: str) -> Iterable[str]:
    """The machines of a job, as its metrics name them: those of transform jobs by ids that its logs have, too."""
    if job.machines.kind.entity != "TransformJob":
        return [f"{job.name}/algo-{number}" for number in range(1, round(job.machines.count) + 1)]
    pages = session.client("logs").get_paginator("describe_log_streams")
    streams = [
        stream["logStreamName"]
        for page in pages.paginate(logGroupName=group, logStreamNamePrefix=f"{job.name}/")
        for stream in page["logStreams"]
    ]
    return sorted({"/".join(name.split("/")[:2]).rpartition("-")[0] for name in streams})


def _read(
    cloudwatch: Any, namespace: str, dimensions: Mapping[str, str], begin: datetime, end: datetime
) -> defaultdict[str, list[float]]:
    """The largest values of each metric, an hour each, and how many measurements each of these hours has."""
    queries = [*(_query(name.lower(), name, "Maximum") for name in METRICS), _query(_COUNT, CPU, "SampleCount")]
    for query in queries:
        metric = query["MetricStat"]["Metric"]
        metric |= {"Namespace": namespace, "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()]}
    span = {"StartTime": _begin_hour(begin), "EndTime": _begin_hour(end) + _HOUR}
    found: defaultdict[str, list[float]] = defaultdict(list)
    for page in cloudwatch.get_paginator("get_metric_data").paginate(MetricDataQueries=queries, **span):
        for result in page["MetricDataResults"]:
            found[result["Id"]] += result["Values"]
    return found


def _query(name: str, metric: str, statistic: str) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {"Metric": {"MetricName": metric}, "Period": _PERIOD_SECONDS, "Stat": statistic},
    }


def _begin_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _merge(found: Sequence[_Values], count: int) -> Measured:
    """The most that any of some machines has used."""
    values = {name: [value for each in found for value in each.get(name.lower(), [])] for name in METRICS}
    return Measured(count, {name: max(some) for name, some in values.items() if some})
