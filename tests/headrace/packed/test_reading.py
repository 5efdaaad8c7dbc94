"""Packed sets are read as they were written, once an epoch, or not at all."""

import hashlib
import json
import os
import resource
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.packed import Epoch, PackedError, PackedRecord, PackedSet, Share, draw_order, read_batches, write_packed
from headrace.packed.layout import HEADER_BYTES, RECORD
from headrace.packed.order import BLOCK_RECORDS, WINDOW_BLOCKS
from headrace.packed.shards import MOST_OPEN
from tests.headrace.packed.test_writing import make_record

SHAPE = (3, 5, 3)
COUNT = 23
RECORD_BYTES = 3 * 5 * 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed") / "set"
    records = [make_record(100 + place, place % 3, SHAPE) for place in range(COUNT)]
    write_packed(folder, records, shard_bytes=7 * RECORD_BYTES)
    return folder


@given(places=st.lists(st.integers(0, COUNT - 1), max_size=40))
def test_reads_any_records_in_any_order(folder: Path, places: list[int]) -> None:
    with PackedSet(folder) as packed:
        pixels = packed.read(np.array(places, np.int64))

    assert all(
        np.array_equal(found, make_record(100 + place, 0, SHAPE).pixels)
        for found, place in zip(pixels, places, strict=True)
    )


@given(
    shards=st.lists(st.integers(1, 300), min_size=1, max_size=6),
    seed=st.integers(0, 2**31),
    epoch=st.integers(0, 9),
    batch=st.integers(1, 70),
    count=st.integers(1, 4),
)
@settings(deadline=None)
def test_gives_each_record_once_an_epoch_among_all_instances(
    shards: list[int], seed: int, epoch: int, batch: int, count: int
) -> None:
    order = draw_order(shards, seed, epoch)
    if len(order) < count:
        with pytest.raises(PackedError, match="too few"):
            Epoch(order, batch, Share(count, 0))
        return

    epochs = [Epoch(order, batch, Share(count, index)) for index in range(count)]

    steps = [[each.step(number) for number in range(len(each))] for each in epochs]
    read = np.concatenate([step.places for own in steps for step in own])
    assert sorted(read.tolist()) == list(range(sum(shards)))
    assert len({len(own) for own in steps}) == 1
    for together in zip(*steps, strict=True):
        assert len({step.total for step in together}) == 1
        assert sum(len(step.places) for step in together) == together[0].total
        assert min(len(step.places) for step in together) >= 1


def test_changes_its_order_with_the_epoch_and_the_seed_alone() -> None:
    orders = {tuple(draw_order([90, 30], seed, epoch)) for seed in (1, 2) for epoch in (0, 1) for _ in range(2)}

    assert len(orders) == 4


def test_reads_within_a_window_only_blocks_that_it_can_read_ahead() -> None:
    places = draw_order([BLOCK_RECORDS * WINDOW_BLOCKS * 4], 3, 0)

    window = places[: BLOCK_RECORDS * WINDOW_BLOCKS]

    assert len(np.unique(window // BLOCK_RECORDS)) == WINDOW_BLOCKS
    assert np.mean(np.diff(window) == 1) < 0.1


@pytest.mark.parametrize("readers", [1, 3])
def test_reads_the_batches_of_an_epoch_in_its_order(folder: Path, readers: int) -> None:
    with PackedSet(folder) as packed:
        epoch = Epoch(draw_order([shard.records for shard in packed.layout.shards], 5, 2), 4)
        batches = list(read_batches(packed, epoch, readers=readers))

        assert [batch.number for batch in batches] == list(range(len(epoch)))
        assert np.concatenate([batch.classes for batch in batches]).tolist() == [place % 3 for place in epoch.order]
        assert np.array_equal(np.concatenate([batch.pixels for batch in batches]), packed.read(epoch.order))


@pytest.mark.parametrize("begin", range(6))
def test_goes_on_at_a_step(folder: Path, begin: int) -> None:
    with PackedSet(folder) as packed:
        epoch = Epoch(draw_order([COUNT], 5, 2), 4)

        whole, rest = (list(read_batches(packed, epoch, begin=first)) for first in (0, begin))

    assert [batch.number for batch in rest] == list(range(begin, 6))
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(whole[begin:], rest, strict=True))


def test_puts_batches_where_they_are_to_be(folder: Path) -> None:
    made: list[np.ndarray] = []

    def allocate(shape: tuple[int, ...]) -> np.ndarray:
        made.append(np.empty(shape, np.uint8))
        return made[-1]

    with PackedSet(folder) as packed:
        batches = list(read_batches(packed, Epoch(np.arange(COUNT), 8), readers=1, allocate=allocate))

    assert all(batch.pixels is array for batch, array in zip(batches, made, strict=True))


def test_asks_ahead_for_neighbours_in_one_piece_and_never_beyond_a_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda _file, begin, size, _advice: asked.append((begin, size)))

    with PackedSet(folder) as packed:
        packed.read_ahead(np.array([8, 5, 6, 7, 20, 21]))

    # Seven records a shard: 5 and 6 end the first, 7 and 8 begin the second, 20 ends the third, 21 begins the last.
    places = [(5, 2), (0, 2), (6, 1), (0, 1)]
    assert asked == [(128 + first * RECORD_BYTES, count * RECORD_BYTES) for first, count in places]


