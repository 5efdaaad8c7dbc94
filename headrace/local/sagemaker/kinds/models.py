"""Models: a container image and the files that it serves."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from headrace.local.sagemaker.definitions import Definition, DefinitionKind
from headrace.local.sagemaker.descriptions import complete_model_request
from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.kinds.model_packages import ModelPackage, ModelPackages
from headrace.local.sagemaker.model_data import check_data_exists
from headrace.local.sagemaker.registry import APPROVED
from headrace.local.sagemaker.rules import check_model, list_containers

# What a container of a version and one of a model have in common.
_SHARED: Final = ("ContainerHostname", "Image", "ModelDataUrl", "ModelDataSource", "Environment")


class Models(DefinitionKind):
    """The model operations of the API."""

    name: ClassVar[str] = "Model"

    def check(self, request: Mapping[str, Any]) -> None:
        """The container image and the model data must exist."""
        check_model(request)
        (container,) = list_containers(request)
        self._host.find_container_image(container["Image"])
        check_data_exists(container, self._host.acting_as(request.get("ExecutionRoleArn")))

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeModel."""
        return complete_model_request(super().describe(request))

    def make(self, request: Mapping[str, Any]) -> Definition:
        """The model that a request asks for, with what a version that it names consists of."""
        containers = list_containers(request)
        if len(containers) == 1 and "ModelPackageName" in containers[0]:
            completed = self._unpack(containers[0])
            places = {"PrimaryContainer": completed} if "PrimaryContainer" in request else {"Containers": [completed]}
            return super().make({**request, **places})
        return super().make(request)

    def _unpack(self, container: Mapping[str, Any]) -> dict[str, Any]:
        package = self._kinds.find(ModelPackages).find(container["ModelPackageName"])
        if own := sorted(container.keys() & {"Image", "ModelDataUrl", "ModelDataSource"}):
            raise RequestRefusedError(f"Give either ModelPackageName or {' and '.join(own)}, not both.")
        if package.approval != APPROVED:
            raise RequestRefusedError(
                f"Cannot create a model from ModelPackage {package.arn}: its approval status is {package.approval}, "
                f"not {APPROVED}."
            )
        return unpack_container(package, container)


def unpack_container(package: ModelPackage, container: Mapping[str, Any]) -> dict[str, Any]:
    """A container that names a version, with what the version consists of; its own variables win."""
    packed = {key: value for key, value in package.container.items() if key in _SHARED}
    environment = {**packed.get("Environment", {}), **container.get("Environment", {})}
    return {**packed, **container, "ModelPackageName": package.arn, "Environment": environment}
