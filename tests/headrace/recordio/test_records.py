from pathlib import Path

import numpy as np
import pytest

from headrace.recordio import Record, RecordIOError, Tensor, TensorType, read_records, records, write_records

from . import plain

SOURCE = Tensor.pack(np.array([4, 300, -1], np.int32))
TARGET = Tensor.pack(np.array([7], np.int32))
SPARSE = Tensor.pack(np.array([0.5], np.float32), keys=np.array([200]), width=1000)


def test_writes_the_record_that_is_described() -> None:
    sample = "0a 12 0a 06 values 12 08 12 06 0a 04 00 00 80 3f 12 12 0a 06 values 12 08 12 06 0a 04 00 00 00 00"
    one, zero = (Tensor.pack(np.array([number], np.float32)) for number in (1, 0))

    message = records.encode_record(Record({"values": one}, {"values": zero}))

    assert message == bytes.fromhex(sample.replace("values", b"values".hex()))
    assert " ".join((records.__doc__ or "").replace('"', "").split()).endswith(sample)


def test_reads_records_of_several_tensors(tmp_path: Path) -> None:
    written = [
        Record({"source": SOURCE, "target": TARGET}, uid="id", metadata="from a book", configuration="{}"),
        Record({"values": SPARSE}, {"values": TARGET, "weights": SOURCE}),
    ]

    count = write_records(tmp_path / "train.pbr", written)

    assert count == 2
    assert list(read_records(tmp_path / "train.pbr")) == written


def test_unpacks_tensors() -> None:
    assert SOURCE.values.tolist() == [4, 300, -1]
    assert (SPARSE.values.tolist(), SPARSE.keys.tolist(), SPARSE.shape) == ([0.5], [200], (1000,))
    assert (SOURCE.is_sparse, SPARSE.is_sparse) == (False, True)


def test_reads_lists_that_come_number_by_number(tmp_path: Path) -> None:
    unpacked = b"\x0d\0\0\x80\x3f" + b"\x0d\0\0\0\x40"
    path = tmp_path / "train.pbr"
    path.write_bytes(plain.record(plain.field(1, b"values") + plain.field(2, plain.field(2, unpacked))))

    [record] = read_records(path)

    assert record.features["values"].values.tolist() == [1.0, 2.0]


def test_leaves_out_fields_it_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "train.pbr"
    path.write_bytes(plain.frame(plain.field(1, plain.entry("i4", [1])) + plain.field(14, b"new") + b"\x78\1"))

    [record] = read_records(path)

    assert record.features["values"].values.tolist() == [1]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xff\xd8\xff\xe0 JFIF", "a field has the unknown wire type 7"),
        (
            plain.field(1, plain.field(1, b"img") + plain.field(2, plain.field(9, b""))),
            "'img' is not a tensor of float32, ",
        ),
        (
            plain.field(1, plain.field(2, plain.field(2, plain.field(1, b"abc")))),
            "3 bytes of values are not a multiple of ",
        ),
        (plain.field(1, plain.field(2, plain.field(7, plain.field(1, b"\x80")))), "a list ends within a number"),
        (plain.field(3, b"\xff"), "'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_says_which_record_is_no_message(tmp_path: Path, payload: bytes, reason: str) -> None:
    path = tmp_path / "train.pbr"
    path.write_bytes(plain.record(plain.entry("i4", [1])) + plain.frame(payload))

    with pytest.raises(RecordIOError) as raised:
        list(read_records(path))

    prefix = f"{path}, record 1 at byte 28: is not a message of SageMaker's RecordIO-protobuf: "
    assert str(raised.value).startswith(prefix + reason)


def test_takes_whole_numbers_of_32_bits_only() -> None:
    assert Tensor.pack(np.array([2**31 - 1], np.uint64)).type is TensorType.INT32
    with pytest.raises(RecordIOError, match="values have whole numbers beyond 32 bits; give them as float64"):
        Tensor.pack(np.array([2**31]))
