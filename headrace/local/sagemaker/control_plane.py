"""SageMaker's control plane for one machine: what its kinds serve, one request at a time."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from headrace.local.faults import Effect, Fault
from headrace.local.sagemaker import wire
from headrace.local.sagemaker.billing import list_job_uses, read_endpoint_rates
from headrace.local.sagemaker.endpoint import SERVING
from headrace.local.sagemaker.errors import SageMakerError
from headrace.local.sagemaker.host import Host
from headrace.local.sagemaker.job_kind import JobKind
from headrace.local.sagemaker.kind import Kinds, run_side_by_side
from headrace.local.sagemaker.kinds import KINDS
from headrace.local.sagemaker.kinds.endpoints import Endpoints
from headrace.local.sagemaker.validation import load_service_model, validate_request
from headrace.local.usage import Key, Use

Authorize = Callable[[str, Mapping[str, Any]], None]


class SageMaker:
    """Answers SageMaker's API and runs its jobs and endpoints as processes of this machine.

    Args:
        host: The machine. Its clients must work until `close` has returned.
    """

    def __init__(self, host: Host) -> None:
        self._gate = threading.Lock()
        self._closed = False
        self._faults = host.faults
        self._kinds = Kinds(replace(host, root=host.root.resolve()), KINDS)
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
        # What the local cloud asks itself meets no fault.
        fault = self._faults.take_call("sagemaker", operation, given) if authorize else None
        if fault and fault.effect is Effect.REFUSED:
            raise describe_fault(fault)
        answer = self._call(operation, given, authorize)
        if fault:
            raise describe_fault(fault)
        return answer

    def _call(self, operation: str, given: dict[str, Any], authorize: Authorize | None) -> dict[str, Any]:
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

    def list_uses(self) -> list[Use]:
        """What jobs have used, as SageMaker would bill it."""
        kinds = [kind for kind in self._kinds if isinstance(kind, JobKind)]
        return [use for kind in kinds for use in list_job_uses(kind.resources())]

    def read_standing(self) -> dict[Key, float]:
        """How much endpoints use a second, as SageMaker would bill it."""
        return read_endpoint_rates(self._kinds.find(Endpoints).resources())

    def list_machines(self) -> list[tuple[str, str]]:
        """The endpoint and the variant of everything that serves on machines."""
        return [
            (endpoint.name, held["VariantName"])
            for endpoint in self._kinds.find(Endpoints).resources()
            if endpoint.status in SERVING
            for held in endpoint.instances
            if "InstanceType" in held
        ]

    def close(self) -> None:
        """Ends everything that runs, with all processes and files."""
        with self._gate:
            self._closed = True
        run_side_by_side(kind.close for kind in self._kinds)


def describe_fault(fault: Fault) -> SageMakerError:
    """The error of a call that meets a fault."""
    return SageMakerError(*fault.describe_error())


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
