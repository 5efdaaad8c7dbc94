"""Model packages: the versions of a model, which somebody approves, rejects, or has yet to judge."""

import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from headrace.local.sagemaker.catalog import list_page
from headrace.local.sagemaker.errors import RequestRefusedError, SageMakerError
from headrace.local.sagemaker.events import PACKAGE_CHANGED
from headrace.local.sagemaker.host import Host, read_clock
from headrace.local.sagemaker.kind import Handler, ResourceKind
from headrace.local.sagemaker.kinds.model_package_groups import ModelPackageGroup, ModelPackageGroups, is_in_group
from headrace.local.sagemaker.model_data import check_data_exists
from headrace.local.sagemaker.registry import (
    PENDING,
    check_model_package,
    check_served,
    check_specification,
    merge_properties,
    read_name,
)

_PROPERTIES: Final = "CustomerMetadataProperties"
_REPLACED: Final = (
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
    "ApprovalDescription",
    "InferenceSpecification",
)
_NOT_DESCRIBED: Final = {"Tags", "ClientToken", "ModelPackageGroupName"}
_SUMMARIZED: Final = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageRegistrationType",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
)
# Not in what the event says: only Describe knows them.
_DESCRIBED_ALONE: Final = ("ModelPackageName",)


class ModelPackage:
    """One version of a model.

    Args:
        group: The group that it is a version of.
        request: What it is made from.
        completed: The same with what SageMaker adds.
        host: The machine.
    """

    def __init__(
        self, group: ModelPackageGroup, request: Mapping[str, Any], completed: Mapping[str, Any], host: Host
    ) -> None:
        self.request = request
        self.group = group
        self.version = next(group.numbers)
        self.name = f"{group.name}/{self.version}"
        self.arn = host.arn("ModelPackage", self.name)
        self.creation_time = self.last_modified_time = read_clock()
        self._lock = threading.Lock()
        kept = {key: value for key, value in completed.items() if key not in _NOT_DESCRIBED}
        self._members = {"ModelApprovalStatus": PENDING, "CertifyForMarketplace": False, **kept}
        self._is_updated = False

    @property
    def status(self) -> str:
        """There is nothing to validate, so it is complete as soon as it is made."""
        return "Completed"

    @property
    def tags(self) -> dict[str, str]:
        """Those of its group."""
        return self.group.tags

    @property
    def approval(self) -> str:
        """Whether somebody approved it."""
        return str(self._members["ModelApprovalStatus"])

    @property
    def container(self) -> Mapping[str, Any]:
        """The container image and the files that it serves."""
        (container,) = self._members["InferenceSpecification"]["Containers"]
        found: Mapping[str, Any] = container
        return found

    def describe(self) -> dict[str, Any]:
        """DescribeModelPackage of the API."""
        with self._lock:
            described = {
                **self._members,
                "ModelPackageName": self.group.name,
                "ModelPackageGroupName": self.group.name,
                "ModelPackageVersion": self.version,
                "ModelPackageArn": self.arn,
                "CreationTime": self.creation_time,
                "CreatedBy": {},
                "ModelPackageStatus": self.status,
                "ModelPackageStatusDetails": {"ValidationStatuses": []},
            }
            changed = {"LastModifiedTime": self.last_modified_time, "LastModifiedBy": {}}
            return {**described, **changed} if self._is_updated else described

    def summarize(self) -> dict[str, Any]:
        """The version's line in ListModelPackages."""
        described = self.describe()
        return {key: described[key] for key in _SUMMARIZED if key in described}

    def summarize_for_batch(self) -> dict[str, Any]:
        """The version in BatchDescribeModelPackage."""
        return {**self.summarize(), "InferenceSpecification": self.describe()["InferenceSpecification"]}

    def update(self, request: Mapping[str, Any]) -> list[str]:
        """Change it, and say which members have changed.

        Raises:
            RequestRefusedError: If it would have too many properties.
        """
        with self._lock:
            changes: dict[str, Any] = {name: request[name] for name in _REPLACED if name in request}
            kept, removed = self._members.get(_PROPERTIES, {}), request.get("CustomerMetadataPropertiesToRemove", ())
            changes[_PROPERTIES] = merge_properties(kept, request.get(_PROPERTIES, {}), removed)
            changed = [name for name, value in changes.items() if value != self._members.get(name, {})]
            self._members |= changes
            if not self._members[_PROPERTIES]:
                del self._members[_PROPERTIES]
            self.last_modified_time = read_clock()
            self._is_updated = True
            return changed

    def start(self) -> None:
        """Does nothing: it is there as soon as it is made."""

    def wait(self) -> None:
        """Returns at once."""

    def close(self) -> None:
        """Does nothing: nothing runs."""


