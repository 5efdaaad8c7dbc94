"""Container images: what each is built from, and the tag that names its content.

All are built by one Dockerfile, each from its folder and from the modules of the repository that the folder's
`modules.txt` lists, one path a line. They come into the container image at the same paths below /opt/program.
"""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from headrace.recipes import ContainerImage

CONTAINERS_DIRECTORY: Final = Path(__file__).resolve().parents[2] / "containers"

DOCKERFILE: Final = "Dockerfile"
REQUIREMENTS_FILE: Final = "requirements.txt"
# One for all container images that need PyTorch.
TORCH_FILE: Final = "requirements-torch.txt"
MODULES_FILE: Final = "modules.txt"
# Where the build context has what becomes /opt/program.
PROGRAM_FOLDER: Final = "program"

# The stages of the Dockerfile that container images end with.
JOB_STAGE: Final = "job"
ENDPOINT_STAGE: Final = "endpoint"


def container_image_tag(container: ContainerImage, containers_directory: Path = CONTAINERS_DIRECTORY) -> str:
    """A tag of 16 hexadecimal digits that changes exactly when what the container image is built from does."""
    digest = hashlib.sha256("\0".join(list_build_facts(container)).encode())
    for relative, path in _list_context(container, containers_directory):
        content = path.read_bytes()
        digest.update(f"{relative}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def list_build_facts(container: ContainerImage) -> list[str]:
    """The options of a build that say which container image it makes."""
    labels = {"title": f"headrace/{container}", "description": container.description}
    return [
        *("--target", ENDPOINT_STAGE if container.is_endpoint else JOB_STAGE),
        *("--build-arg", f"PACKAGE={container.package}"),
        # Not build arguments: the cache of podman does not see that an argument in a label has changed.
        *(part for name, text in labels.items() for part in ("--label", f"org.opencontainers.image.{name}={text}")),
    ]


def stage_context(container: ContainerImage, folder: Path) -> None:
    """Put a container's build context into a folder."""
    _copy(_list_context(container, CONTAINERS_DIRECTORY), folder)


def list_modules(container: ContainerImage, containers_directory: Path = CONTAINERS_DIRECTORY) -> dict[str, Path]:
    """The modules of the repository that a container image carries, by their paths in it."""
    listing = containers_directory / container.folder / MODULES_FILE
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    return {line: containers_directory.parent / line for line in lines}


def list_program(container: ContainerImage, containers_directory: Path = CONTAINERS_DIRECTORY) -> dict[str, Path]:
    """A container's program and the modules that its container image carries, by their paths in it."""
    own = sorted((containers_directory / container.folder).glob("*.py"))
    return {
        **{f"containers/{container.folder}/{path.name}": path for path in own},
        **list_modules(container, containers_directory),
    }


def stage_program(container: ContainerImage, folder: Path) -> None:
    """Put a container's program, and the modules that its container image carries, into a folder as they lie in it."""
    _copy(list_program(container).items(), folder)


def _list_context(container: ContainerImage, containers_directory: Path) -> Iterator[tuple[str, Path]]:
    """The files of a build context: their paths in it, and where they are."""
    yield DOCKERFILE, containers_directory / DOCKERFILE
    yield REQUIREMENTS_FILE, containers_directory / container.folder / REQUIREMENTS_FILE
    if container.needs_torch:
        yield TORCH_FILE, containers_directory / TORCH_FILE
    for relative, path in list_program(container, containers_directory).items():
        yield f"{PROGRAM_FOLDER}/{relative}", path


def _copy(files: Iterable[tuple[str, Path]], folder: Path) -> None:
    for relative, path in files:
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
