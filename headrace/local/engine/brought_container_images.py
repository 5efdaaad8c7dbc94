"""Container images that are not the platform's own, brought to a local cloud under the URIs that requests name.

Each is brought either as a container image that an engine holds, or as a Python interpreter with its packages and,
where a job may name no entrypoint, the program that it runs.

    {"123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1": {"python": "/home/me/venv/bin/python", "program": null}}
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from headrace.container_images.engine import Engine, EngineError
from headrace.files import whole_file
from headrace.local.sagemaker.container_images import RunnableContainerImage
from headrace.local.sagemaker.engine_containers import EngineContainer

_FILE: Final = "brought-images.json"


def bring_python(root: Path, image_uri: str, python: Path, program: Path | None) -> None:
    """Have a container image's jobs run with an interpreter of this machine."""
    entry = {"python": str(python.absolute()), "program": str(program.absolute()) if program else None}
    _write(root, {**_read(root), image_uri: entry})


def bring_engine_image(root: Path, image_uri: str, engine: Engine, name: str) -> None:
    """Have a container image's jobs run as containers, of one that an engine holds.

    Raises:
        EngineError: If it holds none of this name.
    """
    if engine.attempt(["image", "inspect", name]).returncode != 0:
        raise EngineError(f"{engine.name} has no container image {name}: pull or build it first")
    _write(root, {**_read(root), image_uri: {"engine": engine.name.value, "image": name}})


def find_brought(root: Path, image_uri: str, environment: Mapping[str, str]) -> RunnableContainerImage | None:
    """How to run a container image that was brought; None for any other."""
    entry = _read(root).get(image_uri)
    if not entry:
        return None
    if "engine" in entry:
        container = EngineContainer(entry["engine"], entry["image"])
        return RunnableContainerImage(
            entrypoint=(), working_directory=root, environment=environment, container=container
        )
    program = [entry["program"]] if entry["program"] else []
    return RunnableContainerImage(
        entrypoint=(entry["python"], *program),
        working_directory=Path(*program).parent if program else Path("/"),
        environment=environment,
    )


def _read(root: Path) -> dict[str, Any]:
    file = root / _FILE
    entries: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return entries


def _write(root: Path, entries: Mapping[str, Any]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    with whole_file(root / _FILE) as file:
        file.write_text(json.dumps(entries, indent=2), encoding="utf-8")
