"""Where the files of a model are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.host import Host
from headrace.local.sagemaker.rules import check_s3_uri
from headrace.local.sagemaker.s3_objects import object_exists, parse_address
from headrace.s3.answers import Refusal


@dataclass(frozen=True)
class ModelData:
    """Where a model's files are, and whether they are packed."""

    uri: str
    is_archive: bool


def locate_model_data(container: Mapping[str, Any]) -> ModelData | None:
    """The data that a container definition names; None for a container image that brings its own."""
    if "ModelDataUrl" in container:
        return ModelData(container["ModelDataUrl"], is_archive=True)
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    return ModelData(source["S3Uri"], is_archive=source["CompressionType"] == "Gzip") if source else None


def check_data_exists(container: Mapping[str, Any], host: Host) -> None:
    """Raises RequestRefusedError for an archive that is not there, or that the machine's clients may not see."""
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
