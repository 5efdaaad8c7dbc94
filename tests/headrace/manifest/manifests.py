"""Manifests that the tests make."""

import json
from pathlib import Path
from typing import Any


def write(path: Path, *records: dict[str, Any]) -> Path:
    """A manifest of records."""
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    """The records of a manifest."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def make_image(name: str, label: Any = 0, **metadata: Any) -> dict[str, Any]:
    """An image of a class."""
    record = {"source-ref": f"s3://raw/{name}", "class": label}
    return {**record, "class-metadata": metadata} if metadata else record


def make_boxes(*boxes: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """An image of 100 x 50 with boxes of cars."""
    label = {"image_size": [{"width": 100, "height": 50, "depth": 3}], "annotations": list(boxes), **changed}
    metadata = {"class-map": {"0": "car"}, "type": "groundtruth/object-detection"}
    return {"source-ref": "s3://raw/street.jpg", "box": label, "box-metadata": metadata}


def make_box(**changed: Any) -> dict[str, Any]:
    """A box of a car well inside the image."""
    return {"class_id": 0, "left": 10, "top": 10, "width": 20, "height": 20, **changed}
