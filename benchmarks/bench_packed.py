# /// script
# requires-python = ">=3.11"
# dependencies = ["headrace"]
# [tool.uv.sources]
# headrace = { path = "..", editable = true }
# ///
"""Packed sets: one epoch in batches, beside a raw read of the same bytes, and beside decoding normalized JPEGs.

Images per second and core are the number of records over the CPU time.
"""

import io
import tempfile
from pathlib import Path

from harness import Case, Side, main

RECORDS, SIDE, BATCH = 2_000, 256, 256
NORMALIZED = 400

# A folder is removed with its object, at the end of the process.
KEPT: list[tempfile.TemporaryDirectory[str]] = []


def make_set() -> Path:
    import numpy as np

    from headrace.packed import PackedRecord, write_packed

    folder = tempfile.TemporaryDirectory()
    KEPT.append(folder)
    chance = np.random.default_rng(0)
    drawn = [chance.integers(0, 256, (SIDE, SIDE, 3), np.uint8) for _ in range(50)]
    records = (PackedRecord(index, index % 7, drawn[index % len(drawn)]) for index in range(RECORDS))
    write_packed(Path(folder.name) / "set", records)
    return Path(folder.name) / "set"


def read_epoch(folder: Path) -> None:
    from headrace.packed import Epoch, PackedSet, draw_order, read_batches

    with PackedSet(folder) as packed:
        epoch = Epoch(draw_order([shard.records for shard in packed.layout.shards], 0, 0), BATCH)
        assert sum(len(batch.pixels) for batch in read_batches(packed, epoch)) == RECORDS


def read_raw(folder: Path) -> None:
    import numpy as np

    count = 0
    target = np.empty((BATCH, SIDE, SIDE, 3), np.uint8)
    for path in sorted(folder.glob("pixels-*.npy")):
        with path.open("rb", buffering=0) as file:
            file.seek(128)
            while size := file.readinto(target.data.cast("B")):
                count += size
    assert count == RECORDS * SIDE * SIDE * 3


def make_files() -> list[bytes]:
    """Normalized images as the bulk normalizer writes them, of made-up photographs."""
    import numpy as np
    from PIL import Image

    chance = np.random.default_rng(0)
    files = []
    for _ in range(20):
        small = Image.fromarray(chance.integers(0, 256, (16, 16, 3), np.uint8)).resize(
            (SIDE, SIDE), Image.Resampling.BICUBIC
        )
        noise = np.asarray(small).astype(np.int16) + chance.normal(0, 6, (SIDE, SIDE, 1)).astype(np.int16)
        encoded = io.BytesIO()
        Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(encoded, "JPEG", quality=95)
        files.append(encoded.getvalue())
    return files


def decode(files: list[bytes]) -> None:
    import numpy as np
    from PIL import Image

    target = np.empty((BATCH, SIDE, SIDE, 3), np.uint8)
    for place in range(NORMALIZED):
        target[place % BATCH] = Image.open(io.BytesIO(files[place % len(files)])).convert("RGB")


def read_some(folder: Path) -> None:
    import numpy as np

    from headrace.packed import PackedSet

    with PackedSet(folder) as packed:
        places = np.random.default_rng(0).permutation(RECORDS)[:NORMALIZED]
        for begin in range(0, NORMALIZED, BATCH):
            packed.read(places[begin : begin + BATCH])


CASES = [
    Case(
        name=f"an epoch of {RECORDS:,} records (393 MB), checked",
        ours=Side(name="headrace", prepare=make_set, run=read_epoch),
        peers=(Side(name="a raw read of the same bytes", prepare=make_set, run=read_raw),),
        runs=5,
    ),
    Case(
        name=f"{NORMALIZED} records in random order, checked",
        ours=Side(name="headrace, packed", prepare=make_set, run=read_some),
        peers=(Side(name="Pillow, normalized JPEGs in memory", prepare=make_files, run=decode),),
        runs=5,
    ),
]

if __name__ == "__main__":
    main(CASES)
