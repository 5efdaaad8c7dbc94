"""Endpoints: created, updated without a gap, rolled back, deleted, invoked."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from headrace.local.sagemaker.catalog import read_tags
from headrace.local.sagemaker.deployments import LOG_GROUPS, Deployment, DeploymentError, NotServingError
from headrace.local.sagemaker.errors import RequestRefusedError, SageMakerError, StoppedError
from headrace.local.sagemaker.host import Host, read_clock
from headrace.local.sagemaker.invocations import invoke
from headrace.local.sagemaker.kind import Handler, KindLog, ResourceKind
from headrace.local.sagemaker.kinds.endpoint_configs import EndpointConfigs
from headrace.local.sagemaker.kinds.models import Models
from headrace.local.sagemaker.networking import check_network
from headrace.local.sagemaker.rules import list_containers

IN_PROGRESS = {"Creating", "Updating", "RollingBack", "Deleting"}
INTERNAL_FAILURE = "Request to service failed."
SERVING = {"InService", "Updating", "RollingBack"}


class Endpoint:
    """One endpoint and the deployment that answers for it."""

    def __init__(self, name: str, host: Host, deployment: Deployment, tags: dict[str, str]) -> None:
        self.name = name
        self.tags = tags
        self.arn = host.arn("Endpoint", name)
        self._host = host
        self.creation_time = self.last_modified_time = read_clock()
        self._status = "Creating"
        self._failure_reason = ""
        self._changed = threading.Condition(threading.RLock())
        self._is_gone = False
        self._active = deployment
        self._pending: Deployment | None = None
        self._retiring: Deployment | None = None
        self._thread: threading.Thread | None = None

    @property
    def status(self) -> str:
        """The endpoint's status; OutOfService when its process does not stay alive."""
        with self._changed:
            return "OutOfService" if self._status == "InService" and self._active.outage else self._status

    @property
    def instances(self) -> list[Mapping[str, Any]]:
        """What it runs on, and what it is being moved to."""
        with self._changed:
            held = (self._pending, self._retiring, self._active if self._status != "Failed" else None)
            return [deployment.variant for deployment in held if deployment]

    def describe(self) -> dict[str, Any]:
        """DescribeEndpoint of the API."""
        with self._changed:
            description: dict[str, Any] = {
                **self.summarize(),
                "EndpointConfigName": self._active.config.name,
                "ProductionVariants": [self._active.describe_variant()],
            }
            reason = self._failure_reason or self._active.outage
            if reason:
                description["FailureReason"] = reason
            if self._pending:
                description["PendingDeploymentSummary"] = {"EndpointConfigName": self._pending.config.name}
            return description

    def summarize(self) -> dict[str, Any]:
        """The endpoint's line in ListEndpoints."""
        return {
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
            "EndpointStatus": self.status,
        }

    def start(self) -> None:
        """Brings the endpoint into service in the background."""
        self._begin(self._create)

    def update(self, deployment: Deployment) -> None:
        """Replaces what serves in the background, as soon as the replacement is healthy."""
        with self._changed:
            self._refuse_in_progress()
            if self._status == "Failed":
                raise RequestRefusedError(
                    f'Cannot update endpoint "{self.arn}" in status Failed. Only DeleteEndpoint can be performed on a '
                    "failed endpoint."
                )
            self._pending = deployment
            self._enter("Updating")
            self._begin(lambda: self._replace(deployment))

    def delete(self, forget: Callable[[], object]) -> None:
        """Ends the endpoint in the background and forgets it then."""
        with self._changed:
            self._refuse_in_progress()
            self._enter("Deleting")

        def retire() -> None:
            self._active.retire()
            forget()
            with self._changed:
                self._is_gone = True
                self._changed.notify_all()

        self._begin(retire)

    def invoke(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Sends one request to what serves now."""
        with self._changed:
            if self._status not in SERVING:
                raise describe_unknown_endpoint(self.name, self._host.account)
            deployment = self._active
            try:
                port = deployment.acquire()
            except NotServingError as error:
                raise SageMakerError(
                    "ServiceUnavailable", f"The container of endpoint {self.name} is being restarted.", 503
                ) from error
        try:
            return invoke(port, request, deployment.variant["VariantName"], self._host.patience.invocation_seconds)
        finally:
            deployment.release()

    def wait(self) -> None:
        """Returns when nothing is being done to the endpoint, or it is gone."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_gone or self._status not in IN_PROGRESS)

    def close(self) -> None:
        """Ends every process of the endpoint because the local cloud ends."""
        with self._changed:
            deployments = (self._active, self._pending, self._retiring)
        for deployment in deployments:
            if deployment:
                deployment.stop(self._host.patience.close_seconds)
        if self._thread:
            self._thread.join()

    def _create(self) -> None:
        failure = INTERNAL_FAILURE
        try:
            failure = start_deployment(self._active)
        finally:
            if failure:
                self._active.stop()
            self._enter("Failed" if failure else "InService", failure)

    def _replace(self, deployment: Deployment) -> None:
        failure = INTERNAL_FAILURE
        try:
            failure = start_deployment(deployment)
        finally:
            if failure:
                self._roll_back(deployment, failure)
            else:
                self._switch(deployment)

    def _switch(self, deployment: Deployment) -> None:
        """Lets a healthy replacement answer, and what served before end after its last request."""
        with self._changed:
            previous = self._retiring = self._active
            self._active, self._pending = deployment, None
        previous.retire()
        with self._changed:
            self._retiring = None
            self._enter("InService")

    def _roll_back(self, deployment: Deployment, failure: str) -> None:
        """Keeps what served before."""
        self._enter("RollingBack", failure)
        deployment.stop()
        with self._changed:
            self._pending = None
            kept = self._active.config.name
            self._enter("InService", f'{failure} The update was rolled back to endpoint configuration "{kept}".')

    def _enter(self, status: str, failure_reason: str = "") -> None:
        with self._changed:
            self._status = status
            self._failure_reason = failure_reason
            self.last_modified_time = read_clock()
            self._changed.notify_all()

    def _begin(self, work: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=work, name=f"endpoint {self.name}", daemon=True)
        self._thread.start()

    def _refuse_in_progress(self) -> None:
        if self._status in IN_PROGRESS:
            raise RequestRefusedError(f'Cannot update in-progress endpoint "{self.arn}".')


def start_deployment(deployment: Deployment) -> str:
    """Starts a deployment and returns why it did not become healthy; nothing when it did."""
    try:
        deployment.start()
    except DeploymentError as error:
        return str(error)
    except StoppedError:
        return "The local cloud ended before the endpoint was in service."
    return ""


def describe_unknown_endpoint(name: str, account: str) -> SageMakerError:
    """What the runtime API answers for an endpoint that does not serve."""
    return SageMakerError("ValidationError", f"Endpoint {name} of account {account} not found.")


class Endpoints(ResourceKind[Endpoint]):
    """The endpoint operations of the API, its runtime's included."""

    name: ClassVar[str] = "Endpoint"
    log: ClassVar[KindLog | None] = KindLog("endpoint", LOG_GROUPS, is_of_each=True)

    @property
    def operations(self) -> Mapping[str, Handler]:
        """Update and Delete, besides those that every kind has."""
        return {**super().operations, "UpdateEndpoint": self.update, "DeleteEndpoint": self.delete}

    @property
    def runtime_operations(self) -> Mapping[str, Handler]:
        """The one that sends a request to a model."""
        return {"InvokeEndpoint": self.invoke}

    def make(self, request: Mapping[str, Any]) -> Endpoint:
        """The endpoint that a request asks for."""
        deployment = self._plan_deployment(request)
        return Endpoint(request["EndpointName"], self._host, deployment, read_tags(request))

    def check_start(self, resource: Endpoint) -> None:
        """Raises SageMaker's refusal where the account may not have the endpoint's instances."""
        for variant in resource.instances:
            self._check_quota(variant)

    def update(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateEndpoint: what serves now keeps answering until its replacement is healthy."""
        endpoint = self.find_requested(request)
        deployment = self._plan_deployment(request)
        self._check_quota(deployment.variant)
        endpoint.update(deployment)
        return {"EndpointArn": endpoint.arn}

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteEndpoint: returns while the endpoint is still being deleted."""
        endpoint = self.find_requested(request)
        endpoint.delete(lambda: self._catalog.remove(endpoint.name))
        return {}

    def invoke(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """InvokeEndpoint of the runtime API, where unlike elsewhere the case of the name matters."""
        endpoint = self._catalog.find(request["EndpointName"])
        if not endpoint or endpoint.name != request["EndpointName"]:
            raise describe_unknown_endpoint(request["EndpointName"], self._host.account)
        return endpoint.invoke(request)

    def _check_quota(self, variant: Mapping[str, Any]) -> None:
        running = [held for endpoint in self.resources() for held in endpoint.instances]
        self._host.check_quota("endpoint usage", variant, running)

    def _plan_deployment(self, request: Mapping[str, Any]) -> Deployment:
        config = self._kinds.find(EndpointConfigs).find(request["EndpointConfigName"])
        (variant,) = config.request["ProductionVariants"]
        model = self._kinds.find(Models).find(variant["ModelName"])
        (container,) = list_containers(model.request)
        environment = container.get("Environment", {})
        check_network(self._host, "The endpoint", model.request.get("VpcConfig"), environment=environment)
        return Deployment(self._host, request["EndpointName"], config, model)
