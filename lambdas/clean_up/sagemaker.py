"""Stops and removes what an execution has made in SageMaker and not finished."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from headrace.contract import EXECUTION_TAG

from .executions import Request

_IN_PROGRESS: Final = ("InProgress", "Stopping")
_CHANGING: Final = ("Creating", "Updating", "SystemUpdating", "RollingBack")
_LONGEST_PAUSE: Final = 10
_NOT_FOUND: Final = ("could not find", "does not exist", "not found")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of job.

    Args:
        name: What the API calls it.
        resource: What ARNs call it.
        logs: The log group of its jobs.
    """

    name: str
    resource: str

    @property
    def log_group(self) -> str:
        """Where its jobs log."""
        return f"/aws/sagemaker/{self.name}s"


_JOBS: Final = {
    f"create{name}": Kind(name=name, resource=resource)
    for name, resource in (
        ("TrainingJob", "training-job"),
        ("ProcessingJob", "processing-job"),
        ("TransformJob", "transform-job"),
    )
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job of the execution.

    Args:
        kind: What the API calls its kind.
        name: Its name.
        log: Where its log is.
        billed_seconds: For how long it has been paid for.
    """

    kind: str
    name: str
    log: str
    billed_seconds: int


@dataclass
class Aftermath:
    """What was found and done.

    Args:
        jobs: The jobs that ran.
        removed: What was stopped or deleted, in words.
        left: What could not be, in words with the reason.
        is_early: Whether some of that can be removed later, as it is being made or stopped.
    """

    jobs: list[Job] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    is_early: bool = False


class Sweep:
    """Goes through what an execution has asked SageMaker for.

    Args:
        client: SageMaker's.
        execution: The tag of everything that the execution has made.
        requests: What its tasks have asked for.
        give_up: Says whether there is no more time to wait.
        find_noted: Finds the configuration that a stopped endpoint is to be started with.
    """

    def __init__(
        self,
        client: Any,
        *,
        execution: str,
        requests: Sequence[Request],
        give_up: Callable[[], bool],
        find_noted: Callable[[], str | None],
    ) -> None:
        self._client = client
        self._execution = execution
        self._requests = requests
        self._give_up = give_up
        self._find_noted = find_noted
        self.found = Aftermath()

    def finish(self) -> Aftermath:
        """Find which jobs there were, and stop those that still run: the execution waits for none of them any more.

        A job runs on unnoticed when the call that made it was answered with an error: another one was made then.
        """
        self._attempt_each(self._list_jobs(), self._stop_job)
        return self.found

    def clean(self) -> Aftermath:
        """Stop the jobs, and delete the models, configurations and the endpoint that are of no use.

        What cannot be removed does not keep the rest from being removed.
        """
        self._attempt_each(self._list_jobs(), self._stop_job)
        self._attempt_each(self._list_named("createEndpoint", "EndpointName"), self._delete_endpoint)
        configs_named = [*self._list_named("createEndpointConfig", "EndpointConfigName")]
        models_named = [*self._list_named("createModel", "ModelName")]
        # An execution that only looks at an endpoint, such as a check for drift, has a function that may not.
        if not (configs_named or models_named):
            return self.found
        try:
            configs, models = self._find_used()
        except (ClientError, BotoCoreError) as error:
            self.found.left.append(f"models and configurations, as it is not known which of them serve: {error}")
            return self.found
        self._attempt_each((name for name in configs_named if name not in configs), self._delete_config)
        self._attempt_each((name for name in models_named if name not in models), self._delete_model)
        return self.found

    def _attempt_each(self, names: Iterator[Any], attempt: Callable[[Any], None]) -> None:
        for name in names:
            try:
                attempt(name)
            except (ClientError, BotoCoreError) as error:
                if not _is_missing(error):
                    self.found.left.append(f"{_spell(name)}: {error}")

    def _list_jobs(self) -> Iterator[tuple[Kind, str]]:
        seen = set()
        for request in self._requests:
            kind = _JOBS.get(request.operation)
            name = request.arguments.get(f"{kind.name}Name") if kind else None
            if kind and isinstance(name, str) and (kind.name, name) not in seen:
                seen.add((kind.name, name))
                yield kind, name

    def _list_named(self, operation: str, member: str) -> Iterator[str]:
        names = [request.arguments.get(member) for request in self._requests if request.operation == operation]
        yield from dict.fromkeys(name for name in names if isinstance(name, str))

    def _stop_job(self, job: tuple[Kind, str]) -> None:
        kind, name = job
        described = self._describe_job(kind, name)
        if not self._is_ours(described[f"{kind.name}Arn"]):
            return
        if described[f"{kind.name}Status"] in _IN_PROGRESS:
            try:
                self._call(f"stop_{_snake(kind.name)}", **{f"{kind.name}Name": name})
            except ClientError:
                # It may have ended by itself meanwhile.
                if self._describe_job(kind, name)[f"{kind.name}Status"] in _IN_PROGRESS:
                    raise
            described = self._wait(lambda: self._describe_job(kind, name), f"{kind.name}Status", _IN_PROGRESS)
            is_over = described[f"{kind.name}Status"] not in _IN_PROGRESS
            what = f"{kind.name} {name}"
            (self.found.removed if is_over else self.found.left).append(what if is_over else f"{what}: is stopping")
        self._keep(kind, name, described)

    def _keep(self, kind: Kind, name: str, described: Mapping[str, Any]) -> None:
        log = f"{kind.log_group}/{name}"
        self.found.jobs.append(Job(kind=kind.name, name=name, log=log, billed_seconds=_measure(kind, described)))

    def _delete_endpoint(self, name: str) -> None:
        """An endpoint that this execution has created, and has not seen in service since."""
        described = self._client.describe_endpoint(EndpointName=name)
        if not self._is_ours(described["EndpointArn"]) or self._has_served(name):
            return
        described = self._wait(lambda: self._client.describe_endpoint(EndpointName=name), "EndpointStatus", _CHANGING)
        if described["EndpointStatus"] in _CHANGING:
            self.found.left.append(f"Endpoint {name}: is {described['EndpointStatus']}")
            self.found.is_early = True
            return
        self._client.delete_endpoint(EndpointName=name)
        self.found.removed.append(f"Endpoint {name}")

    def _has_served(self, name: str) -> bool:
        has_served = False
        for request in self._requests:
            if request.arguments.get("EndpointName") != name:
                continue
            if request.operation == "createEndpoint":
                has_served = False
            elif request.operation == "describeEndpoint" and request.result.get("EndpointStatus") == "InService":
                has_served = True
        return has_served

    def _find_used(self) -> tuple[set[str], set[str]]:
        """The configurations that serve, are about to, or will when a stopped endpoint is started, and their models."""
        endpoints = {
            *self._list_named("createEndpoint", "EndpointName"),
            *self._list_named("updateEndpoint", "EndpointName"),
            *self._list_named("describeEndpoint", "EndpointName"),
        }
        configs = {config for endpoint in endpoints for config in self._list_configs(endpoint)}
        # After the endpoints: it is noted before an endpoint is deleted.
        if noted := self._find_noted():
            configs.add(noted)
        return configs, {model for config in configs for model in self._list_models(config)}

    def _list_configs(self, endpoint: str) -> Iterator[str]:
        try:
            described = self._client.describe_endpoint(EndpointName=endpoint)
        except ClientError as error:
            if _is_missing(error):
                return
            raise
        # What an endpoint that is being deleted is to be started with again is noted.
        if described["EndpointStatus"] == "Deleting":
            return
        yield described["EndpointConfigName"]
        if pending := described.get("PendingDeploymentSummary", {}).get("EndpointConfigName"):
            yield pending

    def _list_models(self, config: str) -> Iterator[str]:
        try:
            described = self._client.describe_endpoint_config(EndpointConfigName=config)
        except ClientError as error:
            if _is_missing(error):
                return
            raise
        for variants in ("ProductionVariants", "ShadowProductionVariants"):
            yield from (variant["ModelName"] for variant in described.get(variants, ()) if "ModelName" in variant)

    def _delete_config(self, name: str) -> None:
        if self._is_ours(self._client.describe_endpoint_config(EndpointConfigName=name)["EndpointConfigArn"]):
            self._client.delete_endpoint_config(EndpointConfigName=name)
            self.found.removed.append(f"EndpointConfig {name}")

    def _delete_model(self, name: str) -> None:
        if self._is_ours(self._client.describe_model(ModelName=name)["ModelArn"]):
            self._client.delete_model(ModelName=name)
            self.found.removed.append(f"Model {name}")

    def _is_ours(self, arn: str) -> bool:
        """Another execution may have made something of the same name before, and this one failed because of it."""
        tags = self._client.list_tags(ResourceArn=arn)["Tags"]
        return any(tag["Key"] == EXECUTION_TAG and tag["Value"] == self._execution for tag in tags)

    def _describe_job(self, kind: Kind, name: str) -> Mapping[str, Any]:
        described: Mapping[str, Any] = self._call(f"describe_{_snake(kind.name)}", **{f"{kind.name}Name": name})
        return described

    def _call(self, operation: str, **arguments: Any) -> Any:
        return getattr(self._client, operation)(**arguments)

    def _wait(
        self, describe: Callable[[], Mapping[str, Any]], member: str, unfinished: Sequence[str]
    ) -> Mapping[str, Any]:
        pause = 0.25
        described = describe()
        while described[member] in unfinished and not self._give_up():
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            described = describe()
        return described


def _is_missing(error: Exception) -> bool:
    return isinstance(error, ClientError) and any(word in str(error).lower() for word in _NOT_FOUND)


def _measure(kind: Kind, described: Mapping[str, Any]) -> int:
    """For how many seconds a job is billed: from when it had its machine."""
    if "BillableTimeInSeconds" in described:
        return int(described["BillableTimeInSeconds"])
    stem = kind.name.removesuffix("Job")
    begun, ended = described.get(f"{stem}StartTime"), described.get(f"{stem}EndTime")
    return round((ended - begun).total_seconds()) if begun and ended else 0


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _spell(name: Any) -> str:
    return f"{name[0].name} {name[1]}" if isinstance(name, tuple) else str(name)
