"""The local cloud's container images: built by a container engine, or without one.

Without an engine, a container's own packages and its program stand for its container image. A "pushed" one is an entry
in a file of the local cloud's root: its URI, and either a copy of its program with the Python environment, or the
engine and its name there. As in a registry, what was pushed stays unchanged while the cloud lives, including the
container images of other environments and of earlier models. ECR lists them too.
"""

import base64
import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import boto3

from headrace.algorithms import find_by_uri
from headrace.container_images import CONTAINERS_DIRECTORY, container_image_tag, stage_program
from headrace.container_images.building import BuildSettings, build_container_image
from headrace.container_images.engine import Engine
from headrace.files import whole_file
from headrace.local.engine.brought_container_images import find_brought
from headrace.local.sagemaker.container_images import ContainerImageNotFoundError, RunnableContainerImage
from headrace.local.sagemaker.engine_containers import EngineContainer
from headrace.recipes import ContainerImage, list_container_images
from headrace.tools import Tool, run_tool
from headrace.torch_packages import require_torch

_IMAGES_FILE = "images.json"
_PROGRAMS_FOLDER = "programs"
_SCRATCH_PREFIX = ".new-"
_LOCK_FILE = ".lock"
# As `headrace.container_images.container_image_tag` makes them; a promotion's copy has a part of the digest besides.
_CONTENT_TAG = re.compile(r"([0-9a-f]{16})(?:-[0-9a-f]{12})?")
# Python itself reads such files, see https://docs.python.org/3/library/site.html.
_ADDED_PACKAGES = "headrace-added.pth"
_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


class Environments:
    """Python environments with exactly a container's pinned packages, made on first use and kept by their hash.

    Args:
        folder: Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, container: ContainerImage) -> Path:
        """Where a container's environment is, or will be."""
        digest = hashlib.sha256(_requirements(container).read_bytes()).hexdigest()[:16]
        return self._folder / f"{container}-{sys.implementation.cache_tag}-{digest}"

    def paths(self) -> dict[ContainerImage, Path]:
        """Where every container's environment is."""
        return {container: self.path(container) for container in list_container_images()}

    def prepare(self, containers: Iterable[ContainerImage]) -> None:
        """Make those of some containers that are missing, side by side.

        Raises:
            ToolError: If packages cannot be installed; with the installer's own words.
            TorchMissingError: If one needs PyTorch, and there is none.
        """
        containers = tuple(containers)
        packages = {container: require_torch(str(container)) for container in containers if container.needs_torch}
        self._install(containers)
        for container, folder in packages.items():
            add_packages(self.path(container), folder)

    def _install(self, containers: Iterable[ContainerImage]) -> None:
        if not self._list_missing(containers):
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / _LOCK_FILE).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Another command may have made them meanwhile.
            self._make(self._list_missing(containers))

    def _list_missing(self, containers: Iterable[ContainerImage]) -> list[ContainerImage]:
        return [container for container in dict.fromkeys(containers) if not self.path(container).exists()]

    def _make(self, missing: Iterable[ContainerImage]) -> None:
        remove_abandoned(self._folder)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=_SCRATCH_PREFIX) as scratch, ExitStack() as stack:
            installations = [
                stack.enter_context(_start_installation(container, Path(scratch) / container.name))
                for container in missing
            ]
            for installation in installations:
                installation.finish()
            for container in missing:
                (Path(scratch) / container.name).rename(self.path(container))


def add_packages(environment: Path, packages: Path) -> None:
    """Have an environment find the packages of a folder, too, after its own."""
    for own in (environment / "lib").glob("python*/site-packages"):
        with whole_file(own / _ADDED_PACKAGES) as file:
            file.write_text(f"{packages}\n", encoding="utf-8")


def remove_abandoned(folder: Path) -> None:
    """Remove what commands that were killed while they installed packages have left half done.

    Args:
        folder: Where packages are installed, by no other command at this time.
    """
    for scratch in folder.glob(f"{_SCRATCH_PREFIX}*"):
        shutil.rmtree(scratch, ignore_errors=True)


def _requirements(container: ContainerImage) -> Path:
    return CONTAINERS_DIRECTORY / container.folder / "requirements.txt"


