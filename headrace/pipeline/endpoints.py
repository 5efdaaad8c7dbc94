"""Endpoints of workloads, stopped and started again by hand."""

import time
from collections.abc import Callable
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from headrace.absence import is_absence
from headrace.contract import ENDPOINT_ACTION_INPUT, EndpointAction
from headrace.errors import HeadraceError
from headrace.pipeline.executions import name_execution, start_execution
from headrace.pipeline.machines import read_live_definition
from headrace.pipeline.servable import find_obstacles
from headrace.pipeline.versions import (
    APPROVED,
    Registry,
    Version,
    find_served_last,
    find_version_at,
    start_serving,
)

_CHANGING: Final = ("Creating", "Updating", "SystemUpdating", "RollingBack")
_MOST_SECONDS: Final = 1800
_ADVICE: Final = {
    "Failed": "; stop it with headrace pipeline endpoint stop, and start it then",
    "Deleting": "; start it once it is gone",
}


class EndpointError(HeadraceError):
    """An endpoint that cannot be stopped or started now."""


class WorkloadEndpoint:
    """The endpoint that executions of a workload update when their input names none.

    Where the settings have it stopped, its state machine does it by hand, too; otherwise it is deleted from here, and
    an execution serves the version again that served last.

    Args:
        name: The endpoint.
        machine: The ARN of the workload's state machine.
        start_by: The ARN that executions are started by.
        group: The model package group of its versions.
        wait: Waits until it is worth looking again.
    """

    def __init__(self, name: str, *, machine: str, start_by: str, group: str, wait: Callable[[], None]) -> None:
        self.name = name
        self._machine, self._start_by = machine, start_by
        self._registry = Registry(group)
        self._wait = wait
        self._sagemaker: Any = boto3.client("sagemaker")

    def stop(self) -> str | None:
        """Stop it, and wait until it is gone; or the ARN of the execution that does so.

        Raises:
            EndpointError: If it does not stand, is being changed or is no execution's to start again.
        """
        status = self._read_status()
        if not status:
            raise EndpointError(f"there is no endpoint {self.name}; to make it: headrace pipeline endpoint start")
        if status == "Deleting":
            raise EndpointError(f"endpoint {self.name} is being deleted already")
        if self._knows_actions():
            return self._act(EndpointAction.STOP)
        self._check_idle(status)
        self._sagemaker.delete_endpoint(EndpointName=self.name)
        deadline = time.monotonic() + _MOST_SECONDS
        while self._read_status():
            if time.monotonic() > deadline:
                raise EndpointError(f"{self.name} is still being deleted after {_MOST_SECONDS // 60} minutes")
            self._wait()
        return None

    def start(self) -> str:
        """Start it again with what served last; the ARN of the execution that does so.

        Raises:
            EndpointError: If it stands, or nothing has served there.
        """
        if status := self._read_status():
            raise EndpointError(f"endpoint {self.name} is there already: {status}{_ADVICE.get(status, '')}")
        if self._knows_actions():
            return self._act(EndpointAction.START)
        return start_serving(self._start_by, self._find_last(), self.name)

    def _find_last(self) -> Version:
        approved = (version for version in self._registry.list_versions() if version.status == APPROVED)
        last = find_served_last(approved, self.name)
        if not last:
            raise EndpointError(
                f"no approved version of {self._registry.group} has served at {self.name}: train one with headrace "
                "pipeline start, or approve one with headrace pipeline approve"
            )
        return last

    def _check_idle(self, status: str) -> None:
        """Refuse to delete what an execution would make again at once, or none could make again."""
        if status in _CHANGING:
            raise EndpointError(f"endpoint {self.name} is {status}; stop it once that has ended")
        running = boto3.client("stepfunctions").list_executions(
            stateMachineArn=self._machine, statusFilter="RUNNING", maxResults=1
        )["executions"]
        if running:
            name = running[0]["name"]
            raise EndpointError(
                f"execution {name} runs and may be about to update endpoint {self.name}: wait for its end "
                f"with headrace pipeline show {name} --wait, or stop it with headrace pipeline stop {name}"
            )
        served = find_version_at(self._sagemaker, self.name)
        if status == "InService" and not (served and f"/{self._registry.group}/" in served):
            raise EndpointError(
                f"endpoint {self.name} serves no version of {self._registry.group}, so no execution could start it "
                "again; delete it with SageMaker's DeleteEndpoint"
            )
        if status == "InService":
            self._check_startable()

    def _check_startable(self) -> None:
        """Refuse to delete what nothing could be served at again: what served last may be rejected, changed or gone."""
        try:
            last = self._find_last()
            described = self._sagemaker.describe_model_package(ModelPackageName=last.arn)
            if obstacles := find_obstacles(described, boto3.client("s3")):
                raise EndpointError(f"version {last.number} is not what it was registered as: {'; '.join(obstacles)}")
        except EndpointError as error:
            raise EndpointError(
                f"endpoint {self.name} could not be started again, so it is not stopped: {error}; or delete it with "
                "SageMaker's DeleteEndpoint"
            ) from None

    def _read_status(self) -> str:
        try:
            return str(self._sagemaker.describe_endpoint(EndpointName=self.name)["EndpointStatus"])
        except ClientError as error:
            if is_absence(error):
                return ""
            raise

    def _knows_actions(self) -> bool:
        return ENDPOINT_ACTION_INPUT in read_live_definition(self._machine)

    def _act(self, action: EndpointAction) -> str:
        request = {ENDPOINT_ACTION_INPUT: action, "Comment": "by hand"}
        return start_execution(self._start_by, request, name_execution())
