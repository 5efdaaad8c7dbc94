from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.recordio import RecordIOError, Rows, SparseRows, framing, read_batches, read_rows, reading, write_rows
from headrace.recordio.sparse import read_sparse_block
from tests.conftest import REAL_DATA

from . import plain, tables

FLOATS = plain.record(plain.entry("f4", [1, 2]), plain.entry("f4", [0]))
SPARSE = plain.record(plain.entry("f4", [1], [1], 3), plain.entry("f4", [0]))
REAL_FILES = sorted((REAL_DATA / "recordio" / "protobuf").glob("*"))


def refuse(content: bytes) -> str:
    with pytest.raises(RecordIOError) as raised:
        read_rows(BytesIO(content))
    return str(raised.value)


@given(st.one_of(tables.dense_tables(), tables.sparse_tables()))
def test_reads_what_the_plain_way_writes(rows: Rows) -> None:
    tables.assert_same(read_rows(BytesIO(tables.encode_plainly(rows))), rows)


@given(tables.sparse_tables())
def test_reads_sparse_rows_of_several_batches(rows: Rows) -> None:
    encoded = tables.encode_plainly(rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "MOST_ROWS", 2)

        tables.assert_same(read_rows(BytesIO(encoded)), rows)


def read_or_refuse(content: bytes) -> Rows | str:
    try:
        return read_rows(BytesIO(content))
    except RecordIOError as error:
        return str(error)


