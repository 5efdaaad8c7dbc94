"""What is used of MiniStack's services, as AWS would bill it."""

import importlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, Final

from headrace.local.sagemaker.control_plane import SageMaker
from headrace.local.usage import BYTES_PER_GB, SECONDS_PER_HOUR, SECONDS_PER_MONTH, Key, Standing, Usage, Use

_MB_PER_GB: Final = 1024
# What stands is looked at so often while the clock is not moved.
_SAMPLING_SECONDS: Final = 1
_OFTEN_SECONDS: Final = 60
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
_EVENT_OVERHEAD_BYTES: Final = 26
# They cost nothing while they wait: https://aws.amazon.com/kms/pricing/.
_DELETED_KEYS: Final = ("PendingDeletion", "PendingReplicaDeletion")
_ENTERED: Final = "StateEntered"
_SCHEDULED: Final = ("TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled")
_TASKS: Final = "TaskStateEntered"


def install_usage(sagemaker: SageMaker, usage: Usage) -> None:
    """Have MiniStack count what is used of it."""
    modules = ("stepfunctions", "cloudwatch", "cloudwatch_logs", "s3", "kms", "lambda_svc")
    loaded: list[Any] = [importlib.import_module(f"ministack.services.{name}") for name in modules]
    states, cloudwatch, logs, s3, kms, functions = loaded
    app: Any = importlib.import_module("ministack.app")
    app.SERVICE_HANDLERS["s3"] = _count_requests(usage, app.SERVICE_HANDLERS["s3"])
    functions._execute_function = _count_invocations(usage, functions)
    logs._put_log_events = _count_written(usage, logs)
    usage.read_also(lambda: _list_transitions(states))
    usage.read_also(sagemaker.list_uses)
    usage.watch(Standing(sagemaker.read_standing))
    usage.watch(Standing(lambda: _read_monthly(cloudwatch, kms)))
    usage.watch(Standing(lambda: _read_stored(s3, logs), seconds=SECONDS_PER_HOUR))
    threading.Thread(target=_sample_for_ever, args=[usage], name="usage", daemon=True).start()


def _sample_for_ever(usage: Usage) -> None:
    while True:
        time.sleep(_SAMPLING_SECONDS)
        usage.sample()


def _list_transitions(states: Any) -> Iterator[Use]:
    """Each state that was entered, and each retry: https://aws.amazon.com/step-functions/pricing/."""
    counted: Counter[str] = Counter()
    for record in list(states._executions.values()):
        if not record.get("sync"):
            counted[record["stateMachineArn"].split(":")[6].partition("/")[0]] += count_transitions(record["events"])
    for machine, number in counted.items():
        yield Use("transition", f"state machine {machine}", number)


def count_transitions(events: list[dict[str, Any]]) -> int:
    """How many transitions there are in the history of an execution."""
    kinds = Counter(event["type"] for event in list(events))
    entered = sum(number for kind, number in kinds.items() if kind.endswith(_ENTERED))
    tried = sum(kinds[kind] for kind in _SCHEDULED)
    return entered + max(0, tried - kinds[_TASKS])


def _count_requests(usage: Usage, serve: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    async def run(method: str, path: str, headers: Any, body: Any, query: Any, **options: Any) -> Any:
        bucket, _, key = path.strip("/").partition("/")
        if price := name_request(method, key):
            usage.add(price, f"bucket {bucket or 'list'}")
        return await serve(method, path, headers, body, query, **options)

    return run


def name_request(method: str, key: str) -> str:
    """The price of a request to S3; deleting costs nothing: https://aws.amazon.com/s3/pricing/."""
    if method == "DELETE":
        return ""
    if method in ("PUT", "POST"):
        return "s3-put"
    return "s3-get" if key else "s3-list"


def _count_invocations(usage: Usage, functions: Any) -> Callable[..., Any]:
    execute = functions._execute_function

    def run(function: Mapping[str, Any], *rest: Any) -> Any:
        config = function["config"]
        thing = f"function {config['FunctionName']}"
        begin = time.monotonic()
        try:
            return execute(function, *rest)
        finally:
            seconds = time.monotonic() - begin
            arm = "arm64" in config.get("Architectures", ())
            usage.add("lambda-request", thing)
            usage.add(
                f"lambda-{'arm64' if arm else 'x86'}-gb-second",
                thing,
                seconds * float(config.get("MemorySize", 128)) / _MB_PER_GB,
            )

    return run


def _count_written(usage: Usage, logs: Any) -> Callable[..., Any]:
    put = logs._put_log_events

    def run(data: dict[str, Any]) -> Any:
        answer = put(data)
        if answer[0] < 400:
            size = sum(_measure(event) for event in data.get("logEvents", []))
            usage.add("logs-gb-written", f"log group {data['logGroupName']}", size / BYTES_PER_GB)
        return answer

    return run


def _measure(event: Mapping[str, Any]) -> int:
    return len(event.get("message", "").encode()) + _EVENT_OVERHEAD_BYTES


def _read_monthly(cloudwatch: Any, kms: Any) -> dict[Key, float]:
    """What costs the same each month."""
    rates: dict[Key, float] = {}
    for record in list(cloudwatch._alarms.values()):
        metrics = [part["MetricStat"] for part in record.get("Metrics") or () if "MetricStat" in part] or [record]
        for metric in metrics:
            often = int(metric.get("Period") or _OFTEN_SECONDS) < _OFTEN_SECONDS
            key = ("alarm-often-month" if often else "alarm-month", f"alarm {record['AlarmName']}")
            rates[key] = rates.get(key, 0) + 1 / SECONDS_PER_MONTH
    for name in list(cloudwatch._dashboards):
        rates["dashboard-month", f"dashboard {name}"] = 1 / SECONDS_PER_MONTH
    for name, key_record in list(kms._keys.items()):
        is_ours = key_record.get("KeyManager", "CUSTOMER") == "CUSTOMER"
        if is_ours and key_record.get("KeyState") not in _DELETED_KEYS:
            rates["key-month", f"key {name}"] = 1 / SECONDS_PER_MONTH
    return rates


def _read_stored(s3: Any, logs: Any) -> dict[Key, float]:
    """What is stored: every version of every object, and every event."""
    rates: dict[Key, float] = {}
    versioned = set()
    for (bucket, name), versions in list(s3._object_versions.items()):
        versioned.add((bucket, name))
        _add_stored(rates, "s3-gb-month", f"bucket {bucket}", sum(each.get("size", 0) for each in versions))
    for bucket in list(s3._buckets):
        for name, record in list(s3._buckets[bucket]["objects"].items()):
            if (bucket, name) not in versioned:
                _add_stored(rates, "s3-gb-month", f"bucket {bucket}", record["size"])
    for name, group in list(logs._log_groups.items()):
        size = sum(_measure(event) for stream in group["streams"].values() for event in list(stream["events"]))
        _add_stored(rates, "logs-gb-month", f"log group {name}", size)
    return rates


def _add_stored(rates: dict[Key, float], price: str, thing: str, size: float) -> None:
    if size:
        rates[price, thing] = rates.get((price, thing), 0) + size / BYTES_PER_GB / SECONDS_PER_MONTH
