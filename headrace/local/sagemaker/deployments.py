"""One model behind an endpoint: staged, started, pinged, restarted when it dies."""

import logging
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headrace.archives import ArchiveError
from headrace.local.faults import Effect
from headrace.local.sagemaker.archives import unpack_archive
from headrace.local.sagemaker.data_capture import DataCapture
from headrace.local.sagemaker.definitions import Definition
from headrace.local.sagemaker.errors import AlgorithmError, JobDataError, StoppedError
from headrace.local.sagemaker.host import Host, read_clock
from headrace.local.sagemaker.log_shipping import LogStream
from headrace.local.sagemaker.model_data import ModelData, locate_model_data
from headrace.local.sagemaker.processes import ContainerProcess, build_command
from headrace.local.sagemaker.rules import list_containers
from headrace.local.sagemaker.s3_objects import AWS_ERRORS, download_object, download_prefix, parse_address
from headrace.local.sagemaker.trees import ContainerTree
from headrace.loopback import LOOPBACK, find_free_port, is_healthy

# Each endpoint has its own log group below this.
LOG_GROUPS = "/aws/sagemaker/Endpoints"

NO_CAPACITY = (
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using a "
    "different ML instance type or after some time."
)

logger = logging.getLogger(__name__)


class DeploymentError(Exception):
    """A model that could not be brought into service; its text is the endpoint's FailureReason."""


class NotServingError(Exception):
    """A deployment whose process is not running at the moment."""


class TooManyRequestsError(Exception):
    """A request beyond those that a serverless variant answers at once."""


