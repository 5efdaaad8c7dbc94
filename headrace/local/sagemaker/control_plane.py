"""SageMaker's control plane for one machine: what its kinds serve, one request at a time."""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from headrace.local.limits import Limits
from headrace.local.sagemaker import wire
from headrace.local.sagemaker.container_images import ContainerImageRegistry
from headrace.local.sagemaker.errors import SageMakerError
from headrace.local.sagemaker.host import (
    CloudWatchClient,
    FileSystemMounts,
    Host,
    LogsClient,
    Networks,
    Patience,
    Roles,
    S3Client,
)
from headrace.local.sagemaker.kind import Kinds, run_side_by_side
from headrace.local.sagemaker.kinds import KINDS
from headrace.local.sagemaker.validation import load_service_model, validate_request

Authorize = Callable[[str, Mapping[str, Any]], None]


class SageMaker:
    """Answers SageMaker's API and runs its jobs and endpoints as processes of this machine.

    Args:
        root: its own folder for the files of jobs and endpoints and the records of their processes.
        s3: a boto3 client; `logs` and `cloudwatch` are, too. All must work until `close` has returned.
        file_systems: what channels can mount.
        patience: how long to wait for container programs.
        roles: what jobs and endpoints work as; without them, all use the clients given here.
        limits: what the account may use at once.
        networks: what jobs reach from their VPCs; without them, everything.
    """

    def __init__(
        self,
        *,
        root: Path,
        registry: ContainerImageRegistry,
        s3: S3Client,
        logs: LogsClient,
        cloudwatch: CloudWatchClient,
        file_systems: FileSystemMounts,
        account: str,
        region: str,
        patience: Patience | None = None,
        roles: Roles | None = None,
        limits: Limits | None = None,
        networks: Networks | None = None,
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
            roles=roles,
            limits=limits or Limits(),
            networks=networks,
        )
        self._gate = threading.Lock()
        self._closed = False
        self._kinds = Kinds(host, KINDS)
        self._operations = {name: serve for kind in self._kinds for name, serve in kind.operations.items()}
        self._runtime_operations = {
            name: serve for kind in self._kinds for name, serve in kind.runtime_operations.items()
        }

    @property
    def operations(self) -> frozenset[str]:
        """The names of the operations that it serves, those of the runtime API included."""
        return frozenset([*self._operations, *self._runtime_operations])

    def call(self, operation: str, request: Mapping[str, Any], authorize: Authorize | None = None) -> dict[str, Any]:
        """Answers one operation, InvokeEndpoint of the runtime API included.

        Times in the answer are `datetime` objects in UTC; `handle_http` writes them as seconds since 1970.

        Args:
            operation: its name.
            request: what it is asked.
            authorize: raises SageMakerError where the caller may not make a request that is well formed.

        Raises:
            SageMakerError: the API's own error for this request.
        """
        given = drop_nulls(request)
        if operation in self._runtime_operations:
            check_runtime_request(operation, given)
            if authorize:
                authorize(operation, given)
            return self._runtime_operations[operation](given)
        if operation not in self._operations:
            served = ", ".join(sorted(self.operations))
            raise SageMakerError(
                "UnknownOperationException", f"The local cloud does not serve {operation}. It serves: {served}."
            )
        validate_request(load_service_model("sagemaker").operation_model(operation).input_shape, given)
        if authorize:
            authorize(operation, given)
        with self._gate:
            if self._closed:
                raise SageMakerError("ServiceUnavailable", "The local cloud is shutting down.", 503)
            return self._operations[operation](given)

    def handle_http(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, authorize: Authorize | None = None
    ) -> wire.HttpAnswer:
        """Answers one HTTP request of either API; blocks while a container works on it."""
        return wire.answer_http(partial(self.call, authorize=authorize), method, path, headers, body)

    def wait(self, kind: str, name: str) -> dict[str, Any]:
        """What Describe answers once nothing is being done to a resource any more.

        Args:
            kind: Its kind as operations call it, such as TrainingJob.
            name: Its name.

        Raises:
            SageMakerError: If there is none, or not any more.
        """
        return self._kinds[kind].wait(name)

    def close(self) -> None:
        """Ends everything that runs, with all processes and files."""
        with self._gate:
            self._closed = True
        run_side_by_side(kind.close for kind in self._kinds)


def check_runtime_request(operation: str, request: Mapping[str, Any]) -> None:
    """Raises the runtime API's error, which has another name, for a request that breaks its shape."""
    shape = load_service_model("sagemaker-runtime").operation_model(operation).input_shape
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
