"""One endpoint: what answers for it now, and what it is being moved to."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from headrace.local.clock import CLOCK, WorkingThread
from headrace.local.sagemaker.deployments import Deployment, DeploymentError, NotServingError, TooManyRequestsError
from headrace.local.sagemaker.endpoint_metrics import EndpointMetrics, Invocation, read_frequency
from headrace.local.sagemaker.errors import RequestRefusedError, SageMakerError, StoppedError
from headrace.local.sagemaker.events import name_change, write_detail, write_status
from headrace.local.sagemaker.host import Host, read_clock
from headrace.local.sagemaker.invocations import check_target, invoke
from headrace.local.sagemaker.metrics import CLOUDWATCH_ERRORS
from headrace.local.sagemaker.replacement import Replacement
from headrace.local.sagemaker.rollout import Rollout

IN_PROGRESS: Final = {"Creating", "Updating", "RollingBack", "Deleting"}
INTERNAL_FAILURE: Final = "Request to service failed."
SERVING: Final = {"InService", "Updating", "RollingBack"}
# How often alarms are looked at during an update, on the local cloud's clock.
_LOOK_SECONDS: Final = 5

logger = logging.getLogger(__name__)


class Endpoint:
    """One endpoint and the deployments that answer for it.

    Args:
        name: Its name.
        host: The machine.
        deployment: What is to answer first.
        tags: Its tags.
        deployment_config: The DeploymentConfig that it was created with.
    """

    def __init__(
        self,
        name: str,
        host: Host,
        deployment: Deployment,
        tags: dict[str, str],
        deployment_config: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.tags = tags
        self.arn = host.arn("Endpoint", name)
        self.deployment_config = deployment_config
        self._host = host
        self.creation_time = self.last_modified_time = read_clock()
        self._status = "Creating"
        self._failure_reason = ""
        self._changed = threading.Condition(threading.RLock())
        self._is_gone = False
        self._is_closing = False
        self._active = deployment
        self._replacement: Replacement | None = None
        self._retiring: Deployment | None = None
        self._turn = 0.0
        self._metrics = EndpointMetrics(host.cloudwatch, name)
        self._metrics.publish_every(read_frequency(deployment.config.request))
        self._thread: threading.Thread | None = None

    @property
    def status(self) -> str:
        """The endpoint's status; OutOfService when its process does not stay alive."""
        with self._changed:
            return "OutOfService" if self._status == "InService" and self._active.outage else self._status

    @property
    def active(self) -> Deployment:
        """What answers now, or does until an update has ended."""
        return self._active

    @property
    def instances(self) -> list[Mapping[str, Any]]:
        """What it runs on, and what it is being moved to."""
        with self._changed:
            pending = self._replacement.deployment if self._replacement else None
            held = (pending, self._retiring, self._active if self._status != "Failed" else None)
            return [
                {**deployment.variant, "InitialInstanceCount": deployment.instances}
                for deployment in held
                if deployment
            ]

    def describe(self) -> dict[str, Any]:
        """DescribeEndpoint of the API."""
        with self._changed:
            config = self._active.config
            description: dict[str, Any] = {
                **self.summarize(),
                "EndpointConfigName": config.name,
                "ProductionVariants": [self._active.describe_variant()],
            }
            if "MetricsConfig" in config.request:
                description["MetricsConfig"] = config.request["MetricsConfig"]
            if capture := self._active.capture.describe():
                description["DataCaptureConfig"] = capture
            if self.deployment_config:
                description["LastDeploymentConfig"] = self.deployment_config
            reason = self._failure_reason or self._active.outage
            if reason:
                description["FailureReason"] = reason
            if self._replacement:
                description["PendingDeploymentSummary"] = self._replacement.describe()
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

    def check_update(self) -> None:
        """Raises SageMaker's refusal where the endpoint cannot be changed now."""
        with self._changed:
            self._refuse_in_progress()
            if self._status == "Failed":
                raise RequestRefusedError(
                    f'Cannot update endpoint "{self.arn}" in status Failed. Only DeleteEndpoint can be performed on a '
                    "failed endpoint."
                )

    def update(self, deployment: Deployment, rollout: Rollout, deployment_config: Mapping[str, Any] | None) -> None:
        """Replaces what serves in the background, step by step, as soon as the replacement is healthy."""
        with self._changed:
            self.check_update()
            self.deployment_config = deployment_config
            replacement = self._replacement = Replacement(deployment, rollout, read_clock())
            self._enter("Updating")
            self._begin(lambda: self._replace(replacement))

    def resize(self, *, weight: float | None, instances: int | None, serverless: Mapping[str, Any] | None) -> None:
        """Changes in the background what UpdateEndpointWeightsAndCapacities asks for."""
        with self._changed:
            self.check_update()
            self._enter("Updating")

        def change() -> None:
            with self._changed:
                active = self._active
                active.weight = active.weight if weight is None else weight
                active.instances = active.instances if instances is None else instances
                active.serverless = active.serverless and {**active.serverless, **(serverless or {})}
                self._enter("InService")

        self._begin(change)

    def delete(self, forget: Callable[[], object]) -> None:
        """Ends the endpoint in the background and forgets it then."""
        with self._changed:
            self._refuse_in_progress()
            self._enter("Deleting")

        def retire() -> None:
            self._active.retire()
            self._metrics.close()
            forget()
            with self._changed:
                self._is_gone = True
                self._changed.notify_all()

        self._begin(retire)

    def invoke(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Sends one request to what serves now; in an update, to the old or the new machines by their shares."""
        check_target(request, self._active.variant["VariantName"])
        began = time.monotonic()
        deployment, port = self._acquire()
        asked = time.monotonic()
        status = 0
        try:
            answer = invoke(port, request, deployment.variant["VariantName"], self._host.patience.invocation_seconds)
            status = 200
            deployment.capture.add(request, answer)
        except SageMakerError as error:
            status = int(error.details.get("OriginalStatusCode", 0))
            raise
        finally:
            answered = time.monotonic()
            deployment.release()
            self._count(deployment, status, answered - asked, asked - began)
        return answer

    def wait(self) -> None:
        """Returns when nothing is being done to the endpoint, or it is gone."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_gone or self._status not in IN_PROGRESS)

    def close(self) -> None:
        """Ends every process of the endpoint because the local cloud ends."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
            pending = self._replacement.deployment if self._replacement else None
            deployments = (self._active, pending, self._retiring)
        for deployment in deployments:
            if deployment:
                deployment.stop(self._host.patience.close_seconds)
        self._metrics.close()
        if self._thread:
            self._thread.join()

    def _acquire(self) -> tuple[Deployment, int]:
        with self._changed:
            if self._status not in SERVING:
                raise describe_unknown_endpoint(self.name, self._host.account)
            deployment = self._choose()
            try:
                return deployment, deployment.acquire()
            except NotServingError as error:
                self._count(deployment, 0, 0, 0)
                raise SageMakerError(
                    "ServiceUnavailable", f"The container of endpoint {self.name} is being restarted.", 503
                ) from error
            except TooManyRequestsError as error:
                raise SageMakerError("ThrottlingException", "Rate exceeded", 429) from error

    def _choose(self) -> Deployment:
        """The deployment whose turn it is: of a hundred requests, a share of 0.1 gets every tenth."""
        if not self._replacement or not self._replacement.share:
            return self._active
        self._turn += self._replacement.share
        if self._turn < 1:
            return self._active
        self._turn -= 1
        return self._replacement.deployment

    def _count(self, deployment: Deployment, status: int, model_seconds: float, overhead_seconds: float) -> None:
        self._metrics.add(
            Invocation(
                variant=deployment.variant["VariantName"],
                config=deployment.config.name,
                instances=deployment.instances,
                status=status,
                model_seconds=model_seconds,
                overhead_seconds=overhead_seconds,
            )
        )

    def _create(self) -> None:
        failure = INTERNAL_FAILURE
        try:
            failure = start_deployment(self._active)
        finally:
            if failure:
                self._active.stop()
            self._enter("Failed" if failure else "InService", failure)

    def _replace(self, replacement: Replacement) -> None:
        failure = INTERNAL_FAILURE
        try:
            failure = start_deployment(replacement.deployment) or self._shift(replacement)
        finally:
            if failure:
                self._roll_back(replacement, failure)
            else:
                self._switch(replacement)

    def _shift(self, replacement: Replacement) -> str:
        """Moves the requests step by step to a healthy replacement; why it was given up, nothing when it was not."""
        try:
            self._look(replacement)
            for share in replacement.rollout.shares:
                with self._changed:
                    replacement.enter("ActivatingTraffic")
                    replacement.share, self._turn = share, 0.0
                self._bake(replacement)
        except DeploymentError as error:
            return str(error)
        except StoppedError:
            return "The local cloud ended before the update was done."
        return ""

    def _bake(self, replacement: Replacement) -> None:
        replacement.enter("Baking")
        end = CLOCK.read_waits() + replacement.rollout.wait_seconds
        self._look(replacement)
        while (left := end - CLOCK.read_waits()) > 0:
            self._pause(min(left, _LOOK_SECONDS))
            self._look(replacement)

    def _look(self, replacement: Replacement) -> None:
        """Raises DeploymentError where an alarm has gone off, or the new machines are gone."""
        if replacement.deployment.outage:
            raise DeploymentError(replacement.deployment.outage)
        try:
            states = replacement.deployment.list_states(replacement.rollout.alarms)
        except CLOUDWATCH_ERRORS as error:
            logger.warning("alarms_not_seen endpoint=%s error=%s", self.name, error)
            return
        if tripped := sorted(name for name, state in states.items() if state == "ALARM"):
            raise DeploymentError(f"CloudWatch alarms went into the ALARM state: {', '.join(tripped)}.")

    def _pause(self, seconds: float) -> None:
        with self._changed:
            CLOCK.wait_for(self._changed, lambda: self._is_closing, seconds)
            if self._is_closing:
                raise StoppedError

    def _switch(self, replacement: Replacement) -> None:
        """Lets a replacement answer alone, and what served before end after its last request."""
        with self._changed:
            previous = self._retiring = self._active
            self._active, self._replacement = replacement.deployment, None
            self._metrics.publish_every(read_frequency(replacement.deployment.config.request))
        try:
            self._pause(replacement.rollout.termination_seconds)
        except StoppedError:
            logger.info("update_not_ended endpoint=%s", self.name)
        previous.retire()
        with self._changed:
            self._retiring = None
            self._enter("InService")

    def _roll_back(self, replacement: Replacement, failure: str) -> None:
        """Lets what served before answer alone again, and the replacement end after its last request."""
        with self._changed:
            replacement.share = 0.0
            replacement.enter("Deleting")
            self._enter("RollingBack", failure)
        replacement.deployment.retire()
        with self._changed:
            self._replacement = None
            kept = self._active.config.name
            self._enter("InService", f'{failure} The update was rolled back to endpoint configuration "{kept}".')

    def _enter(self, status: str, failure_reason: str = "") -> None:
        with self._changed:
            self._status = status
            self._failure_reason = failure_reason
            self.last_modified_time = read_clock()
            self._changed.notify_all()
        described = {**write_detail(self.describe()), "EndpointStatus": write_status(status), "Tags": dict(self.tags)}
        self._host.publish(name_change("Endpoint"), described, self.arn)

    def _begin(self, work: Callable[[], None]) -> None:
        self._thread = WorkingThread(work, name=f"endpoint {self.name}")
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
