"""Builds container images, which carry no time of their own: podman makes the same bytes of the same files and base."""

import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headrace.container_images import (
    CONTAINERS_DIRECTORY,
    DOCKERFILE,
    container_image_tag,
    list_build_facts,
    list_modules,
    stage_context,
)
from headrace.container_images.engine import Engine, EngineName
from headrace.recipes import ContainerImage

# What SageMaker's CPU and GPU instances run.
PLATFORM: Final = "linux/amd64"
UNKNOWN_REVISION: Final = "unknown"

# Where the Dockerfile mounts the two secrets of a build.
_CA_IN_BUILD: Final = "/etc/headrace-ca.pem"
REVISION_LABEL: Final = "org.opencontainers.image.revision"
BASE_LABEL: Final = "org.opencontainers.image.base.name"
_BASE_ARGUMENT: Final = re.compile(r"^ARG BASE_IMAGE=(\S+)$", re.MULTILINE)
_OPTIONS: Final = {
    # SageMaker refuses the index that Docker makes of a container image with a provenance.
    EngineName.DOCKER: ("--provenance=false", "--build-arg", "SOURCE_DATE_EPOCH=0"),
    EngineName.PODMAN: ("--timestamp", "0", "--pull=missing"),
}


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """What a build takes from its surroundings.

    Args:
        base_image: Stands in for the base image that the Dockerfile names.
        ca_bundle: Certificates that pip trusts during the build; they do not become part of the image.
    """

    base_image: str | None = None
    ca_bundle: Path | None = None


def name_image(container: ContainerImage) -> str:
    """What the engine of this machine calls the container image of a container's current files."""
    return f"localhost/headrace/{container}:{container_image_tag(container)}"


def build_container_image(
    engine: Engine, container: ContainerImage, settings: BuildSettings, *, force: bool = False
) -> str:
    """Build a container image unless it exists, and return its name; `force` rebuilds it from scratch.

    Raises:
        EngineError: If it cannot be built.
    """
    name = name_image(container)
    folder = CONTAINERS_DIRECTORY / container.folder
    revision = find_revision([folder, CONTAINERS_DIRECTORY / DOCKERFILE, *list_modules(container).values()])
    base = settings.base_image or read_base_image(CONTAINERS_DIRECTORY / DOCKERFILE)
    if not force and read_labels(engine, name).items() >= {REVISION_LABEL: revision, BASE_LABEL: base}.items():
        return name
    with tempfile.TemporaryDirectory() as scratch:
        pip_configuration = Path(scratch) / "pip.conf"
        pip_configuration.write_text(f"[global]\ncert = {_CA_IN_BUILD}\n", encoding="utf-8")
        context = Path(scratch) / "context"
        stage_context(container, context)
        arguments = list_build_arguments(engine.name, container, settings, revision, pip_configuration)
        arguments.append(str(context))
        if force:
            arguments.insert(1, "--no-cache")
        engine.call(f"building {container}", arguments)
    return name


def read_base_image(dockerfile: Path) -> str:
    """The base image that a Dockerfile names."""
    (base,) = _BASE_ARGUMENT.findall(dockerfile.read_text(encoding="utf-8"))
    return str(base)


def read_labels(engine: Engine, name: str) -> dict[str, str]:
    """The labels of a container image, none if there is no such image."""
    answer = engine.attempt(["image", "inspect", "--format", "{{json .Config.Labels}}", name])
    labels: dict[str, str] | None = json.loads(answer.stdout) if answer.returncode == 0 else None
    return labels or {}


def list_build_arguments(
    engine: EngineName, container: ContainerImage, settings: BuildSettings, revision: str, pip_configuration: Path
) -> list[str]:
    """The command line of a build, all but the context."""
    arguments = ["build", "--platform", PLATFORM, *_OPTIONS[engine], *list_build_facts(container)]
    arguments += ["--label", f"{REVISION_LABEL}={revision}"]
    if settings.base_image:
        arguments += ["--build-arg", f"BASE_IMAGE={settings.base_image}"]
    if settings.ca_bundle:
        arguments += ["--secret", f"id=ca,src={settings.ca_bundle}", "--secret", f"id=pip,src={pip_configuration}"]
    return [*arguments, "--tag", name_image(container)]


def find_revision(sources: Sequence[Path]) -> str:
    """The commit that last changed any of some paths, marked when they have changed since; unknown outside of Git."""
    commit = _ask_git(sources, ["log", "-1", "--format=%H"])
    if not commit:
        return UNKNOWN_REVISION
    return f"{commit}-dirty" if _ask_git(sources, ["status", "--porcelain"]) else commit


def _ask_git(sources: Sequence[Path], arguments: Sequence[str]) -> str:
    try:
        answer = subprocess.run(
            ["git", "-C", str(sources[0]), *arguments, "--", *map(str, sources)],  # noqa: S607 (whichever Git is on PATH)
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
