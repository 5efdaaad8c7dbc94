"""Model package groups: what the versions of one model are registered in."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from headrace.local.sagemaker.catalog import read_tags
from headrace.local.sagemaker.definitions import Definition
from headrace.local.sagemaker.errors import RequestRefusedError, SageMakerError
from headrace.local.sagemaker.kind import Handler, ResourceKind
from headrace.local.sagemaker.registry import read_name


@dataclass(frozen=True, kw_only=True)
class ModelPackageGroup(Definition):
    """One group, and the numbers of its versions, none of which is given twice."""

    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def describe(self) -> dict[str, Any]:
        """DescribeModelPackageGroup of the API."""
        return {**super().describe(), "CreatedBy": {}, "ModelPackageGroupStatus": "Completed"}

    def summarize(self) -> dict[str, Any]:
        """The group's line in ListModelPackageGroups."""
        described = {**super().summarize(), "ModelPackageGroupStatus": "Completed"}
        text = self.request.get("ModelPackageGroupDescription")
        return {**described, "ModelPackageGroupDescription": text} if text else described


class ModelPackageGroups(ResourceKind[ModelPackageGroup]):
    """The model package group operations of the API."""

    name: ClassVar[str] = "ModelPackageGroup"
    listed_as: ClassVar[str] = "ModelPackageGroupSummaryList"

    @property
    def operations(self) -> Mapping[str, Handler]:
        """Delete, besides those that every kind has."""
        return {**super().operations, "DeleteModelPackageGroup": self.delete}

    def make(self, request: Mapping[str, Any]) -> ModelPackageGroup:
        """The group that a request asks for."""
        if "ManagedConfiguration" in request:
            raise RequestRefusedError("ManagedConfiguration is not served by the local cloud.")
        name = request["ModelPackageGroupName"]
        arn = self._host.arn(self.name, name)
        return ModelPackageGroup(kind=self.name, name=name, arn=arn, request=request, tags=read_tags(request))

    def find(self, name: str) -> ModelPackageGroup:
        """The group of a name or an ARN, or SageMaker's refusal."""
        return super().find(read_name(self._host, self.name, name))

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteModelPackageGroup, which leaves no version behind."""
        group = self.find_requested(request)
        if any(is_in_group(package.name, group.name) for package in self._kinds["ModelPackage"].resources()):
            raise SageMakerError(
                "ConflictException",
                f"ModelPackageGroup {group.arn} cannot be deleted because it still contains model packages.",
            )
        self._catalog.remove(group.name)
        return {}

    def describe_taken(self, resource: ModelPackageGroup) -> SageMakerError:
        """What SageMaker answers when the name of a new group is taken."""
        return RequestRefusedError(f"Model Package Group already exists: {resource.arn}")

    def describe_missing(self, name: str) -> SageMakerError:
        """What SageMaker answers when no group has a name."""
        return RequestRefusedError(f"ModelPackageGroup {self._host.arn(self.name, name)} does not exist.")


def is_in_group(package: str, group: str) -> bool:
    """Whether a version, GROUP/NUMBER, is one of a group."""
    return package.rpartition("/")[0].lower() == group.lower()
