"""The clients that the library asks about versions, answered by a control plane in memory."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from headrace.local.sagemaker import SageMakerError
from tests.headrace.local.sagemaker.cloud import Cloud
from tests.headrace.local.sagemaker.fakes import FakeS3


class SageMakerClient:
    """A client of the control plane's own operations, as boto3 would have it."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._names = {xform_name(name): name for name in cloud.sagemaker.operations}

    def __getattr__(self, name: str) -> Any:
        return lambda **request: self._call(self._names[name], request)

    def get_paginator(self, name: str) -> "Paginator":
        return Paginator(getattr(self, name))

    def _call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._cloud.call(operation, **request)
        except SageMakerError as error:
            raise ClientError({"Error": {"Code": error.code, "Message": error.message}}, operation) from error


class Paginator:
    """The pages of a List operation."""

    def __init__(self, ask: Any) -> None:
        self._ask = ask

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        page = self._ask(**request)
        yield page
        while "NextToken" in page:
            page = self._ask(**request, NextToken=page["NextToken"])
            yield page


class S3Client:
    """A client of buckets in memory."""

    def __init__(self, s3: FakeS3) -> None:
        self._s3 = s3

    def get_object(self, **request: Any) -> Any:
        return self._s3.get_object(**request)

    def head_object(self, **request: Any) -> Any:
        return self._s3.head_object(**request)

    def get_paginator(self, _: str) -> "S3Client":
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        bucket = self._s3.buckets[request["Bucket"]]
        yield {"Contents": [{"Key": key} for key in sorted(bucket) if key.startswith(request["Prefix"])]}


class StatesClient:
    """A client of executions that are told what they were started with."""

    def __init__(self) -> None:
        self.inputs: dict[str, str] = {}

    def start_execution(self, **request: Any) -> dict[str, str]:
        arn = f"arn:execution:{len(self.inputs)}"
        self.inputs[arn] = request["input"]
        return {"executionArn": arn}

    def list_executions(self, **_: Any) -> dict[str, Any]:
        return {"executions": [{"executionArn": arn} for arn in reversed(self.inputs)]}

    def describe_execution(self, **request: Any) -> dict[str, Any]:
        return {"input": self.inputs[request["executionArn"]]}


class Clients:
    """Stands for `boto3.client`."""

    def __init__(self, cloud: Cloud) -> None:
        self.states = StatesClient()
        self._clients = {
            "sagemaker": SageMakerClient(cloud),
            "s3": S3Client(cloud.s3),
            "stepfunctions": self.states,
        }

    def __call__(self, service: str, **_: Any) -> Any:
        return self._clients[service]


def put(cloud: Cloud, key: str, content: bytes | str) -> None:
    """An object in the work bucket."""
    cloud.s3.put("work", key, content.encode() if isinstance(content, str) else content)