@given(tables.sparse_tables(), st.data())
def test_reads_and_refuses_sparse_rows_at_once_as_one_by_one(rows: Rows, data: Any) -> None:
    content = bytearray(tables.encode_plainly(rows))
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    at_once = read_or_refuse(bytes(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "read_sparse_block", lambda *_: None)
        one_by_one = read_or_refuse(bytes(content))

    if isinstance(at_once, str) or isinstance(one_by_one, str):
        assert at_once == one_by_one
    else:
        tables.assert_same(at_once, one_by_one)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_reads_usual_sparse_rows_at_once(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "assemble", None)
    label = plain.entry("f4", [2])

    rows = read_rows(
        BytesIO(
            plain.record(plain.entry(kind, [1, 3], [5, 200], 300), label)
            + plain.record(plain.entry(kind, [], [], 300), label)
            + plain.record(plain.entry(kind, [7], [0], 300), label)
        )
    )

    assert isinstance(rows.features, SparseRows)
    assert rows.features.data.tolist() == [1, 3, 7]
    assert rows.features.indices.tolist() == [5, 200, 0]
    assert rows.features.indptr.tolist() == [0, 2, 2, 3]


def test_does_not_read_many_bytes_again_for_each_record_with_the_magic_number_in_it() -> None:
    # Not split, as some writers leave it.
    stray = plain.record(plain.entry("f4", [np.frombuffer(framing.MAGIC, "<f4")[0]] * 9, list(range(9)), 9))
    assert framing.MAGIC in stray[4:]

    assert read_sparse_block(stray * 100, 1000) is None
    assert len(read_rows(BytesIO(stray * 100))) == 100


def test_reads_many_rows_in_batches_of_bounded_size() -> None:
    file = BytesIO()
    features = np.arange(1_000_000, dtype=np.float32).reshape(100_000, 10)
    write_rows(file, features, features[:, 0])

    batches = list(read_batches(BytesIO(file.getvalue())))

    assert max(len(batch) for batch in batches) < 30_000
    assert np.array_equal(np.concatenate([batch.features for batch in batches]), features)


def test_reads_rows_however_their_messages_are_put_together() -> None:
    features, label = plain.entry("f4", [3, 4]), plain.entry("f4", [5])
    label_first = plain.frame(plain.field(2, label) + plain.field(1, features))
    named = plain.frame(plain.field(1, features) + plain.field(2, label) + plain.field(3, b"id"))

    rows = read_rows(BytesIO(FLOATS * 2 + label_first + FLOATS + named + FLOATS))

    assert isinstance(rows.features, np.ndarray)
    assert rows.features.tolist() == [[1, 2], [1, 2], [3, 4], [1, 2], [3, 4], [1, 2]]
    assert rows.labels is not None
    assert rows.labels.tolist() == [0, 0, 5, 0, 5, 0]


def test_reads_records_that_were_split() -> None:
    magic = np.frombuffer(framing.MAGIC * 3, "<f4")
    whole = plain.record(plain.entry("f4", magic.tolist()))
    split = framing.frame_record(whole[8 : 8 + int.from_bytes(whole[4:8], "little")])
    aligned = framing.frame_record(plain.field(3, b"x") + whole[8 : 8 + int.from_bytes(whole[4:8], "little")])

    rows = read_rows(BytesIO(whole + split + aligned + whole))

    assert isinstance(rows.features, np.ndarray)
    assert rows.features.tobytes() == magic.tobytes() * 4


@pytest.mark.parametrize("count", [1, 5000])
@pytest.mark.parametrize("labels", [np.float64, None])
def test_reads_a_file_of_one_layout(tmp_path: Path, count: int, labels: Any) -> None:
    features = np.arange(count * 200, dtype=np.float32).reshape(count, 200)
    rows = Rows(features, None if labels is None else np.arange(count, dtype=labels))
    write_rows(tmp_path / "train.pbr", rows.features, rows.labels)

    tables.assert_same(read_rows(tmp_path / "train.pbr"), rows)


def test_reads_a_file_with_a_record_of_another_layout_and_the_same_length(tmp_path: Path) -> None:
    features, label = plain.entry("f4", [3, 4]), plain.entry("f4", [5])
    path = tmp_path / "train.pbr"
    path.write_bytes(FLOATS * 3 + plain.frame(plain.field(2, label) + plain.field(1, features)))

    rows = read_rows(path)

    assert isinstance(rows.features, np.ndarray)
    assert rows.features.tolist() == [[1, 2], [1, 2], [1, 2], [3, 4]]


def test_finds_damage_in_a_file_of_one_layout(tmp_path: Path) -> None:
    path = tmp_path / "train.pbr"
    damaged = bytearray(FLOATS * 10_000)
    damaged[len(FLOATS) * 9_000 + 9] ^= 1
    path.write_bytes(damaged)

    with pytest.raises(
        RecordIOError, match=r"train\.pbr, record 9000 at byte 468,000: is not a message of SageMaker's"
    ):
        read_rows(path)


def test_reads_a_dense_row_that_has_a_shape() -> None:
    rows = read_rows(BytesIO(plain.record(plain.entry("f4", [1, 2], (), 2))))

    assert isinstance(rows.features, np.ndarray)
    assert rows.features.tolist() == [[1, 2]]


@given(st.data())
def test_refuses_every_cut_but_those_between_records(data: Any) -> None:
    size = data.draw(st.integers(1, len(FLOATS) * 3 - 1).filter(lambda size: size % len(FLOATS)))

    message = refuse((FLOATS * 3)[:size])

    number = size // len(FLOATS)
    assert message.startswith(f"record {number} at byte {number * len(FLOATS)}: ")
    assert "the file is cut short" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the stream: has no records"),
        (b"1,2,3,4\n", "record 0 at byte 0: starts with 31 2c 32 2c, not with RecordIO's 0a 23 d7 ce"),
        (FLOATS + FLOATS[:-4] + b"zz", "record 1 at byte 52: has 42 of its 44 bytes"),
        (FLOATS + b"\0" + FLOATS[1:], "record 1 at byte 52: starts with 00 23 d7 ce, not with RecordIO's 0a 23 d7 ce"),
        (
            FLOATS * 2 + plain.record(plain.entry("f4", [1, 2, 3]), plain.entry("f4", [0])),
            "record 2 at byte 104: switches to dense float32 rows of width 3 with float32 labels after dense "
            "float32 rows of width 2 with float32 labels; a table has rows of one kind, width and type",
        ),
        (
            FLOATS + plain.record(plain.entry("f4", [1, 2])),
            "record 1 at byte 52: switches to dense float32 rows of width 2",
        ),
        (
            SPARSE + plain.record(plain.entry("f4", [1, 2]), plain.entry("f4", [0])),
            "record 1 at byte 56: is dense float32 with float32 label after sparse float32 with float32 label; a table",
        ),
        (
            plain.record(plain.entry("i4", [1, 2])) + plain.record(plain.entry("i4", [1])),
            "record 1 at byte 28: has 1 features where the first has 2",
        ),
        (plain.record(plain.entry("i4", [])), "record 0 at byte 0: has 0 features"),
        (
            SPARSE + plain.record(plain.entry("f4", [1], [1], 4), plain.entry("f4", [0])),
            "record 1 at byte 56: has the width 4 where the first has 3",
        ),
        (plain.record(plain.entry("f4", [1], [3], 3)), "record 0 at byte 0: key 3 is beyond the width 3"),
        (plain.record(plain.entry("f4", [1, 2], [2, 2], 3)), "record 0 at byte 0: key 2 occurs twice"),
        (plain.record(plain.entry("f4", [1], [1, 2], 3)), "record 0 at byte 0: has 2 keys for 1 values"),
        (
            plain.record(plain.entry("f4", [1], [1])),
            "record 0 at byte 0: is sparse with 0 numbers as shape, not with its",
        ),
        (
            plain.record(plain.entry("f4", [1]), plain.entry("f4", [1, 2])),
            "record 0 at byte 0: has 2 labels; read such records with read_records",
        ),
        (
            plain.frame(plain.field(1, plain.entry("i4", [1]).replace(b"values", b"source"))),
            "record 0 at byte 0: holds 'source' instead of features and a label called 'values'; read such",
        ),
        (plain.frame(b""), "record 0 at byte 0: holds nothing instead of features"),
        (plain.frame(b"\xff\xd8\xff\xe0"), "record 0 at byte 0: is not a message of SageMaker's RecordIO-protobuf: "),
        (
            plain.record(
                plain.field(1, b"values") + plain.field(2, plain.field(7, plain.field(1, b"\xff" * 10 + b"\1")))
            ),
            "record 0 at byte 0: is not a message of SageMaker's RecordIO-protobuf: a number has more than 64 bits",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_says_which_record_is_wrong_and_why(content: bytes, message: str) -> None:
    assert refuse(content).startswith(message)


def test_tells_the_file_of_a_wrong_record(tmp_path: Path) -> None:
    path = tmp_path / "train.pbr"
    path.write_bytes(FLOATS[:-1])

    with pytest.raises(RecordIOError) as raised:
        read_rows(path)

    assert str(raised.value).startswith(f"{path}, record 0 at byte 0: has 43 of its 44 bytes; ")


def test_tells_that_a_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(RecordIOError, match=r"train\.pbr: No such file or directory$"):
        read_rows(tmp_path / "train.pbr")


@pytest.mark.parametrize("path", REAL_FILES or [None], ids=lambda path: path and path.name)
def test_writes_real_files_back_byte_for_byte(path: Path | None) -> None:
    if path is None:
        pytest.skip(f"the real RecordIO files are not at {REAL_DATA}: their licences keep them out of the project")
    rows, file = read_rows(path), BytesIO()

    write_rows(file, rows.features, rows.labels)

    assert file.getvalue() == path.read_bytes()
    assert isinstance(rows.features, SparseRows) == ("sparse" in path.name)