def copy_set(folder: Path, target: Path, change: Callable[[Path], None]) -> Path:
    shutil.copytree(folder, target)
    change(target)
    return target


def overwrite(name: str, place: int, content: bytes = b"\xaa\xbb") -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        stored = bytearray((folder / name).read_bytes())
        stored[place : place + len(content)] = content
        (folder / name).write_bytes(stored)

    return change


def edit(**given: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "packed.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **given}))

    return change


def rewrite_table(column: str, value: int) -> Callable[[Path], None]:
    """Give the first two records a value, in a table that has its digest."""

    def change(folder: Path) -> None:
        path = folder / "records.npy"
        stored = path.read_bytes()
        rows = np.frombuffer(stored, RECORD, offset=HEADER_BYTES).copy()
        rows[column][:2] = value
        path.write_bytes(stored[:HEADER_BYTES] + rows.tobytes())
        table = {"records": COUNT, "bytes": len(stored), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        edit(table=table)(folder)

    return change


def link_out(folder: Path) -> None:
    (folder / "pixels-00000.npy").rename(folder.parent / "elsewhere.npy")
    (folder / "pixels-00000.npy").symlink_to(folder.parent / "elsewhere.npy")


def test_names_the_file_and_the_record_that_is_damaged(folder: Path, tmp_path: Path) -> None:
    damaged = copy_set(folder, tmp_path / "set", overwrite("pixels-00001.npy", 128 + 2 * RECORD_BYTES))

    with PackedSet(damaged) as packed:
        packed.read(np.arange(9))
        with pytest.raises(PackedError, match=r"pixels-00001.npy, record 2 \(index 109\): its pixels do not have"):
            packed.read(np.array([9]))
        with pytest.raises(PackedError, match=r"record 2 \(index 109\)"):
            list(read_batches(packed, Epoch(np.arange(COUNT), 4)))
        with pytest.raises(PackedError, match=r"record 2 \(index 109\)"):
            packed.verify()


def test_names_the_record_at_which_a_file_that_is_open_was_cut(folder: Path, tmp_path: Path) -> None:
    copied = copy_set(folder, tmp_path / "set", lambda _: None)

    with PackedSet(copied) as packed:
        with (copied / "pixels-00000.npy").open("r+b") as file:
            file.truncate(128 + 3 * RECORD_BYTES + 11)
        with pytest.raises(PackedError, match=r"pixels-00000.npy, record 3 \(index 103\): ends after 11 of 45 bytes"):
            packed.read(np.array([3]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "packed.json").unlink(), "packed.json: No such file"),
        (lambda folder: (folder / "packed.json").write_text("{"), "packed.json: is not JSON"),
        (lambda folder: (folder / "packed.json").write_text("[" * 100_000), "packed.json: is not JSON"),
        (edit(format="tfrecord"), "does not say that it is of the format"),
        (edit(version=2), "is of version 2, and this program reads 1"),
        (edit(version=True), "is of version True, and"),
        (edit(version=1.0), r"is of version 1\.0, and"),
        (edit(labels=["\x1b[2J", "b", "c"]), r"labels\[0\]: '\\x1b\[2J' has characters that cannot be printed"),
        (edit(labels=["a", "\ud800", "c"]), r"labels\[1\]: '\\ud800' has characters"),
        (edit(labels=["a", "b", None]), r"labels\[2\]: None is not text"),
        (edit(labels=["a", " ", "c"]), r"labels\[1\]: is blank"),
        (edit(labels=["a", "b", "a"]), r"labels\[2\]: 'a' occurs twice"),
        (edit(table={"records": 2**31, "bytes": 2**35, "sha256": "0" * 64}), r"table.records: found 2147483648, exp"),
        (rewrite_table("class", 2**31 - 1), "records.npy: its classes are not those"),
        (link_out, "pixels-00000.npy: is a link out of the folder"),
        (edit(height=-1), "height: found -1, expected a whole number from 1 to 2,048"),
        (edit(width=True), "width: found True"),
        (edit(height=2**70), "height: found"),
        (edit(colours=2), "colours: found 2, expected 1 or 3"),
        (edit(classes=[COUNT]), "records.npy: its classes are not those"),
        (edit(classes=[1]), "classes: 1 records, and table has 23"),
        (edit(labels=["one"]), "labels: 1 names for 3 classes"),
        (edit(shards=[]), "shards: 0 records, and table has 23"),
        (edit(shards="pixels"), "shards: expected a list"),
        (edit(table={"records": 1}), r"table.sha256: found None"),
        (edit(width=50), r"shards\[0\].bytes: found"),
        (lambda folder: (folder / "records.npy").unlink(), "records.npy: No such file"),
        (overwrite("records.npy", 130), "records.npy: its SHA-256 is not"),
        (overwrite("pixels-00002.npy", 0), "pixels-00002.npy: is not the array"),
        (overwrite("pixels-00002.npy", 20, b"os.system("), "pixels-00002.npy: is not the array"),
        (lambda folder: (folder / "pixels-00001.npy").write_bytes(b""), "pixels-00001.npy: has 0 bytes, not 443"),
        (lambda folder: (folder / "pixels-00003.npy").unlink(), "pixels-00003.npy: No such file"),
    ],
)
def test_refuses_what_is_not_a_whole_set(
    folder: Path, tmp_path: Path, change: Callable[[Path], None], message: str
) -> None:
    with pytest.raises(PackedError, match=message):
        PackedSet(copy_set(folder, tmp_path / "set", change))


