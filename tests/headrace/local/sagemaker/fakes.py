"""S3, CloudWatch Logs and an image registry in memory."""

import hashlib
import io
import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from headrace.local.sagemaker import ContainerImageNotFoundError, RunnableContainerImage
from tests.patience import PATIENCE_SECONDS


def client_error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


def etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


class FakeS3:
    """Buckets as dictionaries, listed two keys a page so that paging is always exercised."""

    page_size = 2

    def __init__(self, *buckets: str) -> None:
        self.buckets: dict[str, dict[str, bytes]] = {bucket: {} for bucket in buckets}
        self.encryption: dict[str, Mapping[str, str] | None] = {}

    def put(self, bucket: str, key: str, body: bytes) -> None:
        self.buckets[bucket][key] = body

    def keys(self, bucket: str) -> list[str]:
        return sorted(self.buckets[bucket])

    def list_objects_v2(self, **request: Any) -> Any:
        bucket = self._bucket(request["Bucket"], "ListObjectsV2")
        after = request.get("ContinuationToken", "")
        keys = sorted(key for key in bucket if key.startswith(request["Prefix"]) and key > after)
        page = keys[: self.page_size]
        answer: dict[str, Any] = {"Contents": [{"Key": key, "ETag": etag(bucket[key])} for key in page]}
        answer["IsTruncated"] = len(keys) > len(page)
        return answer | ({"NextContinuationToken": page[-1]} if answer["IsTruncated"] else {})

    def get_object(self, **request: Any) -> Any:
        bucket = self._bucket(request["Bucket"], "GetObject")
        if request["Key"] not in bucket:
            raise client_error("NoSuchKey", "GetObject")
        return {"Body": io.BytesIO(bucket[request["Key"]])}

    def head_object(self, **request: Any) -> Any:
        bucket = self._bucket(request["Bucket"], "HeadObject")
        if request["Key"] not in bucket:
            raise client_error("404", "HeadObject")
        return {"ETag": etag(bucket[request["Key"]])}

    def upload_fileobj(self, file: BinaryIO, bucket: str, key: str, *, ExtraArgs: Mapping[str, str] | None) -> Any:  # noqa: N803
        self._bucket(bucket, "PutObject")[key] = file.read()
        self.encryption[key] = ExtraArgs

    def delete_object(self, **request: Any) -> Any:
        self._bucket(request["Bucket"], "DeleteObject").pop(request["Key"], None)

    def _bucket(self, name: str, operation: str) -> dict[str, bytes]:
        if name not in self.buckets:
            raise client_error("NoSuchBucket", operation)
        return self.buckets[name]


class GatedS3(FakeS3):
    """Objects that arrive only when the gate is opened; `reached` says that somebody waits for one."""

    def __init__(self, *buckets: str) -> None:
        super().__init__(*buckets)
        self.reached = threading.Event()
        self.gate = threading.Event()

    def get_object(self, **request: Any) -> Any:
        self.reached.set()
        assert self.gate.wait(PATIENCE_SECONDS)
        return super().get_object(**request)


class FakeLogs:
    """Log streams as lists; `await_line` blocks until a program has printed a text."""

    def __init__(self) -> None:
        self.groups: set[str] = set()
        self.streams: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self.batches: list[int] = []
        self._changed = threading.Condition()

    def create_log_group(self, **request: Any) -> Any:
        if request["logGroupName"] in self.groups:
            raise client_error("ResourceAlreadyExistsException", "CreateLogGroup")
        self.groups.add(request["logGroupName"])

    def create_log_stream(self, **request: Any) -> Any:
        self.streams[request["logGroupName"], request["logStreamName"]] = []

    def put_log_events(self, **request: Any) -> Any:
        with self._changed:
            self.streams[request["logGroupName"], request["logStreamName"]] += request["logEvents"]
            self.batches.append(len(request["logEvents"]))
            self._changed.notify_all()

    def lines(self, group: str) -> list[str]:
        return [event["message"] for (name, _), events in self.streams.items() if name == group for event in events]

    def await_line(self, text: str, count: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._count(text) >= count, timeout=PATIENCE_SECONDS)

    def _count(self, text: str) -> int:
        return sum(text in event["message"] for events in self.streams.values() for event in events)


class FakeCloudWatch:
    """Metric values as lists, by namespace, and alarms in the states that tests give them."""

    def __init__(self) -> None:
        self.values: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.alarms: dict[str, str] = {}
        self._changed = threading.Condition()

    def put_metric_data(self, **request: Any) -> Any:
        with self._changed:
            self.values[request["Namespace"]] += request["MetricData"]
            self._changed.notify_all()

    def describe_alarms(self, **request: Any) -> Any:
        found = {name: state for name, state in self.alarms.items() if name in request["AlarmNames"]}
        return {"MetricAlarms": [{"AlarmName": name, "StateValue": state} for name, state in found.items()]}

    def await_values(self, namespace: str, name: str, **dimensions: str) -> dict[float, float]:
        """How often each value of a metric with exactly these dimensions was put, as soon as there is one."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._find(namespace, name, dimensions), PATIENCE_SECONDS)
            return self._find(namespace, name, dimensions)

    def _find(self, namespace: str, name: str, dimensions: Mapping[str, str]) -> dict[float, float]:
        seen: dict[float, float] = defaultdict(float)
        for datum in self.values[namespace]:
            own = {each["Name"]: each["Value"] for each in datum["Dimensions"]}
            if datum["MetricName"] == name and own == dimensions:
                for value, count in zip(datum["Values"], datum["Counts"], strict=True):
                    seen[value] += count
        return dict(seen)


class FakeRegistry:
    """Images by name."""

    def __init__(self) -> None:
        self.images: dict[str, RunnableContainerImage] = {}

    def resolve(self, image_uri: str) -> RunnableContainerImage:
        if image_uri not in self.images:
            raise ContainerImageNotFoundError(image_uri)
        return self.images[image_uri]
