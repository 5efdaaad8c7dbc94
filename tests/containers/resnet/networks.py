"""Networks of random weights, and jobs over made-up photographs; none of it needs PyTorch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from containers.resnet import contract
from containers.resnet.architecture import Architecture, design
from containers.resnet.export import dump_classes, export_network
from headrace import lst
from headrace.normalizer.options import Colour, Options
from headrace.packed import pack_list
from headrace.recordio import load_images, write_images
from headrace.workloads import photographs
from tests.containers.job_roots import write_job

CLASSES = 3
SIDE = 16
PACKED_SIDE = 24
HYPERPARAMETERS = {
    "num_classes": str(CLASSES),
    "num_training_samples": "18",
    "num_layers": "20",
    "image_shape": f"3,{SIDE},{SIDE}",
    "epochs": "2",
    "mini_batch_size": "6",
    "learning_rate": "0.01",
}


def draw_weights(architecture: Architecture, seed: int = 7) -> dict[str, NDArray[np.float32]]:
    """Random weights, of a size that keeps the values small."""
    chance = np.random.default_rng(seed)
    shapes = {
        convolution.name: (convolution.outputs, convolution.inputs, convolution.kernel, convolution.kernel)
        for convolution in architecture.list_convolutions()
    } | {"head": (architecture.classes, architecture.width)}
    weights: dict[str, NDArray[np.float32]] = {}
    for name, shape in shapes.items():
        scale = np.sqrt(1 / np.prod(shape[1:]))
        weights[f"{name}.weight"] = (chance.standard_normal(shape) * scale).astype(np.float32)
        weights[f"{name}.bias"] = (chance.standard_normal(shape[0]) * 0.1).astype(np.float32)
    return weights


def write_model(root: Path, labels: tuple[str, ...] = ("ball", "cross", "gear")) -> Path:
    """Put a network of random weights where an endpoint looks for it, and return the root."""
    architecture = design(20, SIDE, len(labels))
    content = export_network(architecture, draw_weights(architecture)).SerializeToString()
    folder = root / "model"
    folder.mkdir(parents=True)
    (folder / contract.MODEL_FILE).write_bytes(content)
    (folder / contract.CLASSES_FILE).write_text(dump_classes(labels, content), encoding="utf-8")
    return root


def write_photographs_job(root: Path, **given: str) -> Mapping[str, Path]:
    """Lay out a job over lists and photographs, and return its channels."""
    folder = root / "photographs"
    photographs.make_photographs(folder, classes=CLASSES, per_class=8)
    classes, train, validation = lst.make_lists(folder)
    channels = {"train": folder, "validation": folder}
    for name, rows in (("train_lst", train), ("validation_lst", validation)):
        channels[name] = root / name
        lst.write_lst(channels[name] / f"{name}.lst", rows)
    (channels["train_lst"] / "classes.txt").write_text("".join(f"{label}\n" for label in classes))
    write_job(root, {**HYPERPARAMETERS, **given}, channels, content_type=contract.IMAGE)
    return channels


def write_records_job(root: Path, **given: str) -> None:
    """Lay out a job over the same photographs as image RecordIO."""
    folder = root / "photographs"
    photographs.make_photographs(folder, classes=CLASSES, per_class=8)
    _, train, validation = lst.make_lists(folder)
    channels = {}
    for name, rows in (("train", train), ("validation", validation)):
        channels[name] = root / f"{name}_records"
        channels[name].mkdir()
        write_images(channels[name] / f"{name}.rec", load_images(rows, folder))
    write_job(root, {**HYPERPARAMETERS, **given}, channels, content_type=contract.RECORDS)


def write_packed_job(root: Path, /, *hosts: str, **given: str) -> None:
    """Lay out a job over the same photographs as packed sets."""
    folder = root / "photographs"
    photographs.make_photographs(folder, classes=CLASSES, per_class=8)
    classes, train, validation = lst.make_lists(folder)
    options = Options(width=PACKED_SIDE, height=PACKED_SIDE, colour=Colour.RGB)
    channels = {"train": root / "train_packed", "validation": root / "validation_packed"}
    for rows, target in zip((train, validation), channels.values(), strict=True):
        pack_list(rows, folder, target, options=options, labels=classes)
    write_job(root, {**HYPERPARAMETERS, **given}, channels, hosts or ("algo-1",), content_type=contract.PACKED)
