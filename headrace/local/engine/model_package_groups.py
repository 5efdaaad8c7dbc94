"""Model package groups of templates, which the local SageMaker keeps like those of its API."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from headrace.local.engine.resources import Properties, ResourceWatcher
from headrace.local.sagemaker.control_plane import SageMaker
from headrace.local.sagemaker.errors import SageMakerError

_MEMBERS: Final = ("ModelPackageGroupDescription", "Tags")


def watch_model_package_groups(sagemaker: SageMaker) -> ResourceWatcher:
    """What makes, tags and removes the groups of templates.

    Args:
        sagemaker: Keeps them.
    """

    def call(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return sagemaker.call(operation, request)
        except SageMakerError as error:
            raise ValueError(f"{error.code}: {error.message}") from None

    def create(arn: str, properties: Properties) -> None:
        given = {name: properties[name] for name in _MEMBERS if name in properties}
        name = properties.get("ModelPackageGroupName") or arn.rpartition("/")[2]
        call("CreateModelPackageGroup", {"ModelPackageGroupName": name, **given})

    def update(arn: str, properties: Properties) -> None:
        kept = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        present = [tag["Key"] for tag in call("ListTags", {"ResourceArn": arn})["Tags"]]
        if gone := [key for key in present if key not in kept]:
            call("DeleteTags", {"ResourceArn": arn, "TagKeys": gone})
        call("AddTags", {"ResourceArn": arn, "Tags": properties.get("Tags", [])})

    def delete(arn: str) -> None:
        call("DeleteModelPackageGroup", {"ModelPackageGroupName": arn})

    return ResourceWatcher(
        create=create,
        update=update,
        delete=delete,
        imported_by="ModelPackageGroupArn",
        exists=partial(_exists, sagemaker),
    )


def _exists(sagemaker: SageMaker, arn: str) -> bool:
    try:
        sagemaker.call("DescribeModelPackageGroup", {"ModelPackageGroupName": arn})
    except SageMakerError:
        return False
    return True
