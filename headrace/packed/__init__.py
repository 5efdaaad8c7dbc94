"""Packed sets: normalized images as arrays of pixels that keep a GPU busy."""

from headrace.packed.layout import ArrayFile, Layout, PackedError, read_layout
from headrace.packed.order import Epoch, Share, Step, draw_order
from headrace.packed.reading import Batch, PackedSet, read_batches
from headrace.packed.writing import PackedRecord, pack_list, write_packed

__all__ = [
    "ArrayFile",
    "Batch",
    "Epoch",
    "Layout",
    "PackedError",
    "PackedRecord",
    "PackedSet",
    "Share",
    "Step",
    "draw_order",
    "pack_list",
    "read_batches",
    "read_layout",
    "write_packed",
]
