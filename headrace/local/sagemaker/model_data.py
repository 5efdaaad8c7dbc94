"""Where the files of a model are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
