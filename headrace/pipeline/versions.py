"""Versions of a workload's model: listed, judged, served again, and found where they serve."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple

import boto3
from botocore.exceptions import ClientError

from headrace.contract import (
    ENDPOINT_NAME_INPUT,
    HYPERPARAMETER_FACT,
    METRIC_FACT,
    MODEL_PACKAGE_ARN_INPUT,
    VersionFact,
    find_served_since,
    list_served_places,
)
from headrace.errors import HeadraceError
from headrace.pipeline.executions import name_execution, read_input, start_execution

APPROVED: Final = "Approved"
REJECTED: Final = "Rejected"
_MOST_EXECUTIONS: Final = 50


class NoSuchVersionError(HeadraceError):
    """There is no such version, or no group of versions."""


class NothingToGoBackToError(HeadraceError):
    """No version can be served again without being named."""


class NotStartedError(HeadraceError):
    """No execution has begun to serve an approved version."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a model.

    Args:
        arn: Its ARN.
        number: Its number in its group.
        status: Whether somebody approved it, as SageMaker says it.
        created: When it was made.
        reason: Why it was approved or rejected, if that was said.
        image: The container image that serves it, and
        digest: what that is called by its content, if known.
        facts: What is known of it besides, by `VersionFact` and the prefixes of metrics and hyperparameters.
        endpoints: The endpoints that serve it, where somebody has looked.
    """

    arn: str
    number: int
    status: str
    created: datetime
    reason: str = ""
    image: str = ""
    digest: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    endpoints: tuple[str, ...] = ()

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics of its training job; what is not a number is left out."""
        found: dict[str, float] = {}
        for name, value in self._list_facts(METRIC_FACT):
            with suppress(ValueError):
                found[name] = float(value)
        return found

    @property
    def hyperparameters(self) -> dict[str, str]:
        """What its training job was given."""
        return dict(self._list_facts(HYPERPARAMETER_FACT))

    @property
    def served(self) -> str:
        """Since when it serves, or did; empty if it never has."""
        return self.facts.get(VersionFact.SERVED, "")

    @property
    def home(self) -> str:
        """The endpoint that it was made for; empty if that is not known."""
        return self.facts.get(VersionFact.ENDPOINT, "")

    @property
    def places(self) -> set[str]:
        """The endpoints that it may serve at: the one that it was made for, and those where it has served."""
        others = {place for place in list_served_places(self.facts) if place != self.home.lower()}
        return others | ({self.home} if self.home else set())

    def _list_facts(self, prefix: str) -> Iterator[tuple[str, str]]:
        return ((name.removeprefix(prefix), value) for name, value in self.facts.items() if name.startswith(prefix))


class WayBack(NamedTuple):
    """The version that serves at an endpoint, or served last, and the one to go back to."""

    serving: Version
    earlier: Version
    endpoint: str