class ModelPackages(ResourceKind[ModelPackage]):
    """The operations of the API on versions of models."""

    name: ClassVar[str] = "ModelPackage"
    listed_as: ClassVar[str] = "ModelPackageSummaryList"

    @property
    def operations(self) -> Mapping[str, Handler]:
        """Update, Delete and BatchDescribe, besides those that every kind has."""
        return {
            **super().operations,
            "BatchDescribeModelPackage": self.describe_batch,
            "DeleteModelPackage": self.delete,
            "UpdateModelPackage": self.update,
        }

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """CreateModelPackage; once for each client token."""
        if made := self._find_made(request.get("ClientToken")):
            if made.request != request:
                raise SageMakerError("ConflictException", "The ClientToken was given with another request before.")
            return {"ModelPackageArn": made.arn}
        answer = super().create(request)
        self._publish(self.find(answer["ModelPackageArn"]))
        return answer

    def make(self, request: Mapping[str, Any]) -> ModelPackage:
        """The version that a request asks for."""
        check_model_package(request)
        group = self._kinds.find(ModelPackageGroups).find(request["ModelPackageGroupName"])
        return ModelPackage(group, request, self._complete(request), self._host)

    def find(self, name: str) -> ModelPackage:
        """The version of an ARN, or of GROUP/NUMBER, or SageMaker's refusal."""
        return super().find(read_name(self._host, self.name, name))

    def update(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateModelPackage: what somebody says of a version, never what it consists of."""
        check_served(request)
        package = self.find(request["ModelPackageArn"])
        if "InferenceSpecification" in request:
            check_specification(request["InferenceSpecification"])
        if changed := package.update(self._complete(request)):
            self._publish(package, changed)
        return {"ModelPackageArn": package.arn}

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteModelPackage; models that were made from it stay as they are."""
        self._catalog.remove(self.find_requested(request).name)
        return {}

    def describe_batch(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """BatchDescribeModelPackage, which says of each version what there is, or why not."""
        found: dict[str, Any] = {}
        missing: dict[str, Any] = {}
        for arn in request["ModelPackageArnList"]:
            try:
                found[arn] = self.find(arn).summarize_for_batch()
            except RequestRefusedError as error:
                missing[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
        return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": missing}

    def list_page(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListModelPackages; without a group or a type it lists those without versions, of which there are none."""
        return list_page(list(self._choose(request)), request, key=self.listed_as)

    def describe_missing(self, name: str) -> SageMakerError:
        """What SageMaker answers when no version has a name."""
        return RequestRefusedError(f"ModelPackage {self._host.arn(self.name, name)} does not exist.")

    def _find_made(self, token: str | None) -> ModelPackage | None:
        made = (package for package in self.resources() if token and package.request.get("ClientToken") == token)
        return next(made, None)

    def _choose(self, request: Mapping[str, Any]) -> Iterator[ModelPackage]:
        default = "Versioned" if "ModelPackageGroupName" in request else "Unversioned"
        if request.get("ModelPackageType", default) == "Unversioned":
            return
        given = request.get("ModelPackageGroupName")
        group = self._kinds.find(ModelPackageGroups).find(given).name if given else None
        approval = request.get("ModelApprovalStatus")
        for package in self.resources():
            if (not group or is_in_group(package.name, group)) and approval in (None, package.approval):
                yield package

    def _complete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """A request with the digest of its container image; the container image and the files must exist."""
        if "InferenceSpecification" not in request:
            return dict(request)
        specification = request["InferenceSpecification"]
        (container,) = specification["Containers"]
        image = self._host.find_container_image(container["Image"])
        check_data_exists(container, self._host)
        digest = {"ImageDigest": image.digest} if image.digest else {}
        return {**request, "InferenceSpecification": {**specification, "Containers": [{**digest, **container}]}}

    def _publish(self, package: ModelPackage, changed: list[str] | None = None) -> None:
        """Say on the event bus that there is a version, or what of it has changed."""
        described = package.describe()
        detail = {key: _write(value) for key, value in described.items() if key not in _DESCRIBED_ALONE}
        updated = {"UpdatedModelPackageFields": changed} if changed else {}
        self._host.publish(PACKAGE_CHANGED, {**detail, **updated}, package.arn)


def _write(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
