"""The Lambda function: deletes endpoint configurations, models and versions of one workload beyond the last ones.

Ours is a model that was made of a version in the workload's group, and a configuration all of whose models are ours;
both must have the workload's tags, too. Whatever an endpoint uses stays. Configurations go first, then the models that
no configuration names, then the versions that no model is made of.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from headrace.contract import VersionFact, find_served_since, list_served_places

from .contract import TIME, Answer, Variable

# What one execution looks at, the latest first, and deletes of each kind; the next one goes on.
MOST_LISTED: Final = 500
MOST_DELETED: Final = 25
_MOST_ENDPOINTS: Final = 500
_MOST_NAMED: Final = 5
# What SageMaker says of names that nothing has.
_MISSING: Final = "ValidationException"
_APPROVED: Final = "Approved"
_PENDING: Final = "PendingManualApproval"
_SAGEMAKER = boto3.client("sagemaker")


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Tidy up after one execution."""
    # Versions of the state machine from before call without a time, as long as their executions run.
    now = datetime.fromisoformat(event[TIME]) if TIME in event else datetime.now(UTC)
    return Tidying(
        group=os.environ[Variable.GROUP],
        tags=json.loads(os.environ[Variable.TAGS]),
        keep=int(os.environ[Variable.KEEP]),
        made_before=now - timedelta(hours=int(os.environ[Variable.HOURS])),
        sagemaker=_SAGEMAKER,
    ).tidy()


@dataclass(frozen=True, kw_only=True)
class Config:
    """An endpoint configuration of the account.

    Args:
        name: Its name.
        arn: Its ARN.
        made: When.
        models: The models that it names; None says that some variants name none.
    """

    name: str
    arn: str
    made: datetime
    models: frozenset[str | None]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model of the account.

    Args:
        name: Its name.
        arn: Its ARN.
        made: When.
        versions: The versions that it is made of, by their ARNs.
    """

    name: str
    arn: str
    made: datetime
    versions: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version in the group.

    Args:
        arn: Its ARN.
        made: When.
        number: Its number.
        status: Whether it is approved.
        facts: What is known of it.
    """

    arn: str
    made: datetime
    number: int
    status: str
    facts: Mapping[str, str]


class NotKnownError(Exception):
    """What endpoints use is not known; the message says why."""