class Deployment:
    """One endpoint configuration in service, as one serving process.

    `start` returns when the process is healthy. From then on a process that dies is started again, a bounded number
    of times in a while; after that the deployment stays down and `outage` says so.

    Args:
        host: The machine.
        endpoint: What it is part of.
        config: Its configuration.
        model: What it serves.
        log: Its log group, and its stream there; those of endpoints if left out.
    """

    def __init__(
        self,
        host: Host,
        endpoint: str,
        config: Definition,
        model: Definition,
        *,
        log: tuple[str, str] | None = None,
    ) -> None:
        self.config = config
        (self.variant,) = config.request["ProductionVariants"]
        (self._container,) = list_containers(model.request)
        self._host = host = host.acting_as(model.request.get("ExecutionRoleArn"))
        self._image = host.find_container_image(self._container["Image"])
        self.resolution_time = read_clock()
        self.outage = ""
        self.mishap: Effect | None = None
        identifier = uuid.uuid4().hex
        self._tree = ContainerTree(host.root / "jobs" / "endpoints" / f"{endpoint}-{identifier}")
        group, stream = log or (f"{LOG_GROUPS}/{endpoint}", f"{self.variant['VariantName']}/{identifier}")
        self._stream = LogStream(host.logs, group, stream)
        self.capture = DataCapture(
            host.s3, (endpoint, self.variant["VariantName"]), config.request.get("DataCaptureConfig", {})
        )
        self._changed = threading.Condition()
        self._closing = False
        self._process: ContainerProcess | None = None
        self._port: int | None = None
        self._in_flight = 0
        self.weight: float = self.variant.get("InitialVariantWeight", 1.0)
        self.instances: int = self.variant.get("InitialInstanceCount", 1)
        self.serverless: Mapping[str, Any] | None = self.variant.get("ServerlessConfig")
        self._keeper = threading.Thread(target=self._keep_alive, name=f"keeper {endpoint}", daemon=True)

    def describe_variant(self) -> dict[str, Any]:
        """The deployment as a ProductionVariantSummary of the API."""
        image = self._container["Image"]
        described: dict[str, Any] = {
            "VariantName": self.variant["VariantName"],
            "DeployedImages": [
                {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": self.resolution_time}
            ],
            "CurrentWeight": self.weight,
            "DesiredWeight": self.weight,
        }
        if self.serverless:
            return {
                **described,
                "CurrentServerlessConfig": self.serverless,
                "DesiredServerlessConfig": self.serverless,
            }
        return {**described, "CurrentInstanceCount": self.instances, "DesiredInstanceCount": self.instances}

    def list_states(self, alarms: Sequence[str]) -> dict[str, str]:
        """The states of those of these alarms that there are, by name, as the role of the model sees them."""
        if not alarms:
            return {}
        answer = self._host.cloudwatch.describe_alarms(
            AlarmNames=list(alarms), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        return {
            alarm["AlarmName"]: alarm["StateValue"]
            for kind in ("MetricAlarms", "CompositeAlarms")
            for alarm in answer.get(kind, ())
        }

    def start(self) -> None:
        """Brings the model into service; raises DeploymentError, after which it must be stopped, when that fails."""
        if self.mishap is Effect.NO_CAPACITY:
            raise DeploymentError(NO_CAPACITY)
        try:
            self._stage()
            self._stream.open()
            self._launch()
        except (OSError, *AWS_ERRORS) as error:
            logger.exception("deployment_failed_internally stream=%s", self._stream.stream)
            raise DeploymentError(f"Request to service failed: {error}") from error
        if self.mishap is Effect.BREAKS:
            self.outage = self._describe_unhealthy()
        self._keeper.start()

    def acquire(self) -> int:
        """The port to send one request to; the deployment waits for its `release` before it retires."""
        with self._changed:
            if self._port is None:
                raise NotServingError
            if self.serverless and self._in_flight >= self.serverless["MaxConcurrency"]:
                raise TooManyRequestsError
            self._in_flight += 1
            return self._port

    def release(self) -> None:
        """Ends one request."""
        with self._changed:
            self._in_flight -= 1
            self._changed.notify_all()

    def retire(self) -> None:
        """Stops the process after its last request."""
        with self._changed:
            self._changed.wait_for(lambda: not self._in_flight or self._closing, self._host.patience.invocation_seconds)
        self.stop()

    def stop(self, grace_seconds: float | None = None) -> None:
        """Stops the process and removes everything of the deployment."""
        with self._changed:
            self._closing = True
            self._port = None
            process = self._process
            self._changed.notify_all()
        if process:
            process.stop(self._host.patience.serving_stop_seconds if grace_seconds is None else grace_seconds)
        if self._keeper.ident:
            self._keeper.join()
        self.capture.close()
        self._stream.close()
        self._tree.remove()

    def _stage(self) -> None:
        ContainerTree.create(self._tree.folder)
        folder = self._tree.make_folder("model")
        data = locate_model_data(self._container)
        if not data:
            return
        try:
            self._fetch(data, folder)
        except JobDataError as error:
            raise DeploymentError(
                f'Failed to download model data for container "primary" from URL: "{data.uri}". Please ensure that '
                "there is an object located at the URL and that the role passed to CreateModel has permissions to "
                "download the model."
            ) from error
        except ArchiveError as error:
            raise DeploymentError(
                f'Failed to extract model data archive for container "primary" from URL "{data.uri}": {error}. Please '
                "ensure that the object located at the URL is a valid tar.gz archive."
            ) from error

    def _fetch(self, data: ModelData, folder: Path) -> None:
        location = parse_address(data.uri)
        if not data.is_archive:
            if not download_prefix(self._host.s3, location, folder, self._check_closing):
                raise JobDataError(f"No S3 objects found under {location}.")
            return
        archive = self._tree.folder / "model.tar.gz"
        download_object(self._host.s3, location, archive)
        unpack_archive(archive, folder)
        archive.unlink()

    def _check_closing(self) -> None:
        if self._closing:
            raise StoppedError

    def _launch(self) -> None:
        """Starts the process and returns when it is healthy."""
        port = find_free_port()
        process = self._start_process(port)
        self._await_health(process, port)
        with self._changed:
            self._check_closing()
            self._port = port

    def _start_process(self, port: int) -> ContainerProcess:
        with self._changed:
            self._check_closing()
            try:
                self._process = ContainerProcess(
                    build_command(self._image, self._tree, default_arguments=("serve",)),
                    working_directory=self._image.working_directory,
                    environment={
                        **self._image.environment,
                        **self._host.environment,
                        **self._container.get("Environment", {}),
                        "SAGEMAKER_BIND_TO_PORT": str(port),
                        "HEADRACE_BIND_HOST": LOOPBACK,
                    },
                    tree=self._tree,
                    records=self._host.root / "processes",
                    write_line=self._stream.write,
                    on_exit=self._notice_exit,
                    container=self._image.container,
                )
            except AlgorithmError as error:
                raise DeploymentError(f"{self._describe_unhealthy()} ({error})") from error
            return self._process

    def _await_health(self, process: ContainerProcess, port: int) -> None:
        patience = self._host.patience
        startup_seconds = self.variant.get("ContainerStartupHealthCheckTimeoutInSeconds", patience.startup_seconds)
        deadline = time.monotonic() + startup_seconds
        if self.mishap is Effect.UNHEALTHY:
            raise DeploymentError(self._describe_unhealthy())
        while not is_healthy(port, patience.ping_seconds):
            with self._changed:
                self._changed.wait_for(lambda: process.exited or self._closing, patience.ping_interval_seconds)
            self._check_closing()
            if process.exited or time.monotonic() > deadline:
                raise DeploymentError(self._describe_unhealthy())

    def _describe_unhealthy(self) -> str:
        return (
            f"The primary container for production variant {self.variant['VariantName']} did not pass the ping health "
            "check. Please check CloudWatch logs for this endpoint."
        )

    def _notice_exit(self) -> None:
        with self._changed:
            self._port = None
            self._changed.notify_all()

    def _keep_alive(self) -> None:
        patience = self._host.patience
        restarts: list[float] = []
        while self._await_exit():
            now = time.monotonic()
            restarts = [restart for restart in restarts if now - restart < patience.restart_window_seconds]
            if len(restarts) >= patience.restarts:
                self.outage = (
                    f"The primary container for production variant {self.variant['VariantName']} ended "
                    f"{patience.restarts + 1} times in short succession and is not started again. Please check "
                    "CloudWatch logs for this endpoint."
                )
                return
            restarts.append(now)
            self._restart()

    def _await_exit(self) -> bool:
        with self._changed:
            process = self._process
            self._changed.wait_for(lambda: self._closing or process is None or process.exited)
            return not self._closing

    def _restart(self) -> None:
        logger.warning("serving_process_restarted stream=%s", self._stream.stream)
        try:
            self._launch()
        except (DeploymentError, StoppedError):
            with self._changed:
                process = self._process
            if process:
                process.stop(self._host.patience.serving_stop_seconds)
