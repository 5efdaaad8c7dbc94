"""Packed sets are written whole, and any NumPy reads them."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headrace.files import FileError
from headrace.lst import ListRow
from headrace.normalizer.options import Colour, Options
from headrace.packed import PackedError, PackedRecord, PackedSet, pack_list, write_packed
from headrace.recordio.images import RefusedImage

SMALL = Options(width=8, height=8, colour=Colour.RGB)


def make_record(index: int, number: int = 0, shape: tuple[int, ...] = (4, 6, 3)) -> PackedRecord:
    return PackedRecord(index, number, np.random.default_rng(index).integers(0, 256, shape, np.uint8))


def save(path: Path, side: int = 8, form: str = "PNG") -> np.ndarray:
    pixels = np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, form)
    return pixels


def test_writes_arrays_that_numpy_reads(tmp_path: Path) -> None:
    records = [make_record(index, index % 2) for index in (9, 4, 7)]

    layout = write_packed(tmp_path / "set", records, shard_bytes=2 * 4 * 6 * 3)

    first, second = (np.load(tmp_path / "set" / f"pixels-0000{number}.npy", mmap_mode="r") for number in (0, 1))
    assert np.array_equal(first, [records[0].pixels, records[1].pixels])
    assert np.array_equal(second, [records[2].pixels])
    assert np.load(tmp_path / "set/records.npy")["index"].tolist() == [9, 4, 7]
    assert (layout.classes, layout.shape, layout.records) == ((1, 2), (4, 6, 3), 3)


def test_names_sizes_and_digests_of_its_files(tmp_path: Path) -> None:
    write_packed(tmp_path / "set", [make_record(1)])

    content = json.loads((tmp_path / "set/packed.json").read_text())
    for name, described in (("records.npy", content["table"]), ("pixels-00000.npy", content["shards"][0])):
        stored = (tmp_path / "set" / name).read_bytes()
        assert described == {"records": 1, "bytes": len(stored), "sha256": hashlib.sha256(stored).hexdigest()}


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "there are no records to pack"),
        ([make_record(1), make_record(1)], "record 1: two records have this index"),
        ([make_record(1), make_record(2, shape=(4, 4, 3))], r"record 2: pixels of \(4, 4, 3\), and those before it"),
        ([make_record(1, shape=(4, 4, 2))], r"record 1: pixels of \(4, 4, 2\) uint8; expected"),
        ([make_record(1, -1)], "record 1 of class -1: give an index"),
    ],
)
def test_leaves_nothing_of_records_that_cannot_be_packed(
    tmp_path: Path, records: list[PackedRecord], message: str
) -> None:
    with pytest.raises(PackedError, match=message):
        write_packed(tmp_path / "set", records)

    assert list(tmp_path.iterdir()) == []


def test_refuses_a_class_without_a_name(tmp_path: Path) -> None:
    with pytest.raises(PackedError, match="class 2 has no name: there are 2 names"):
        write_packed(tmp_path / "set", [make_record(1, 2)], labels=["a", "b"])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", "\x1b[2J"], "class 1: its name .* has characters that cannot be printed"),
        (["a", "a"], "class 1: its name 'a' occurs twice"),
        (["a", "b" * (32 << 20)], "class 1: its name is beyond 1,048,576 names or 32 MiB of them"),
    ],
    ids=["escape", "twice", "long"],
)
def test_refuses_names_that_could_not_be_read_before_anything_is_decoded(
    tmp_path: Path, labels: list[str], message: str
) -> None:
    decoded: list[int] = []

    def decode() -> Iterator[PackedRecord]:
        decoded.append(1)
        yield make_record(1)

    with pytest.raises(PackedError, match=message):
        write_packed(tmp_path / "set", decode(), labels=labels)

    assert decoded == []


def test_refuses_more_shards_than_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.packed.writing.MOST_SHARDS", 2)

    with pytest.raises(PackedError, match="takes more than 2 pixel files"):
        write_packed(tmp_path / "set", map(make_record, range(3)), shard_bytes=1)


def test_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()

    with pytest.raises(FileError, match="is already there"):
        write_packed(tmp_path / "set", [make_record(1)])


@pytest.mark.parametrize("threads", [1, 3])
def test_packs_a_list_in_its_order_and_keeps_pixels_of_the_right_size(tmp_path: Path, threads: int) -> None:
    pixels = save(tmp_path / "in/b/1.png")
    save(tmp_path / "in/a/1.jpg", 32, "JPEG")
    rows = [ListRow(5, 1, "b/1.png"), ListRow(3, 0, "a/1.jpg")]

    pack_list(rows, tmp_path / "in", tmp_path / "set", options=SMALL, labels=["a", "b"], threads=threads)

    with PackedSet(tmp_path / "set") as packed:
        assert packed.indices.tolist() == [5, 3]
        assert np.array_equal(packed.read(np.array([0]))[0], pixels)
        assert packed.layout.labels == ("a", "b")


def test_packs_grey(tmp_path: Path) -> None:
    save(tmp_path / "in/1.png")
    grey = Options(width=8, height=8, colour=Colour.GREY)

    layout = pack_list([ListRow(0, 0, "1.png")], tmp_path / "in", tmp_path / "set", options=grey)

    assert layout.shape == (8, 8, 1)


def test_names_everything_that_cannot_be_packed(tmp_path: Path) -> None:
    save(tmp_path / "in/good.png")
    cut = (tmp_path / "in/good.png").read_bytes()[:60]
    (tmp_path / "in/cut.png").write_bytes(cut)
    rows = [ListRow(place, 0, name) for place, name in enumerate(("good.png", "cut.png", "../stray.png", "none.png"))]

    with pytest.raises(PackedError) as raised:
        pack_list(rows, tmp_path / "in", tmp_path / "set", options=SMALL)

    first, second, third = str(raised.value).splitlines()
    assert first.startswith(f"{tmp_path}/in/cut.png: ")
    assert second.startswith("../stray.png: ")
    assert third == f"{tmp_path}/in/none.png: No such file or directory"
    assert not (tmp_path / "set").exists()


def test_leaves_out_what_cannot_be_packed_if_asked(tmp_path: Path) -> None:
    save(tmp_path / "in/good.png")
    refused: list[RefusedImage] = []
    rows = [ListRow(0, 0, "none.png"), ListRow(1, 0, "good.png")]

    layout = pack_list(rows, tmp_path / "in", tmp_path / "set", options=SMALL, refused=refused.append)

    assert layout.records == 1
    assert [image.path for image in refused] == [f"{tmp_path}/in/none.png"]
