from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.files import FileError
from headrace.lst import MultiLabelRow, make_lists, read_any_lst
from headrace.normalizer.formats import JPEG_SIGNATURE as JPEG
from headrace.normalizer.formats import PNG_SIGNATURE as PNG
from headrace.recordio import ImageFile, ImageRecord, RecordIOError, load_images, unpack_images, write_images
from headrace.recordio.framing import MAGIC, frame_record
from headrace.recordio.images import RefusedImage
from headrace.recordio.summaries import summarize_images
from tests.conftest import REAL_DATA

SEVEN = ImageRecord(7, (1.0,), JPEG + b"\xe0abcde")
FIVE = ImageRecord(5, (0.0, 1.0), JPEG + b"\xe0" + MAGIC + b"xy" + MAGIC + b"z" + MAGIC)
NINE = ImageRecord(9, (2.0,), MAGIC * 2)
# Made with MXNet 1.9.1: MXIndexedRecordIO and pack.
MXNET_REC = (
    "0a23d7ce21000000000000000000803f07000000000000000000000000000000ffd8ffe06162636465000000"
    "0a23d7ce24000020020000000000000005000000000000000000000000000000000000000000803fffd8ffe0"
    "0a23d7ce0b00006078790a23d7ce7a0a23d7ce00"
    "0a23d7ce180000200000000000000040090000000000000000000000000000000a23d7ce000000400a23d7ce00000060"
)
MXNET_IDX = "7\t0\n5\t44\n9\t108\n"
RECORDS = st.builds(
    ImageRecord,
    st.integers(0, 2**64 - 1),
    st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=4).map(tuple),
    st.lists(st.sampled_from([MAGIC, JPEG, b"xy"]), max_size=6).map(b"".join),
)


@pytest.fixture
def rec(tmp_path: Path) -> Path:
    path = tmp_path / "train.rec"
    write_images(path, [SEVEN, FIVE, NINE])
    return path


def refuse_reading(path: Path) -> str:
    with pytest.raises(RecordIOError) as raised, ImageFile(path) as images:
        list(images)
    return str(raised.value)


def test_writes_what_mxnet_writes(rec: Path) -> None:
    assert rec.read_bytes().hex() == MXNET_REC
    assert rec.with_suffix(".idx").read_text() == MXNET_IDX


def test_reads_what_mxnet_writes(tmp_path: Path) -> None:
    path = tmp_path / "train.rec"
    path.write_bytes(bytes.fromhex(MXNET_REC))

    with ImageFile(path) as images:
        assert list(images) == [SEVEN, FIVE, NINE]


@given(st.lists(RECORDS, min_size=1, max_size=5, unique_by=lambda record: record.image_index))
def test_reads_what_was_written(tmp_path_factory: pytest.TempPathFactory, records: list[ImageRecord]) -> None:
    path = tmp_path_factory.mktemp("images") / "train.rec"

    assert write_images(path, records) == len(records)
    with ImageFile(path) as images:
        assert list(images) == records
        assert [images[record.image_index] for record in reversed(records)] == records[::-1]
        assert images.indices == [record.image_index for record in records]