class Registry:
    """The versions of one workload's model.

    Args:
        group: The model package group's name.
        sagemaker: The client; by default, one of this process's session.
        with_endpoints: Whether to look which endpoints serve each, for which the client needs to read them.
    """

    def __init__(self, group: str, sagemaker: Any = None, *, with_endpoints: bool = True) -> None:
        self.group = group
        self._with_endpoints = with_endpoints
        self._sagemaker: Any = sagemaker or boto3.client("sagemaker")

    def list_versions(self, most: int | None = None) -> list[Version]:
        """The versions, the latest first.

        Args:
            most: How many at most; all of them without it.

        Raises:
            NoSuchVersionError: If there is no such group.
        """
        arns = [listed["ModelPackageArn"] for listed in islice(self._list_pages(), most)]
        described = [self._describe(arn) for arn in arns]
        serving = self._find_serving({place for version in described for place in version.places})
        return [self._place(version, serving) for version in described]

    def find(self, version: str) -> Version:
        """A version by its number or its ARN.

        Raises:
            NoSuchVersionError: If the group has none of that number.
        """
        number = version.rpartition("/")[2]
        pages = self._list_pages()
        arns = {str(listed["ModelPackageVersion"]): str(listed["ModelPackageArn"]) for listed in pages}
        if number not in arns or version not in (number, arns[number]):
            known = ", ".join(sorted(arns, key=int)) or "none"
            raise NoSuchVersionError(f"{self.group} has no version {version!r}; it has: {known}")
        found = self._describe(arns[number])
        return self._place(found, self._find_serving(found.places))

    def judge(self, version: Version, status: str, reason: str = "") -> None:
        """Approve or reject a version.

        Args:
            version: Which.
            status: `APPROVED` or `REJECTED`.
            reason: Why, for those who look at it.
        """
        said = {"ApprovalDescription": reason} if reason else {}
        self._sagemaker.update_model_package(ModelPackageArn=version.arn, ModelApprovalStatus=status, **said)

    def find_earlier(self, endpoint: str | None) -> WayBack:
        """The version that serves, and of those made before it the one that has served there last.

        Where none serves, because the endpoint is stopped, it is the version that has served there last.

        Args:
            endpoint: Where; it may be left out if one endpoint alone serves a version, or has.

        Raises:
            NothingToGoBackToError: If no version serves or has, or none made before has, or it is not clear where.
        """
        versions = self.list_versions()
        place = endpoint or _find_only_place(versions, self.group)
        serving = next((version for version in versions if _serves_at(version, place)), None)
        serving = serving or find_served_last(versions, place)
        if not serving:
            raise NothingToGoBackToError(f"no version of {self.group} serves at {place} or has served there")
        earlier = find_served_last((version for version in versions if _can_return(version, serving)), place)
        if not earlier:
            raise NothingToGoBackToError(
                f"none of the versions made before version {serving.number} has served at {place}; choose one with --to"
            )
        return WayBack(serving, earlier, place)

    def _list_pages(self) -> Iterator[Mapping[str, Any]]:
        paginator = self._sagemaker.get_paginator("list_model_packages")
        pages = paginator.paginate(ModelPackageGroupName=self.group, SortBy="CreationTime", SortOrder="Descending")
        try:
            yield from (listed for page in pages for listed in page["ModelPackageSummaryList"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            raise NoSuchVersionError(
                f"there is no model package group {self.group}: deploy the environment, or choose another with --env, "
                "--workload or --region; --local is for the local cloud"
            ) from None

    def _describe(self, arn: str) -> Version:
        described = self._sagemaker.describe_model_package(ModelPackageName=arn)
        containers = described.get("InferenceSpecification", {}).get("Containers", [])
        container = containers[0] if containers else {}
        return Version(
            arn=described["ModelPackageArn"],
            number=described["ModelPackageVersion"],
            status=described.get("ModelApprovalStatus", ""),
            created=described["CreationTime"],
            reason=described.get("ApprovalDescription", ""),
            image=container.get("Image", ""),
            digest=container.get("ImageDigest", ""),
            facts=described.get("CustomerMetadataProperties", {}),
        )

    def _find_serving(self, endpoints: Iterable[str]) -> dict[str, str]:
        """Which version each endpoint serves, by the ARN of the version."""
        looked_at = endpoints if self._with_endpoints else ()
        served = {name: find_version_at(self._sagemaker, name) for name in looked_at}
        return {name: arn for name, arn in served.items() if arn}

    def _place(self, version: Version, serving: Mapping[str, str]) -> Version:
        endpoints = tuple(sorted(name for name, arn in serving.items() if arn == version.arn))
        return Version(**{**vars(version), "endpoints": endpoints})


def find_served_last(versions: Iterable[Version], endpoint: str) -> Version | None:
    """Of these versions, the one that has served last at an endpoint; None if none has."""
    served = [version for version in versions if find_served_since(version.facts, endpoint)]
    return max(served, key=lambda version: find_served_since(version.facts, endpoint), default=None)


def _find_only_place(versions: Sequence[Version], group: str) -> str:
    serving = {name for version in versions for name in version.endpoints}
    places = serving or {place for version in versions for place in list_served_places(version.facts)}
    if not places:
        raise NothingToGoBackToError(f"no version of {group} serves or has served")
    if len(places) > 1:
        verb = "serve" if serving else "have served"
        raise NothingToGoBackToError(
            f"versions of {group} {verb} at {', '.join(sorted(places))}; choose one with --endpoint"
        )
    return places.pop()


def _serves_at(version: Version, place: str) -> bool:
    return place.lower() in (name.lower() for name in version.endpoints)


def _can_return(version: Version, serving: Version) -> bool:
    return version.number < serving.number and version.status == APPROVED


def find_version_at(sagemaker: Any, endpoint: str) -> str | None:
    """The ARN of the version that an endpoint serves; None if it serves none.

    Args:
        sagemaker: A client.
        endpoint: The endpoint's name.
    """
    try:
        config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        (variant, *_) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        model = sagemaker.describe_model(ModelName=variant["ModelName"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        return None
    containers = [model.get("PrimaryContainer", {}), *model.get("Containers", [])]
    return next((container["ModelPackageName"] for container in containers if "ModelPackageName" in container), None)


def start_serving(machine_arn: str, version: Version, endpoint: str = "") -> str:
    """Start an execution that serves a version; its ARN.

    Args:
        machine_arn: The state machine, or its alias.
        version: The version.
        endpoint: Where; by default, at the endpoint that it was made for.
    """
    is_elsewhere = endpoint and endpoint.lower() != version.home.lower()
    place = {ENDPOINT_NAME_INPUT: endpoint} if is_elsewhere else {}
    return start_execution(machine_arn, {MODEL_PACKAGE_ARN_INPUT: version.arn, **place}, name_execution())


class Deployments:
    """The executions of a state machine that serve versions which somebody approves.

    Args:
        machine_arn: The state machine.
        wait: Waits until it is worth looking again.
    """

    def __init__(self, machine_arn: str, wait: Callable[[], None]) -> None:
        self._machine = machine_arn
        self._wait = wait
        self._states: Any = boto3.client("stepfunctions")
        self._known = set(self._list_latest())

    def find_started(self, version: Version, seconds: float) -> str:
        """The ARN of the execution that a version's approval has started since this was made.

        Args:
            version: The version.
            seconds: How long to wait for it.

        Raises:
            NotStartedError: If there is none.
        """
        deadline = time.monotonic() + seconds
        while True:
            for arn in self._list_latest():
                if arn not in self._known and read_input(arn).get(MODEL_PACKAGE_ARN_INPUT) == version.arn:
                    return arn
                self._known.add(arn)
            if time.monotonic() > deadline:
                raise NotStartedError(
                    f"version {version.number} is approved, but no execution has begun to serve it within {seconds:g} "
                    "s: look whether the rule for approvals is enabled and what its queue of undelivered events holds, "
                    f'or start one with: headrace pipeline start --input \'{{"{MODEL_PACKAGE_ARN_INPUT}": '
                    f'"{version.arn}"}}\''
                )
            self._wait()

    def _list_latest(self) -> list[str]:
        found = self._states.list_executions(stateMachineArn=self._machine, maxResults=_MOST_EXECUTIONS)
        return [execution["executionArn"] for execution in found["executions"]]
