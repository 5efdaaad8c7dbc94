"""SageMaker's control plane for one machine: every operation that is served here, by name."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from headrace.local.sagemaker import wire
from headrace.local.sagemaker.endpoints import Endpoints
from headrace.local.sagemaker.errors import SageMakerError
from headrace.local.sagemaker.host import CloudWatchClient, FileSystemMounts, Host, LogsClient, Patience, S3Client
from headrace.local.sagemaker.images import ImageRegistry
from headrace.local.sagemaker.models import EndpointConfigs, Models
from headrace.local.sagemaker.processing import ProcessingJobs
from headrace.local.sagemaker.tags import Tags
from headrace.local.sagemaker.training import TrainingJobs
from headrace.local.sagemaker.validation import load_service_model, validate_request

Handler = Callable[[Mapping[str, Any]], dict[str, Any]]


class SageMaker:
    """Answers SageMaker's API and runs its jobs and endpoints as processes of this machine.

    Args:
        root: a folder of its own for the files of jobs and endpoints and the records of their processes.
        s3: a boto3 client; `logs` and `cloudwatch` are, too. All must work until `close` has returned.
        file_systems: what channels can mount.
        patience: how long to wait for container programs.
    """

    def __init__(
        self,
        *,
        root: Path,
        registry: ImageRegistry,
        s3: S3Client,
        logs: LogsClient,
        cloudwatch: CloudWatchClient,
        file_systems: FileSystemMounts,
        account: str,
        region: str,
        patience: Patience | None = None,
    ) -> None:
        host = Host(
            root=root.resolve(),
            registry=registry,
            s3=s3,
            logs=logs,
            cloudwatch=cloudwatch,
            file_systems=file_systems,
            account=account,
            region=region,
            patience=patience or Patience(),
        )
        self._gate = threading.Lock()
        self._closed = False
        self._training = TrainingJobs(host)
        self._processing = ProcessingJobs(host)
        self._models = Models(host)
        self._configs = EndpointConfigs(host, self._models)
        self._tags = Tags(self._has_resource)
        self._endpoints = Endpoints(host, self._models, self._configs)
        self._operations = self._list_operations()

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answers one operation, InvokeEndpoint of the runtime API included.

        Times in the answer are `datetime` objects in UTC; `handle_http` writes them as seconds since 1970.

        Raises:
            SageMakerError: the API's own error for this request.
        """
        handler = self._operations.get(operation)
        if not handler:
            served = ", ".join(sorted(self._operations))
            raise SageMakerError(
                "UnknownOperationException", f"The local cloud does not serve {operation}. It serves: {served}."
            )
        given = drop_nulls(request)
        if operation == "InvokeEndpoint":
            check_invocation(given)
            return handler(given)
        validate_request(load_service_model("sagemaker").operation_model(operation).input_shape, given)
        with self._gate:
            if self._closed:
                raise SageMakerError("ServiceUnavailable", "The local cloud is shutting down.", 503)
            response = handler(given)
            if operation.startswith("Create"):
                (arn,) = response.values()
                self._tags.replace(arn, given.get("Tags", []))
            return response

    def handle_http(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> wire.HttpAnswer:
        """Answers one HTTP request of either API; blocks while a container works on it."""
        return wire.answer_http(self.call, method, path, headers, body)

    def wait_for_training_job(self, name: str) -> dict[str, Any]:
        """DescribeTrainingJob's answer once the job has ended."""
        return self._training.find(name).wait()

    def wait_for_processing_job(self, name: str) -> dict[str, Any]:
        """DescribeProcessingJob's answer once the job has ended."""
        return self._processing.find(name).wait()

    def wait_for_endpoint(self, name: str) -> dict[str, Any]:
        """DescribeEndpoint's answer once the endpoint is not being created, updated or deleted any more."""
        return self._endpoints.wait(name)

    def close(self) -> None:
        """Ends every job and endpoint with all their processes and files."""
        with self._gate:
            self._closed = True
        endings = [
            *(job.abandon for job in self._training.jobs),
            *(job.abandon for job in self._processing.jobs),
            *(endpoint.close for endpoint in self._endpoints.endpoints),
        ]
        with ThreadPoolExecutor(max_workers=8, thread_name_prefix="closing") as pool:
            for ending in [pool.submit(end) for end in endings]:
                ending.result()

    def _has_resource(self, arn: str) -> bool:
        catalogs = (
            self._training.jobs,
            self._processing.jobs,
            self._models.models,
            self._configs.configs,
            self._endpoints.endpoints,
        )
        return any(resource.arn == arn for catalog in catalogs for resource in catalog)

    def _list_operations(self) -> dict[str, Handler]:
        return {
            "CreateTrainingJob": self._training.create,
            "DescribeTrainingJob": self._training.describe,
            "StopTrainingJob": self._training.stop,
            "ListTrainingJobs": self._training.list_jobs,
            "CreateProcessingJob": self._processing.create,
            "DescribeProcessingJob": self._processing.describe,
            "StopProcessingJob": self._processing.stop,
            "ListProcessingJobs": self._processing.list_jobs,
            "CreateModel": self._models.create,
            "DescribeModel": self._models.describe,
            "ListModels": self._models.list_models,
            "DeleteModel": self._models.delete,
            "CreateEndpointConfig": self._configs.create,
            "DescribeEndpointConfig": self._configs.describe,
            "ListEndpointConfigs": self._configs.list_configs,
            "DeleteEndpointConfig": self._configs.delete,
            "CreateEndpoint": self._endpoints.create,
            "UpdateEndpoint": self._endpoints.update,
            "DescribeEndpoint": self._endpoints.describe,
            "ListEndpoints": self._endpoints.list_endpoints,
            "DeleteEndpoint": self._endpoints.delete,
            "InvokeEndpoint": self._endpoints.invoke,
            "AddTags": self._tags.add_tags,
            "DeleteTags": self._tags.delete_tags,
            "ListTags": self._tags.list_tags,
        }


def check_invocation(request: Mapping[str, Any]) -> None:
    """Raises the runtime API's error, which has another name, for a request that breaks its shape."""
    shape = load_service_model("sagemaker-runtime").operation_model("InvokeEndpoint").input_shape
    try:
        validate_request(shape, request)
    except SageMakerError as error:
        raise SageMakerError("ValidationError", error.message) from error


def drop_nulls(value: Any) -> Any:
    """A copy of a request in which null members are absent, as the API treats them."""
    if isinstance(value, Mapping):
        return {key: drop_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list | tuple):
        return [drop_nulls(member) for member in value]
    return value