@pytest.mark.parametrize(
    "given", [{"version": "x" * 10**6}, {"height": "x" * 10**6}, {"table": ["x"] * 10**6}], ids=list
)
def test_quotes_no_more_than_a_line(folder: Path, tmp_path: Path, given: dict[str, Any]) -> None:
    with pytest.raises(PackedError) as caught:
        PackedSet(copy_set(folder, tmp_path / "set", edit(**given)))

    assert len(str(caught.value)) < len(str(tmp_path)) + 200


def test_hashes_a_table_before_it_takes_memory_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The document's own buffer is not what is measured.
    monkeypatch.setattr("headrace.packed.layout.MOST_SET_BYTES", 1 << 16)
    pixels = np.zeros((1, 1, 1), np.uint8)
    write_packed(tmp_path / "set", (PackedRecord(place, 0, pixels) for place in range(100_000)))
    overwrite("records.npy", 200)(tmp_path / "set")

    tracemalloc.start()
    try:
        with pytest.raises(PackedError, match="its SHA-256 is not"):
            PackedSet(tmp_path / "set")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 100_000 * RECORD.itemsize


def test_refuses_an_index_that_two_records_have(folder: Path, tmp_path: Path) -> None:
    with (
        PackedSet(copy_set(folder, tmp_path / "set", rewrite_table("index", 7))) as packed,
        pytest.raises(PackedError, match=r"records\.npy: more than one record has the index 7"),
    ):
        packed.verify()


def count_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_reads_more_shards_than_a_program_may_open(tmp_path: Path) -> None:
    records = [make_record(place, 0, (1, 1, 1)) for place in range(MOST_OPEN + 100)]
    write_packed(tmp_path / "set", records, shard_bytes=1)
    open_now = count_open()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + MOST_OPEN + 20, limits[1]))
    try:
        with PackedSet(tmp_path / "set") as packed:
            packed.verify()
            batches = list(read_batches(packed, Epoch(np.arange(len(records)), 16), readers=4))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert np.array_equal(np.concatenate([batch.pixels for batch in batches]), [record.pixels for record in records])
    assert count_open() <= open_now


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_fails_with_a_reason_whatever_is_changed(folder: Path, tmp_path_factory: Any, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(path.name for path in folder.iterdir())))
    stored = (folder / name).read_bytes()
    place, content = data.draw(st.integers(0, len(stored) - 1)), data.draw(st.binary(min_size=1, max_size=9))
    changed = copy_set(folder, tmp_path_factory.mktemp("changed") / "set", overwrite(name, place, content))
    if name == "packed.json" or (changed / name).read_bytes() == stored:
        return

    with pytest.raises(PackedError), PackedSet(changed) as packed:
        packed.verify()


def test_checks_digests_beside_records(folder: Path, tmp_path: Path) -> None:
    content = json.loads((folder / "packed.json").read_text())
    content["shards"][1]["sha256"] = "0" * 64

    with (
        PackedSet(copy_set(folder, tmp_path / "set", edit(shards=content["shards"]))) as packed,
        pytest.raises(PackedError, match=r"pixels-00001\.npy: its SHA-256 is"),
    ):
        packed.verify()
