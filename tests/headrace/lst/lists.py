"""Lists that the tests make, and the real ones beside the checkout."""

from pathlib import Path

import pytest

REAL_MANIFESTS = Path(__file__).resolve().parents[4] / "shared" / "data" / "manifests"

# Two classes of sixty images each.
PATHS = [f"{name}/{number}.jpg" for name in ("ant", "bee") for number in range(60)]


def write(path: Path, *rows: str) -> Path:
    """A list of rows written with spaces for tabs."""
    path.write_text("".join(f"{row.replace(' ', chr(9))}\n" for row in rows), encoding="utf-8")
    return path


def read(path: Path) -> list[str]:
    """The rows of a list, with spaces for tabs."""
    return path.read_text(encoding="utf-8").replace("\t", " ").splitlines()


def find_real(name: str) -> Path:
    """A real file."""
    path = REAL_MANIFESTS / name
    if not path.exists():
        pytest.skip(f"the real file is not at {path}: its licence keeps it out of the project")
    return path
