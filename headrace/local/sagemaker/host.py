"""The machine that jobs and endpoints run on: its folders, its clients, its patience."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from botocore import xform_name

from headrace.local.clock import CLOCK
from headrace.local.faults import Faults
from headrace.local.limits import Limits
from headrace.local.sagemaker.container_images import (
    ContainerImageNotFoundError,
    ContainerImageRegistry,
    RunnableContainerImage,
)
from headrace.local.sagemaker.errors import RequestRefusedError, SageMakerError
from headrace.local.sagemaker.events import Publish, publish_nowhere


class S3Client(Protocol):
    """The part of boto3's S3 client that jobs and endpoints use."""

    def list_objects_v2(self, **request: Any) -> Any:
        """One page of a bucket's keys."""
        ...

    def get_object(self, **request: Any) -> Any:
        """One object with its body as a stream."""
        ...

    def head_object(self, **request: Any) -> Any:
        """One object's metadata."""
        ...

    def upload_fileobj(self, file: BinaryIO, bucket: str, key: str, *, ExtraArgs: Mapping[str, str] | None) -> Any:  # noqa: N803
        """Stores an open file whole or not at all."""
        ...

    def delete_object(self, **request: Any) -> Any:
        """Removes an object."""
        ...


class FileSystemMounts(Protocol):
    """The EFS and FSx for Lustre file systems that channels can name."""

    def mount(
        self, file_system_id: str, file_system_type: str, directory_path: str, check_stop: Callable[[], None]
    ) -> Path:
        """The folder that stands for a directory, with its data; raises JobDataError when there is none."""
        ...

    def export_changes(self, directory: Path) -> None:
        """Stores what was changed below a mounted directory in the buckets it is linked to."""
        ...


class Networks(Protocol):
    """The VPCs that jobs and endpoints may be in."""

    def list_obstacles(
        self, vpc_config: Mapping[str, Any], *, file_systems: Iterable[tuple[str, str]], urls: Iterable[str]
    ) -> list[str]:
        """What keeps a job from S3, its file systems and function URLs."""
        ...


class LogsClient(Protocol):
    """The part of boto3's CloudWatch Logs client that log shipping uses."""

    def create_log_group(self, **request: Any) -> Any:
        """Creates a group."""
        ...

    def create_log_stream(self, **request: Any) -> Any:
        """Creates a stream."""
        ...

    def put_log_events(self, **request: Any) -> Any:
        """Appends events."""
        ...


class MetricSink(Protocol):
    """The part of boto3's CloudWatch client that metrics use."""

    def put_metric_data(self, **request: Any) -> Any:
        """Stores values of metrics."""
        ...


class CloudWatchClient(MetricSink, Protocol):
    """The part of boto3's CloudWatch client that metrics and updates of endpoints use."""

    def describe_alarms(self, **request: Any) -> Any:
        """The alarms of names."""
        ...


@dataclass(frozen=True, kw_only=True)
class RoleSession:
    """What works under a role: clients with its temporary key, and an environment that gives programs the same."""

    s3: S3Client
    logs: LogsClient
    cloudwatch: CloudWatchClient
    environment: Mapping[str, str]


class Roles(Protocol):
    """The roles of the account that SageMaker may assume."""

    def assume(self, role_arn: str) -> RoleSession:
        """A session of a role; raises RequestRefusedError where there is none, or none that trusts SageMaker."""
        ...


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long the machine waits for container programs: SageMaker's own figures where it has them."""

    job_stop_seconds: float = 120
    serving_stop_seconds: float = 30
    close_seconds: float = 5
    startup_seconds: float = 120
    ping_seconds: float = 2
    ping_interval_seconds: float = 0.1
    invocation_seconds: float = 60
    restarts: int = 5
    restart_window_seconds: float = 300


@dataclass(frozen=True, kw_only=True)
class Host:
    """What every job and endpoint needs to know of the machine it runs on.

    Args:
        root: The folder for the files of jobs and endpoints and the records of their processes.
        registry: Where container images come from.
        s3: A boto3 client; `logs` and `cloudwatch` are, too.
        file_systems: What channels can mount.
        account: The account,
        region: and the Region of all ARNs.
        patience: How long to wait for container programs.
        limits: What the account may use at once.
        networks: What jobs reach from their VPCs; without them, everything.
        roles: What jobs and endpoints work as; without them, all use the clients given here.
        environment: Variables of every program.
        faults: What goes wrong on purpose.
        publish: Puts what SageMaker says of its resources on the event bus.
    """

    root: Path
    registry: ContainerImageRegistry
    s3: S3Client
    logs: LogsClient
    cloudwatch: CloudWatchClient
    file_systems: FileSystemMounts
    account: str
    region: str
    patience: Patience = field(default_factory=Patience)
    limits: Limits = field(default_factory=Limits)
    networks: Networks | None = None
    roles: Roles | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    publish: Publish = publish_nowhere

    def acting_as(self, role_arn: str | None) -> "Host":
        """The machine as a job or an endpoint with a role uses it; everybody's where roles do not matter.

        Raises:
            RequestRefusedError: If SageMaker may not assume the role.
        """
        if not self.roles or not role_arn:
            return self
        session = self.roles.assume(role_arn)
        return replace(
            self,
            s3=session.s3,
            logs=session.logs,
            cloudwatch=session.cloudwatch,
            environment=session.environment,
        )

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a resource of a kind, such as TrainingJob; SageMaker writes names in lower case there."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{xform_name(kind, '-')}/{name.lower()}"

    def check_quota(self, usage: str, asked: Mapping[str, Any], running: Iterable[Mapping[str, Any]]) -> None:
        """Raises SageMaker's refusal of instances that the account may not have for a use, or that the Region lacks.

        Args:
            usage: The use, as the names of quotas end: `training job usage`.
            asked: The type and the count of the instances, in any of the API's spellings.
            running: Those of everything that has this use already.
        """
        kind = asked.get("InstanceType")
        if kind is None:
            return
        if self.limits.lacks_instances(kind):
            raise RequestRefusedError(f"The instance type {kind} is not available in {self.limits.region}.")
        limit = self.limits.find_quota(f"{kind} for {usage}")
        if limit is None:
            return
        used = sum(count_instances(other) for other in running if other.get("InstanceType") == kind)
        if used + count_instances(asked) > limit:
            raise SageMakerError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{kind} for {usage}' is {limit} Instances, with current utilization "
                f"of {used} Instances and a request delta of {count_instances(asked)} Instances. Please use AWS "
                "Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact "
                "AWS support to request an increase for this quota.",
            )

    def find_container_image(self, image_uri: str) -> RunnableContainerImage:
        """The container image a request names, or SageMaker's refusal."""
        try:
            return self.registry.resolve(image_uri)
        except ContainerImageNotFoundError as error:
            raise RequestRefusedError(str(error)) from error


def count_instances(cluster: Mapping[str, Any]) -> int:
    """How many instances a request asks for."""
    return int(cluster.get("InstanceCount") or cluster.get("InitialInstanceCount") or 1)


def read_clock() -> datetime:
    """The cloud's time now, in UTC and to the millisecond as SageMaker gives it."""
    now = CLOCK.now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
