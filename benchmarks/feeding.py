"""What keeps a GPU busy and what an epoch costs, computed from documented throughput, dated prices and measured rates.

    python benchmarks/feeding.py

prints the tables of docs/packed.md. Nothing here is measured: the rates of a GPU are those of 28 November 2026, of one
H200 with 16 cores, ResNet-18 at 224 x 224, in docs/packed.md, too.
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

from headrace.channels import prices, throughput
from headrace.inventory.prices import usual_prices

MILLION = 1_000_000
SIDE = 256
RECORD_BYTES = SIDE * SIDE * 3
# The mean of the normalized images that were measured, quality 95: a sixth of a record.
JPEG_BYTES = RECORD_BYTES // 6
# Images a second of 28 November 2026.
GPU_EAGER = 13_490
FED = {
    "2-megapixel originals, decoded in each epoch": (1_378, 1_378),
    "normalized JPEGs, decoded in each epoch": (8_059, 8_059),
    "a packed set": (13_548, 18_755),
}
ORIGINALS, PACKED = "2-megapixel originals, decoded in each epoch", "a packed set"
# CPU time of a photograph of 2 megapixels, docs/benchmarks.md, and the request of a door.
NORMALIZING_SECONDS, REQUEST_SECONDS, DOOR_DOLLARS_PER_MILLION = 0.0037, 0.0048, 0.29
# A new account may run so many functions at once.
DOOR_FUNCTIONS = 10
# Measured, a core of one machine with the files in memory; two threads read.
READ_PER_CORE, READERS = 14_500, 2
PACKING_INSTANCE, PACKING_CORES = "ml.m5.xlarge", 4
HOUR = 3600
# An hour of the machine, a round number: the price of none with an H200 is in the list.
HOUR_DOLLARS = 10.0


class Way(NamedTuple):
    """A way from the set to the training program: images a second, and dollars for a million of them and a month."""

    name: str
    images_per_second: float
    epoch_dollars: float
    month_dollars: float
    note: str


def list_ways() -> Iterator[Way]:
    """The channels of a training job, for an epoch of a million records."""
    gib = MILLION * RECORD_BYTES / throughput.GIB
    shards = MILLION * RECORD_BYTES / 2**30
    s3_month = gib * prices.S3_GB_MONTH
    requests = shards * prices.S3_GET
    volume = throughput.VOLUME_BYTES_PER_SECOND / RECORD_BYTES
    copying = MILLION * RECORD_BYTES / throughput.S3_BYTES_PER_SECOND / 60
    copied = f"copied first, in {copying:.0f} minutes: ${copying / 60 * HOUR_DOLLARS:.2f} of the machine, once"
    yield Way("S3, File", volume, requests, s3_month, copied)
    kept = READ_PER_CORE * READERS
    yield Way("S3, File, kept in memory", kept, requests, s3_month, f"the same; needs {gib:.0f} GiB of memory")
    streamed = throughput.S3_BYTES_PER_SECOND / RECORD_BYTES
    yield Way("S3, FastFile", streamed, MILLION / 64 * prices.S3_GET, s3_month, "a request for each block of 64")
    for capacity in (throughput.FSX_LEAST_GIB, find_lustre_gib()):
        fsx = read_lustre(capacity) / RECORD_BYTES
        month = s3_month + capacity * prices.FSX_GB_MONTH
        yield Way("FSx for Lustre", fsx, 0, month, f"SCRATCH_2 of {capacity:,} GiB")
    efs = throughput.EFS_BYTES_PER_SECOND / RECORD_BYTES
    yield Way("EFS", efs, gib * prices.EFS_GB_READ, gib * prices.EFS_GB_MONTH, "Elastic throughput")
    door = DOOR_FUNCTIONS / (throughput.S3_REQUEST_SECONDS + REQUEST_SECONDS)
    yield Way("function URL", door, DOOR_DOLLARS_PER_MILLION, 0, f"{DOOR_FUNCTIONS} functions; JPEGs, not packed")


def read_lustre(capacity_gib: int) -> float:
    """Bytes a second of a file system."""
    return capacity_gib / 1024 * throughput.FSX_BYTES_PER_SECOND_PER_TIB


def find_lustre_gib() -> int:
    """The smallest file system that keeps the GPU busy."""
    capacity = throughput.FSX_STEP_GIB
    while read_lustre(capacity) < GPU_EAGER * RECORD_BYTES:
        capacity += throughput.FSX_STEP_GIB
    return capacity


def render_ways() -> str:
    """The table of the channels."""
    lines = [
        "| channel | images a second | an H200 is busy | reading an epoch | a month | |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {way.name} | {way.images_per_second:,.0f} | {min(1, way.images_per_second / GPU_EAGER):.0%} | "
        f"${way.epoch_dollars:.2f} | ${way.month_dollars:,.2f} | {way.note} |"
        for way in list_ways()
    ]
    return "\n".join(lines)


def find_epoch_dollars(images_per_second: float) -> float:
    """What the machine costs for a million images."""
    return MILLION / images_per_second / HOUR * HOUR_DOLLARS


def find_packing_dollars() -> float:
    """What it costs to normalize and pack a million photographs of 2 megapixels."""
    seconds = MILLION * NORMALIZING_SECONDS / PACKING_CORES
    return seconds / HOUR * usual_prices().each(f"instance:{PACKING_INSTANCE}")


def render_epochs() -> str:
    """The table of what an epoch costs."""
    head = ("fed from", "eager", "compiled", "an epoch, eager", "compiled", "of the originals'")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    whole = find_epoch_dollars(FED[ORIGINALS][0])
    for name, (eager, compiled) in FED.items():
        dollars = [find_epoch_dollars(rate) for rate in (eager, compiled)]
        lines.append(
            f"| {name} | {eager:,}/s | {compiled:,}/s | ${dollars[0]:.3f} | ${dollars[1]:.3f} | "
            f"1/{whole / dollars[0]:.1f}, 1/{whole / dollars[1]:.1f} |"
        )
    return "\n".join(lines)


def find_share(epochs: int, images_per_second: float) -> float:
    """What so many epochs of a packed set cost with packing it, over what they cost from the originals."""
    packed = find_packing_dollars() + epochs * find_epoch_dollars(images_per_second)
    return packed / (epochs * find_epoch_dollars(FED[ORIGINALS][0]))


def render_sentence() -> str:
    """What packing adds."""
    eager, compiled = (find_share(3, rate) for rate in FED[PACKED])
    return (
        f"Normalizing and packing a million photographs of 2 megapixels takes {MILLION * NORMALIZING_SECONDS:,.0f} "
        f"seconds of a core, ${find_packing_dollars():.2f} on an {PACKING_INSTANCE}. With it, three epochs cost "
        f"1/{1 / eager:.1f} of what they cost from the originals, compiled 1/{1 / compiled:.1f}."
    )


if __name__ == "__main__":
    sys.stdout.write(f"{render_ways()}\n\n{render_epochs()}\n\n{render_sentence()}\n")