def _start_installation(container: ContainerImage, environment: Path) -> Tool:
    """Install without bytecode: programs write that of what they import, and all would take most of a minute."""
    uv = [sys.executable, "-m", "uv", "--quiet"]
    # Relocatable, because it gets its place only when it is whole.
    run_tool("uv venv", [*uv, "venv", "--relocatable", "--python", sys.executable, str(environment)])
    options = ["--require-hashes", "--python", str(environment / "bin" / "python")]
    command = [*uv, "pip", "install", *options, "--requirements", str(_requirements(container))]
    return Tool(f"installing the packages of {container}", command)


def push(root: Path, images: Mapping[str, ContainerImage], environments: Mapping[ContainerImage, Path]) -> None:
    """Make container images known to the local cloud under their URIs."""
    entries = {
        uri: {
            "program": str(_stage_program(root, uri, container)),
            "environment": str(environments[container]),
            "arguments": ["-m", container.package],
            **_describe_stand_in(uri),
        }
        for uri, container in images.items()
    }
    _add_entries(root, entries)


def push_built(
    root: Path, images: Mapping[str, ContainerImage], engine: str, names: Mapping[ContainerImage, str]
) -> None:
    """Make container images that an engine holds known to the local cloud, which then runs them as containers."""
    entries = {
        uri: {"engine": engine, "image": names[container], **_describe_stand_in(uri)}
        for uri, container in images.items()
    }
    _add_entries(root, entries)


def _describe_stand_in(uri: str) -> dict[str, str]:
    """What to say of a program of ours that runs in the place of a built-in algorithm."""
    found = find_by_uri(uri)
    if found is None:
        return {}
    algorithm, version = found
    note = f"{algorithm.title} {version} is AWS's algorithm, which the local cloud does not have: ours stands in for it"
    return {"note": note}


def is_in_registry(ecr: Any, image_uri: str) -> bool:
    """Whether ECR, as a client sees it, lists a container image."""
    repository, _, tag = image_uri.partition("/")[2].rpartition(":")
    try:
        ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    except (ecr.exceptions.ImageNotFoundException, ecr.exceptions.RepositoryNotFoundException):
        return False
    return True


def list_in_registry(images: Iterable[str]) -> None:
    """Have ECR, as the AWS clients of this process see it, list container images by their URIs."""
    ecr: Any = boto3.client("ecr")
    for uri in images:
        repository, tag = uri.partition("/")[2].rsplit(":", 1)
        with suppress(ecr.exceptions.ImageTagAlreadyExistsException, ecr.exceptions.ImageAlreadyExistsException):
            ecr.put_image(repositoryName=repository, imageTag=tag, imageManifest=_write_manifest(uri))


def _stage_program(root: Path, uri: str, container: ContainerImage) -> Path:
    """A copy of the program for this container image alone: our tag names its content, AWS's does not."""
    name = f"{container}-{container_image_tag(container)}" if find_by_uri(uri) else uri.rpartition("/")[2]
    folder = root / _PROGRAMS_FOLDER / name.replace(":", "-")
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=_SCRATCH_PREFIX) as scratch:
            stage_program(container, Path(scratch) / container.name)
            (Path(scratch) / container.name).rename(folder)
    return folder


def _write_manifest(uri: str) -> str:
    """A manifest without layers: there is nothing to pull from a local cloud, and its configuration is in it."""
    content = json.dumps({"os": "linux", "architecture": "amd64", "config": {"Labels": {"content": name_content(uri)}}})
    config = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "size": len(content),
        "digest": f"sha256:{hashlib.sha256(content.encode()).hexdigest()}",
        "data": base64.b64encode(content.encode()).decode(),
    }
    return json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST_TYPE, "config": config, "layers": []})


def name_content(uri: str) -> str:
    """What a container image is, whatever repository it is in: the tags of the platform's own name their content."""
    named = _CONTENT_TAG.fullmatch(uri.rpartition(":")[2])
    return named[1] if named else uri


def name_digest(uri: str) -> str:
    """What the local cloud's ECR calls the content of a container image."""
    return f"sha256:{hashlib.sha256(_write_manifest(uri).encode()).hexdigest()}"


def _add_entries(root: Path, entries: Mapping[str, Mapping[str, object]]) -> None:
    with whole_file(root / _IMAGES_FILE) as file:
        file.write_text(json.dumps({**_read_entries(root), **entries}, indent=2))


def _read_entries(root: Path) -> dict[str, dict[str, Any]]:
    file = root / _IMAGES_FILE
    entries: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.exists() else {}
    return entries


