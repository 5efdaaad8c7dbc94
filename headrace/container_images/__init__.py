"""ContainerImage images: what each is built from, and the tag that names its content.

An image is built from its container's folder, and from the modules of the repository that the folder's `modules.txt`
lists, one path a line. They come into the image at the same paths below /opt/program.
"""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from headrace.checkout import CHECKOUT
from headrace.recipes import ContainerImage

CONTAINERS_DIRECTORY: Final = CHECKOUT / "containers"

MODULES_FILE: Final = "modules.txt"
# Where the build context has the listed modules.
MODULES_FOLDER: Final = "modules"

# What is in the folder but never in the image.
_NOT_IN_THE_IMAGE: Final = frozenset({"__pycache__", "requirements.in", MODULES_FILE})


def image_tag(container: ContainerImage, containers_directory: Path = CONTAINERS_DIRECTORY) -> str:
    """A tag of 16 hexadecimal digits that changes exactly when a file of the container's build context does."""
    digest = hashlib.sha256()
    for relative, path in _list_context(container, containers_directory):
        content = path.read_bytes()
        digest.update(f"{relative}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def stage_context(container: ContainerImage, folder: Path) -> None:
    """Put a container's build context into a folder."""
    _copy(_list_context(container, CONTAINERS_DIRECTORY), folder)


def list_modules(container: ContainerImage, containers_directory: Path = CONTAINERS_DIRECTORY) -> dict[str, Path]:
    """The modules of the repository that an image carries, by their paths in it."""
    listing = containers_directory / container.folder / MODULES_FILE
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    return {line: containers_directory.parent / line for line in lines}


def stage_modules(container: ContainerImage, folder: Path) -> None:
    """Put the modules that an image carries into a folder, as they lie in the image."""
    _copy(list_modules(container).items(), folder)


def stage_program(container: ContainerImage, folder: Path) -> None:
    """Put a container's program, and the modules that its image carries, into a folder as they lie in the image."""
    program = sorted((CONTAINERS_DIRECTORY / container.folder).glob("*.py"))
    _copy([(f"containers/{container.folder}/{path.name}", path) for path in program], folder)
    stage_modules(container, folder)


def _list_context(container: ContainerImage, containers_directory: Path) -> Iterator[tuple[str, Path]]:
    """The files of a build context: their paths in it, and where they are."""
    own = containers_directory / container.folder
    for path in sorted(own.rglob("*")):
        relative = path.relative_to(own)
        if path.is_file() and _NOT_IN_THE_IMAGE.isdisjoint(relative.parts):
            yield relative.as_posix(), path
    for module, path in list_modules(container, containers_directory).items():
        yield f"{MODULES_FOLDER}/{module}", path


def _copy(files: Iterable[tuple[str, Path]], folder: Path) -> None:
    for relative, path in files:
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
