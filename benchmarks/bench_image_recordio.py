# /// script
# requires-python = ">=3.11,<3.12"
# dependencies = ["headrace", "mxnet==1.9.1", "numpy==1.23.5"]
# [tool.uv]
# override-dependencies = ["numpy==1.23.5"]
# [tool.uv.sources]
# headrace = { path = "..", editable = true }
# ///
"""Image RecordIO: ours against MXNet 1.9.1's own reader, which needs numpy 1.23 and so Python 3.11.

Headrace asks for numpy 2, of which its image RecordIO uses nothing; so MXNet's is put in its place.
"""

import random
import tempfile
from pathlib import Path
from typing import Any

from harness import Case, Side, main

IMAGES, LEAST_BYTES, MOST_BYTES = 10_000, 2_000, 30_000

# A folder is removed with its object, at the end of the process.
KEPT: list[tempfile.TemporaryDirectory[str]] = []


def make_file() -> Path:
    from headrace.recordio import ImageRecord, write_images

    folder = tempfile.TemporaryDirectory()
    KEPT.append(folder)
    chance = random.Random(0)
    sizes = (chance.randrange(LEAST_BYTES, MOST_BYTES) for _ in range(IMAGES))
    records = (
        ImageRecord(i, (float(i % 7),), b"\xff\xd8\xff" + chance.randbytes(size)) for i, size in enumerate(sizes)
    )
    write_images(Path(folder.name) / "train.rec", records)
    return Path(folder.name) / "train.rec"


def with_mxnet(path: Path) -> tuple[Path, Any]:
    from mxnet import recordio

    return path, recordio


def shuffled() -> list[int]:
    return random.Random(1).sample(range(IMAGES), IMAGES)


def read_ours(path: Path) -> None:
    from headrace.recordio import ImageFile

    with ImageFile(path) as images:
        assert sum(len(record.image) > LEAST_BYTES for record in images) == IMAGES


def read_mxnet(prepared: tuple[Path, Any]) -> None:
    path, mxnet = prepared
    reader, count = mxnet.MXRecordIO(str(path), "r"), 0
    while (content := reader.read()) is not None:
        _, image = mxnet.unpack(content)
        count += len(image) > LEAST_BYTES
    assert count == IMAGES


def pick_ours(path: Path) -> None:
    from headrace.recordio import ImageFile

    with ImageFile(path) as images:
        assert all(len(images[index].image) > LEAST_BYTES for index in shuffled())


def pick_mxnet(prepared: tuple[Path, Any]) -> None:
    path, mxnet = prepared
    reader = mxnet.MXIndexedRecordIO(str(path.with_suffix(".idx")), str(path), "r")
    assert all(len(mxnet.unpack(reader.read_idx(index))[1]) > LEAST_BYTES for index in shuffled())


CASES = [
    Case(
        name="read 10,000 images (160 MB) in order",
        ours=Side(name="headrace", prepare=make_file, run=read_ours),
        peers=(Side(name="mxnet 1.9.1", prepare=lambda: with_mxnet(make_file()), run=read_mxnet),),
        runs=3,
    ),
    Case(
        name="read 10,000 images (160 MB) in random order",
        ours=Side(name="headrace", prepare=make_file, run=pick_ours),
        peers=(Side(name="mxnet 1.9.1", prepare=lambda: with_mxnet(make_file()), run=pick_mxnet),),
        runs=3,
    ),
]

if __name__ == "__main__":
    main(CASES)