@dataclass(kw_only=True)
class Tidying:
    """One run of the function.

    Args:
        group: The model package group of the workload.
        tags: What everything of the workload in this environment has.
        keep: How many of each kind stay at least.
        made_before: What was made later stays, too.
        sagemaker: The client.
    """

    group: str
    tags: Mapping[str, str]
    keep: int
    made_before: datetime
    sagemaker: Any
    _left: list[str] = field(default_factory=list)

    def tidy(self) -> dict[str, Any]:
        """Delete, and answer what was deleted and what could not be."""
        try:
            return self._tidy()
        except NotKnownError as error:
            self._left.append(f"nothing is deleted, because {error}")
            return self._answer([], [], [])

    def _tidy(self) -> dict[str, Any]:
        used = self._find_used_configs()
        serving = {model for name in used for model in self._find_used_models(name)}
        models = list(self._read_models())
        configs = list(self._read_configs())
        gone_configs = self._delete_configs(configs, models, used)
        named = {model for config in configs if config.name not in gone_configs for model in config.models}
        gone_models = self._delete_models(models, named | serving)
        left = [model for model in models if model.name not in gone_models]
        gone_versions = self._delete_versions(
            list(self._read_versions()),
            made_of={arn for model in left for arn in model.versions},
            serving={arn for model in models if model.name in serving for arn in model.versions},
        )
        return self._answer(gone_configs, gone_models, gone_versions)

    def _answer(self, configs: Sequence[str], models: Sequence[str], versions: Sequence[str]) -> dict[str, Any]:
        more = [f"and {len(self._left) - _MOST_NAMED} more"] if len(self._left) > _MOST_NAMED else []
        return {
            Answer.CONFIGS: list(configs),
            Answer.MODELS: list(models),
            Answer.VERSIONS: list(versions),
            Answer.LEFT: "; ".join([*self._left[:_MOST_NAMED], *more]),
        }

    def _find_used_configs(self) -> set[str]:
        """The configurations that endpoints of the account have, or are about to have."""
        used: set[str] = set()
        for number, listed in enumerate(self._list("list_endpoints", "Endpoints", most=_MOST_ENDPOINTS + 1)):
            if number == _MOST_ENDPOINTS:
                raise NotKnownError(f"the account has more than {_MOST_ENDPOINTS} endpoints")
            described = self._describe("endpoint", EndpointName=listed["EndpointName"])
            pending = described.get("PendingDeploymentSummary") or {}
            named = (described.get("EndpointConfigName"), pending.get("EndpointConfigName"))
            used |= {name for name in named if name}
        return used

    def _find_used_models(self, config: str) -> frozenset[str | None]:
        described = self._describe("endpoint_config", EndpointConfigName=config)
        if not described:
            raise NotKnownError(f"an endpoint has the configuration {config}, which is gone")
        return _list_models(described)

    def _is_ours(self, model: Model) -> bool:
        return bool(model.versions) and all(f":model-package/{self.group}/" in arn for arn in model.versions)

    def _delete_configs(self, configs: Iterable[Config], models: Iterable[Model], used: set[str]) -> list[str]:
        ours = {model.name for model in models if self._is_ours(model)}
        found = [config for config in configs if config.models and config.models <= ours]
        beyond = [config for config in found[self.keep :] if config.name not in used]
        return self._delete(
            [(config.name, config.arn) for config in beyond if config.made < self.made_before],
            lambda name: self.sagemaker.delete_endpoint_config(EndpointConfigName=name),
        )

    def _delete_models(self, models: Sequence[Model], named: set[str | None]) -> list[str]:
        found = [model for model in models if self._is_ours(model)]
        beyond = [model for model in found[self.keep :] if model.name not in named]
        return self._delete(
            [(model.name, model.arn) for model in beyond if model.made < self.made_before],
            lambda name: self.sagemaker.delete_model(ModelName=name),
        )

    def _delete_versions(self, versions: Sequence[Version], *, made_of: set[str], serving: set[str]) -> list[str]:
        kept = made_of | serving | {version.arn for version in versions[: self.keep]}
        for version in versions:
            if version.arn in serving:
                kept |= {version.facts.get(VersionFact.PARENT, ""), *_find_earlier(version, versions)}
        beyond = [version for version in versions if version.arn not in kept and version.status != _PENDING]
        return self._delete(
            # A version has its group's tags, and none of its own.
            [(version.arn, None) for version in beyond if version.made < self.made_before],
            lambda arn: self.sagemaker.delete_model_package(ModelPackageName=arn),
        )

    def _delete(self, found: Sequence[tuple[str, str | None]], delete: Callable[[str], object]) -> list[str]:
        """Delete the oldest ones, which come last; what cannot be deleted is told and left."""
        gone: list[str] = []
        for name, arn in list(reversed(found))[:MOST_DELETED]:
            try:
                if arn is None or self._has_tags(arn):
                    delete(name)
                    gone.append(name)
            except (BotoCoreError, ClientError) as error:
                self._left.append(f"{name}: {error}")
        return gone

    def _has_tags(self, arn: str) -> bool:
        tags = {tag["Key"]: tag["Value"] for tag in self.sagemaker.list_tags(ResourceArn=arn)["Tags"]}
        return self.tags.items() <= tags.items()

    def _read_models(self) -> Iterator[Model]:
        for listed in self._list("list_models", "Models"):
            described = self._describe("model", ModelName=listed["ModelName"])
            containers = [described.get("PrimaryContainer") or {}, *described.get("Containers", [])]
            yield Model(
                name=listed["ModelName"],
                arn=listed["ModelArn"],
                made=listed["CreationTime"],
                versions=frozenset(
                    container["ModelPackageName"] for container in containers if container.get("ModelPackageName")
                ),
            )

    def _read_configs(self) -> Iterator[Config]:
        for listed in self._list("list_endpoint_configs", "EndpointConfigs"):
            yield Config(
                name=listed["EndpointConfigName"],
                arn=listed["EndpointConfigArn"],
                made=listed["CreationTime"],
                models=_list_models(self._describe("endpoint_config", EndpointConfigName=listed["EndpointConfigName"])),
            )

    def _read_versions(self) -> Iterator[Version]:
        listing = self._list("list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=self.group)
        for listed in listing:
            arn = listed["ModelPackageArn"]
            facts = self._describe("model_package", ModelPackageName=arn).get("CustomerMetadataProperties", {})
            yield Version(
                arn=arn,
                made=listed["CreationTime"],
                number=listed["ModelPackageVersion"],
                status=listed["ModelApprovalStatus"],
                facts=facts,
            )

    def _describe(self, kind: str, **which: str) -> Mapping[str, Any]:
        """What Describe answers; nothing of what somebody else has deleted meanwhile."""
        try:
            described: Mapping[str, Any] = getattr(self.sagemaker, f"describe_{kind}")(**which)
        except ClientError as error:
            if error.response["Error"]["Code"] != _MISSING:
                raise
            return {}
        return described

    def _list(self, operation: str, key: str, *, most: int = MOST_LISTED, **which: str) -> Iterator[Mapping[str, Any]]:
        """The latest resources of a kind, the latest first."""
        pages = self.sagemaker.get_paginator(operation).paginate(
            SortBy="CreationTime", SortOrder="Descending", PaginationConfig={"PageSize": 100}, **which
        )
        return islice((listed for page in pages for listed in page[key]), most)


def _list_models(config: Mapping[str, Any]) -> frozenset[str | None]:
    variants = [*config.get("ProductionVariants", []), *config.get("ShadowProductionVariants", [])]
    return frozenset(variant.get("ModelName") for variant in variants)


def _find_earlier(serving: Version, versions: Iterable[Version]) -> Iterator[str]:
    """What `headrace pipeline rollback` goes back to: made before, approved, and the last to serve at an endpoint."""
    earlier = [version for version in versions if version.number < serving.number and version.status == _APPROVED]
    for place in {*list_served_places(serving.facts), serving.facts.get(VersionFact.ENDPOINT, "").lower()}:
        served = {since: each.arn for each in earlier if (since := find_served_since(each.facts, place))}
        if served:
            yield served[max(served)]
