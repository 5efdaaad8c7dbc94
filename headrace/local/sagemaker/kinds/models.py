"""Models: a container image and the files that it serves."""

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from headrace.local.sagemaker.definitions import DefinitionKind
from headrace.local.sagemaker.descriptions import complete_model_request
from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.host import Host
from headrace.local.sagemaker.model_data import locate_model_data
from headrace.local.sagemaker.rules import check_model, check_s3_uri, list_containers
from headrace.local.sagemaker.s3_objects import object_exists, parse_address
from headrace.s3.answers import Refusal


class Models(DefinitionKind):
    """The model operations of the API."""

    name: ClassVar[str] = "Model"

    def check(self, request: Mapping[str, Any]) -> None:
        """The container image and the model data must exist."""
        check_model(request)
        (container,) = list_containers(request)
        self._host.find_container_image(container["Image"])
        self._check_data(container, self._host.acting_as(request.get("ExecutionRoleArn")))

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeModel."""
        return complete_model_request(super().describe(request))

    def _check_data(self, container: Mapping[str, Any], host: Host) -> None:
        data = locate_model_data(container)
        if not data:
            return
        check_s3_uri(data.uri)
        if data.is_archive and not _is_there(host, data.uri):
            raise RequestRefusedError(f"Could not find model data at {data.uri}.")


def _is_there(host: Host, uri: str) -> bool:
    try:
        return object_exists(host.s3, parse_address(uri))
    except ClientError as error:
        raise RequestRefusedError(f"Could not access model data at {uri}: {Refusal.of(error.response)}") from error
