"""Container images: which folder each is built from, and the tag that names its content."""

import hashlib
from pathlib import Path

from millrace.contract import Container

CONTAINERS_DIRECTORY = Path(__file__).resolve().parents[2] / "containers"

# What is in the folder but never in the image.
_NOT_IN_THE_IMAGE = frozenset({"__pycache__", "requirements.in"})


def image_tag(container: Container, containers_directory: Path = CONTAINERS_DIRECTORY) -> str:
    """A tag of 16 hexadecimal digits that changes exactly when a file of the container's build context does."""
    digest = hashlib.sha256()
    context = containers_directory / container
    for path in sorted(context.rglob("*")):
        relative = path.relative_to(context)
        if path.is_file() and _NOT_IN_THE_IMAGE.isdisjoint(relative.parts):
            content = path.read_bytes()
            digest.update(f"{relative.as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:16]