@pytest.mark.parametrize("has_index", [True, False])
def test_finds_images_by_their_index(rec: Path, has_index: bool) -> None:
    if not has_index:
        rec.with_suffix(".idx").unlink()

    with ImageFile(rec) as images:
        assert (images[9], images[7], images[5], len(images)) == (NINE, SEVEN, FIVE, 3)
        with pytest.raises(RecordIOError, match=r"train\.rec: has no image of index 8$"):
            images[8]


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("7\t44\n", "train.idx: index 7 leads to image 5; write both files again"),
        ("7\t4\n", "train.rec, record 0 at byte 4: starts with 21 00 00 00, not with RecordIO's 0a 23 d7 ce"),
        ("5\t44\n7\t999\n", "train.rec, byte 999 is beyond the end; the file is cut short or damaged"),
        ("7 0\n", "train.idx, line 1: expected an index, a tab and a byte; write both files again"),
    ],
)
def test_refuses_an_index_of_another_file(rec: Path, index: str, message: str) -> None:
    rec.with_suffix(".idx").write_text(index)

    with pytest.raises(RecordIOError) as raised, ImageFile(rec) as images:
        images[7]

    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (frame_record(b"short"), ", record 0 at byte 0: has 5 bytes, too few for the header of an image"),
        (
            frame_record(b"\x0a\x12\x0a\6values\x12\x08\x12\6\x0a\4\0\0\0\0" + bytes(8)),
            ", record 0 at byte 0: has 28 bytes, too few for 101,323,274 labels; is it a file of images?",
        ),
        (bytes.fromhex(MXNET_REC)[:-4], ", record 2 at byte 108: ends within its header; the file is cut short"),
        (bytes.fromhex(MXNET_REC)[:40], ", record 0 at byte 0: has 32 of its 36 bytes; the file is cut short"),
        (b"\xff\xd8\xff\xe0" + bytes(40), ", record 0 at byte 0: starts with ff d8 ff e0, not with RecordIO's"),
    ],
)
def test_says_which_record_is_wrong(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "train.rec"
    path.write_bytes(content)

    assert refuse_reading(path).startswith(f"{path}{message}")


def test_reads_an_empty_file_as_no_images(tmp_path: Path) -> None:
    path = tmp_path / "train.rec"
    path.touch()

    with ImageFile(path) as images:
        assert (list(images), len(images)) == ([], 0)


def test_loads_the_images_of_a_list(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG + b"a")
    (tmp_path / "b.png").write_bytes(PNG + b"b")
    rows = [MultiLabelRow(3, (1, 0), "b.png"), MultiLabelRow(1, (0, 1), "a.jpg")]

    loaded = load_images(rows, tmp_path)

    assert list(loaded) == [ImageRecord(3, (1.0, 0.0), PNG + b"b"), ImageRecord(1, (0.0, 1.0), JPEG + b"a")]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("text.jpg", r"text\.jpg: is neither JPEG nor PNG; remove it"),
        ("none.jpg", r"none\.jpg: No such file or directory"),
    ],
)
def test_leaves_no_file_when_an_image_cannot_be_read(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "text.jpg").write_text("text")
    rows = [MultiLabelRow(1, (0,), "a.jpg"), MultiLabelRow(2, (0,), path)]

    with pytest.raises(RecordIOError, match=message):
        write_images(tmp_path / "out" / "train.rec", load_images(rows, tmp_path))

    assert not (tmp_path / "out").exists()


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A folder and a list of which two images are good."""
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(JPEG)
    (folder / "b.png").write_bytes(PNG)
    (folder / "text.jpg").write_text("text")
    (folder / "empty.jpg").touch()
    (tmp_path / "outside.jpg").write_bytes(JPEG)
    (folder / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    return folder


DAMAGED = ["text.jpg", "empty.jpg", "none.jpg", "link.jpg", "../outside.jpg", "/etc/hostname", "s3://raw/a.jpg"]


def list_damaged() -> list[MultiLabelRow]:
    names = ["a.jpg", *DAMAGED, "b.png"]
    return [MultiLabelRow(number, (0.0,), name) for number, name in enumerate(names)]


def test_names_all_images_that_cannot_be_packed(tmp_path: Path, damaged: Path) -> None:
    with pytest.raises(RecordIOError) as raised:
        write_images(tmp_path / "train.rec", load_images(list_damaged(), damaged))

    lines = str(raised.value).splitlines()
    assert len(lines) == len(DAMAGED)
    assert all(name in line for name, line in zip(DAMAGED, lines, strict=True))
    assert not (tmp_path / "train.rec").exists()


def test_leaves_out_images_that_cannot_be_packed_when_somebody_is_told(tmp_path: Path, damaged: Path) -> None:
    refused: list[RefusedImage] = []

    count = write_images(tmp_path / "train.rec", load_images(list_damaged(), damaged, refused=refused.append))

    assert count == 2
    assert len(refused) == len(DAMAGED)


def test_packs_boxes_and_reads_the_list_back(tmp_path: Path) -> None:
    rows = "0\t4\t5\t780\t438\t0\t0.1\t0.1\t0.5\t0.5\t0.jpg\n"
    rows += "1\t4\t5\t800\t533\t0\t0.1\t0.1\t0.5\t0.5\t1\t0.2\t0.2\t0.6\t0.6\t1.jpg\n"
    (tmp_path / "det.lst").write_text(rows)
    for number in range(2):
        (tmp_path / f"{number}.jpg").write_bytes(JPEG)

    write_images(tmp_path / "det.rec", load_images(read_any_lst(tmp_path / "det.lst"), tmp_path))
    unpack_images(tmp_path / "det.rec", tmp_path / "again")

    assert (tmp_path / "again" / "det.lst").read_text() == rows


def test_tells_records_without_an_image_from_images(tmp_path: Path) -> None:
    # InsightFace's files start with a record of two numbers: where the records that list people begin and end.
    headers = [ImageRecord(0, (8.0, 12.0), b""), ImageRecord(8, (1.0, 4.0), b"")]
    write_images(tmp_path / "train.rec", [headers[0], SEVEN, headers[1]])
    told: list[ImageRecord] = []

    count = unpack_images(tmp_path / "train.rec", tmp_path / "images", header=told.append)

    assert (count, told) == (1, headers)
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == ["7.jpg", "train.headers.tsv", "train.lst"]
    assert (tmp_path / "images" / "train.lst").read_text() == "7\t1\t7.jpg\n"
    assert (tmp_path / "images" / "train.headers.tsv").read_text() == "0\t8\t12\n8\t1\t4\n"
    assert summarize_images(tmp_path / "train.rec").headers == 2


def test_reads_back_the_list_of_indices_of_64_bits(tmp_path: Path) -> None:
    write_images(tmp_path / "train.rec", [ImageRecord(2**64 - 1, (0.1,), JPEG)])

    unpack_images(tmp_path / "train.rec", tmp_path / "images")

    assert read_any_lst(tmp_path / "images" / "train.lst") == [MultiLabelRow(2**64 - 1, (0.1,), f"{2**64 - 1}.jpg")]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([SEVEN, SEVEN], "image 7: two images have this index; indices are unique"),
        ([ImageRecord(-1, (0.0,), b"")], "image -1: give an index from 0 to 2^64 - 1 and at least one label"),
        ([ImageRecord(1, (), b"")], "image 1: give an index from 0 to 2^64 - 1 and at least one label"),
    ],
)
def test_refuses_images_that_cannot_be_told_apart(tmp_path: Path, records: list[ImageRecord], message: str) -> None:
    with pytest.raises(RecordIOError) as raised:
        write_images(tmp_path / "train.rec", records)

    assert str(raised.value).startswith(message)
    assert list(tmp_path.iterdir()) == []


def test_unpacks_images_and_their_list(tmp_path: Path, rec: Path) -> None:
    count = unpack_images(rec, tmp_path / "images")

    assert count == 3
    assert (tmp_path / "images" / "train.lst").read_text() == "7\t1\t7.jpg\n5\t0\t1\t5.jpg\n9\t2\t9.jpg\n"
    assert (tmp_path / "images" / "5.jpg").read_bytes() == FIVE.image


def test_unpacks_into_a_new_folder_only(tmp_path: Path, rec: Path) -> None:
    with pytest.raises(FileError, match="is already there; remove it or choose another folder"):
        unpack_images(rec, tmp_path)


def test_leaves_no_folder_when_unpacking_fails(tmp_path: Path, rec: Path) -> None:
    rec.write_bytes(rec.read_bytes()[:-2])

    with pytest.raises(RecordIOError, match="record 2 at byte 108"):
        unpack_images(rec, tmp_path / "images")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.idx", "train.rec"]


def test_packs_and_unpacks_real_photographs(tmp_path: Path) -> None:
    classes = REAL_DATA / "images" / "classes"
    if not classes.exists():
        pytest.skip(f"the real photographs are not at {classes}: their licences keep them out of the project")
    _, rows, _ = make_lists(classes)

    write_images(tmp_path / "train.rec", load_images(rows, classes))

    with ImageFile(tmp_path / "train.rec") as images:
        assert [images[row.index].image for row in rows] == [(classes / row.path).read_bytes() for row in rows]
        assert [record.labels for record in images] == [(row.label,) for row in rows]
