"""Detectors of random weights, and jobs over made-up street scenes; none of it needs PyTorch."""

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.detection import contract
from containers.detection.architecture import Architecture, design
from containers.detection.export import dump_detector, export_network
from headrace.channels import RecordWrapper
from headrace.container_images.trial_data import encode_scene, pack_scene
from headrace.recordio import make_pipe, send_objects, write_images
from headrace.workloads import scenes
from tests.containers.job_roots import write_job

CLASSES = len(scenes.CLASSES)
SIDE = 300
HYPERPARAMETERS = {
    "num_classes": str(CLASSES),
    "num_training_samples": "6",
    "epochs": "2",
    "mini_batch_size": "3",
    "optimizer": "adam",
    "learning_rate": "0.002",
}
CHANNELS = ("train", "validation")
COUNT = 6


def draw_weights(architecture: Architecture, seed: int = 7) -> dict[str, NDArray[np.float32]]:
    """Random weights, of a size that keeps the values small."""
    chance = np.random.default_rng(seed)
    shapes = {
        convolution.name: (convolution.outputs, convolution.inputs, convolution.kernel, convolution.kernel)
        for convolution in architecture.list_convolutions()
    } | {"head": (architecture.outputs, architecture.joined.outputs, 1, 1)}
    weights: dict[str, NDArray[np.float32]] = {}
    for name, shape in shapes.items():
        scale = np.sqrt(1 / np.prod(shape[1:]))
        weights[f"{name}.weight"] = (chance.standard_normal(shape) * scale).astype(np.float32)
        weights[f"{name}.bias"] = (chance.standard_normal(shape[0]) * 0.1).astype(np.float32)
    return weights


def write_model(
    root: Path, side: int = 64, spoil: Callable[[dict[str, NDArray[np.float32]]], None] = lambda _weights: None
) -> Path:
    """Put a detector of random weights, spoilt or not, where an endpoint looks for it, and return the root."""
    architecture = design(side, CLASSES)
    weights = draw_weights(architecture)
    spoil(weights)
    content = export_network(architecture, weights).SerializeToString()
    folder = root / "model"
    folder.mkdir(parents=True)
    (folder / contract.MODEL_FILE).write_bytes(content)
    (folder / contract.DETECTOR_FILE).write_text(dump_detector(CLASSES, 0.45, content), encoding="utf-8")
    return root


def list_scenes(count: int = COUNT, seed: int = 1) -> list[tuple[bytes, scenes.Scene]]:
    """Scenes with their photographs as JPEG files."""
    return [(encode_scene(scene), scene) for scene in scenes.draw_scenes(count, seed)]


def describe_boxes(scene: scenes.Scene) -> dict[str, Any]:
    """What a manifest says of a scene's boxes."""
    width, height = scene.photograph.size
    boxes = [
        {"class_id": thing.label, "left": left, "top": top, "width": right - left, "height": bottom - top}
        for thing in scene.things
        for left, top, right, bottom in [thing.corners]
    ]
    return {"image_size": [{"width": width, "height": height, "depth": 3}], "annotations": boxes}


def list_records(listed: Iterable[tuple[bytes, scenes.Scene]]) -> list[bytes]:
    """What an augmented manifest of scenes sends: a photograph and its boxes by turns."""
    return [part for content, scene in listed for part in (content, json.dumps(describe_boxes(scene)).encode())]


def write_streams_job(root: Path, given: dict[str, str], **streams: Sequence[bytes]) -> None:
    """Lay out a job whose channels are streams, and send the records of each once."""
    write_job(root, {**HYPERPARAMETERS, **given}, {})
    described = {"TrainingInputMode": "Pipe", "ContentType": contract.JPEG, "RecordWrapperType": "RecordIO"}
    (root / "input/config/inputdataconfig.json").write_text(json.dumps(dict.fromkeys(streams, described)))
    for channel, records in streams.items():
        pipe = make_pipe(channel, 0, root / "input/data")
        arguments = (pipe, records, RecordWrapper.RECORD_IO)
        threading.Thread(target=send_objects, args=arguments, daemon=True).start()


def write_records_job(root: Path, given: dict[str, str], **listed: Sequence[tuple[bytes, scenes.Scene]]) -> None:
    """Lay out a job over scenes as image RecordIO, as im2rec packs boxes."""
    channels = {}
    for channel, found in listed.items():
        channels[channel] = root / f"{channel}_records"
        channels[channel].mkdir(parents=True)
        write_images(
            channels[channel] / f"{channel}.rec",
            [pack_scene(number, scene) for number, (_, scene) in enumerate(found)],
        )
    write_job(root, {**HYPERPARAMETERS, **given}, channels, content_type=contract.RECORDS)
