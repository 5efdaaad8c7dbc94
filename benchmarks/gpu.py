"""What keeps a GPU busy, on a machine with one: prepared beforehand, and done in five minutes.

    python benchmarks/gpu.py --output gpu.json

It needs PyTorch with CUDA and what containers/resnet/requirements.txt asks for, and is started in the checkout. `make
bench` leaves it out. Measured are, eager and compiled,

- the rate at which the device learns from a batch that lies in its memory already,
- the rate, the share of the time that the device waits, and the host's cores that are busy, where it is fed from a
  packed set with the usual augmentations: a random part in another size, mirrored, in other colours;

and how far the loss of fifty steps on the device is from that on a processor. `--tiny` does all of it on little data,
wherever it is, to see that it runs.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from containers.resnet.changing import Augmentation
from containers.resnet.computing import Computing
from containers.resnet.feeding import Fed, Feeder
from containers.resnet.hyperparameters import Hyperparameters, parse_hyperparameters
from containers.resnet.learner import make_learner
from containers.resnet.packed_fitting import Classroom, Conditions
from containers.resnet.packed_saving import Position
from containers.resnet.together import Together
from containers.shared.job.checkpoints import NO_CHECKPOINTS
from containers.shared.networks.graphs import MIDDLE
from headrace.packed import Epoch, PackedRecord, PackedSet, draw_order, write_packed

BUDGET_SECONDS = 300
GOAL_SHARE, GOAL_CORES, GOAL_DIFFERENCE = 0.97, 2.0, 0.05
CLASSES, DISTINCT, CURVE_STEPS = 257, 64, 50
REAL = {"records": 16_384, "stored": 256, "side": 224, "layers": 18, "batch": 512, "epochs": 6}
TINY = {"records": 24, "stored": 40, "side": 32, "layers": 18, "batch": 8, "epochs": 1}
# Small enough for a processor: fifty steps of 32.
CURVE = {"records": 1600, "stored": 64, "side": 28, "layers": 20, "batch": 32, "epochs": 1}
TINY_CURVE = {**CURVE, "records": 40, "batch": 8}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="also write the figures to a file")
    parser.add_argument("--tiny", action="store_true", help="little data, on any machine")
    parser.add_argument("--folder", type=Path, help="where the packed set is made; a fast disk or memory")
    arguments = parser.parse_args()
    if not (arguments.tiny or torch.cuda.is_available()):
        parser.error("there is no GPU that PyTorch knows; --tiny runs without one")
    begin = time.monotonic()
    # Standard output is for the figures, and the log of the program goes elsewhere.
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder, redirect_stdout(sys.stderr):
        figures = measure(Path(folder), is_tiny=arguments.tiny)
    figures["seconds"] = round(time.monotonic() - begin, 1)
    text = json.dumps(figures, indent=1)
    sys.stdout.write(f"{text}\n")
    if arguments.output:
        arguments.output.write_text(f"{text}\n", encoding="utf-8")


def measure(folder: Path, *, is_tiny: bool) -> dict[str, Any]:
    """All figures by their names."""
    begin = time.monotonic()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = device == "cuda"
    figures: dict[str, Any] = {
        "machine": torch.cuda.get_device_name(0) if device == "cuda" else "processor",
        "torch": torch.__version__,
        "cores": os.cpu_count(),
        "loss": compare_losses(folder / "curve", TINY_CURVE if is_tiny else CURVE, device),
    }
    size = TINY if is_tiny else REAL
    make_set(folder / "set", size)
    with PackedSet(folder / "set") as packed:
        for name, is_compiled in (("eager", False), ("compiled", True)):
            # Compiling is what may take long.
            if is_compiled and (device == "cpu" or time.monotonic() - begin > BUDGET_SECONDS / 2):
                figures[name] = None
                continue
            figures[name] = measure_feeding(packed, size, Computing(device, is_compiled))
    return figures


def make_set(folder: Path, size: dict[str, int]) -> None:
    side = size["stored"]
    chance = np.random.default_rng(0)
    drawn = [chance.integers(0, 256, (side, side, 3), np.uint8) for _ in range(DISTINCT)]
    records = (PackedRecord(place, place % CLASSES, drawn[place % DISTINCT]) for place in range(size["records"]))
    write_packed(folder, records)


def make_hyperparameters(size: dict[str, int], **given: str) -> Hyperparameters:
    texts = {
        "num_classes": str(CLASSES),
        "num_training_samples": str(size["records"]),
        "num_layers": str(size["layers"]),
        "image_shape": f"3,{size['side']},{size['side']}",
        "mini_batch_size": str(size["batch"]),
        "learning_rate": "0.01",
        "momentum": "0.9",
        "augmentation_type": "crop_color",
        **given,
    }
    return parse_hyperparameters(texts, of_packed=True)


def make_classroom(packed: PackedSet, size: dict[str, int], computing: Computing, watch: Any = None) -> Classroom:
    hyperparameters = make_hyperparameters(size)
    learner = make_learner(hyperparameters, computing.device)
    learner.network.modules.to(memory_format=computing.memory_format)
    conditions = Conditions(computing, Together(), None, watch or (lambda _step, _loss: None))
    return Classroom(hyperparameters, learner, packed, NO_CHECKPOINTS, conditions)


def measure_feeding(packed: PackedSet, size: dict[str, int], computing: Computing) -> dict[str, Any]:
    """The device alone, and fed."""
    classroom = make_classroom(packed, size, computing)
    alone = measure_alone(classroom, size, computing)
    classroom.learn_epoch(Position(0, 0, 0, 0.0, []))
    cpu = time.process_time()
    paces = [classroom.learn_epoch(Position(number, 0, 0, 0.0, [])) for number in range(1, size["epochs"] + 1)]
    seconds = sum(pace.seconds for pace in paces)
    fed, cores = sum(pace.shown for pace in paces) / seconds, (time.process_time() - cpu) / seconds
    changed = measure_changing(packed, size, computing)
    return {
        "alone_images_per_second": round(alone),
        "fed_images_per_second": round(fed),
        "share": round(fed / alone, 4),
        "waited_share": round(sum(pace.waited_seconds for pace in paces) / seconds, 4),
        "host_cores": round(cores, 2),
        "read_and_changed_alone_images_per_second": round(changed),
        "meets_goals": bool(fed / alone >= GOAL_SHARE and cores <= GOAL_CORES),
    }


def measure_alone(classroom: Classroom, size: dict[str, int], computing: Computing) -> float:
    """Images a second of a batch that lies on the device as bytes, cropped already."""
    shape = (size["batch"], 3, size["side"], size["side"])
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, device=computing.device)
    pixels = pixels.contiguous(memory_format=computing.memory_format)
    classes = torch.randint(0, CLASSES, shape[:1], device=computing.device)
    steps = max(1, size["records"] * size["epochs"] // size["batch"] // 2)
    for count in (min(8, steps), steps):
        synchronize(computing)
        begin = time.monotonic()
        for number in range(count):
            values = pixels.to(computing.pixel_type) / MIDDLE - 1
            classroom.learn_step(Fed(number, values, classes, shape[0]))
        synchronize(computing)
    return steps * shape[0] / (time.monotonic() - begin)


def measure_changing(packed: PackedSet, size: dict[str, int], computing: Computing) -> float:
    """Images a second that are read, brought to the device and changed, where nothing learns from them."""
    feeder = Feeder(packed, computing, size["side"], Augmentation(True, True), size["batch"], 0)
    epoch = Epoch(draw_order([shard.records for shard in packed.layout.shards], 0, 0), size["batch"])
    begin = time.monotonic()
    count = sum(len(fed.classes) for fed in feeder.feed(epoch, 0))
    synchronize(computing)
    return count / (time.monotonic() - begin)


def compare_losses(folder: Path, size: dict[str, int], device: str) -> dict[str, Any]:
    """The loss of fifty steps on the device, beside that on a processor, from the same seed."""
    make_set(folder, size)
    curves = []
    for where in ("cpu", device):
        losses: list[float] = []
        with PackedSet(folder) as packed:
            keep = losses.append
            classroom = make_classroom(packed, size, Computing(where), lambda _, loss, keep=keep: keep(float(loss)))
            classroom.learn_epoch(Position(0, 0, 0, 0.0, []))
        curves.append(np.array(losses[:CURVE_STEPS]) / size["batch"])
    difference = float(np.max(np.abs(curves[0] - curves[1]) / curves[0]))
    return {
        "steps": len(curves[0]),
        "first": round(float(curves[0][0]), 4),
        "last": [round(float(curve[-1]), 4) for curve in curves],
        "largest_relative_difference": round(difference, 5),
        "meets_goal": difference <= GOAL_DIFFERENCE,
    }


def synchronize(computing: Computing) -> None:
    if computing.is_gpu:
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