class ContainerImageSource(Protocol):
    """Makes the container images known to a local cloud."""

    description: str

    def prepare(self, containers: Iterable[ContainerImage]) -> None:
        """Make what is missing of some container images."""

    def push(self, root: Path, images: Mapping[str, ContainerImage]) -> None:
        """Make the container images known under their URIs."""


class ProcessContainerImages:
    """Container images that are run as processes, each with its own packages.

    Args:
        folder: Where the packages are kept.
    """

    description = "prepare the containers' packages"

    def __init__(self, folder: Path) -> None:
        self._environments = Environments(folder)

    def prepare(self, containers: Iterable[ContainerImage]) -> None:
        """Install the packages of some container images that are missing."""
        self._environments.prepare(containers)

    def push(self, root: Path, images: Mapping[str, ContainerImage]) -> None:
        """Make the container images known under their URIs."""
        push(root, images, self._environments.paths())


class EngineContainerImages:
    """Container images that are built and run by a container engine."""

    description = "build the container images"

    def __init__(self, engine: Engine, settings: BuildSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._names: dict[ContainerImage, str] = {}

    def prepare(self, containers: Iterable[ContainerImage]) -> None:
        """Build the container images that are missing."""
        self._names |= {
            container: build_container_image(self._engine, container, self._settings)
            for container in dict.fromkeys(containers)
            if container not in self._names
        }

    def push(self, root: Path, images: Mapping[str, ContainerImage]) -> None:
        """Make the container images known under their URIs."""
        push_built(root, images, self._engine.name, self._names)


class PushedContainerImages:
    """The registry of a local cloud: what has been pushed to it.

    Args:
        root: The local cloud's folder.
        environment: The environment variables of what is run.
        is_listed: Whether ECR lists a container image, by its URI.
    """

    def __init__(
        self, root: Path, environment: Mapping[str, str], is_listed: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._root = root
        self._environment = dict(environment)
        self._is_listed = is_listed

    def empty(self) -> None:
        """Forget what was pushed to an earlier cloud of the same root."""
        (self._root / _IMAGES_FILE).unlink(missing_ok=True)
        shutil.rmtree(self._root / _PROGRAMS_FOLDER, ignore_errors=True)

    def resolve(self, image_uri: str) -> RunnableContainerImage:
        """How to run an image.

        Raises:
            ContainerImageNotFoundError: If it has been neither pushed nor brought.
        """
        entries = _read_entries(self._root)
        entry = entries.get(image_uri) or self._find_copied(image_uri, entries)
        if entry is None:
            return self._find_brought(image_uri)
        if "engine" in entry:
            return RunnableContainerImage(
                entrypoint=(),
                working_directory=CONTAINERS_DIRECTORY,
                environment=self._environment,
                container=EngineContainer(entry["engine"], entry["image"]),
                digest=name_digest(image_uri),
                note=entry.get("note", ""),
            )
        program = entry["program"]
        python = Path(entry["environment"]) / "bin" / "python"
        return RunnableContainerImage(
            entrypoint=(str(python), *entry["arguments"]),
            working_directory=Path(program),
            environment={**_system_environment(python), "PYTHONPATH": program, **self._environment},
            digest=name_digest(image_uri),
            note=entry.get("note", ""),
        )

    def _find_copied(self, image_uri: str, entries: Mapping[str, dict[str, Any]]) -> dict[str, Any] | None:
        """What was pushed to one repository and copied to another."""
        content = name_content(image_uri)
        entry = next((entry for uri, entry in entries.items() if name_content(uri) == content), None)
        return entry if entry and self._is_listed(image_uri) else None

    def _find_brought(self, image_uri: str) -> RunnableContainerImage:
        image = find_brought(self._root, image_uri, self._environment)
        if not image:
            raise ContainerImageNotFoundError(image_uri)
        image = replace(image, digest=name_digest(image_uri))
        if image.container:
            return image
        surroundings = _system_environment(Path(image.entrypoint[0]))
        # Its packages and its program are the user's own folders.
        return replace(image, environment={**surroundings, "PYTHONDONTWRITEBYTECODE": "1", **self._environment})


def _system_environment(python: Path) -> dict[str, str]:
    """What a process needs of this machine; everything else of the caller's environment stays outside.

    The scripts beside the container image's interpreter come first in PATH: a shell then finds its `python3`.
    """
    kept = ("LANG", "LC_ALL", "TMPDIR", "HOME")
    paths = (str(python.parent), os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent))
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
    }
