"""Single objects of a real S3 server."""

import io
import random
import zipfile
from pathlib import Path

import pytest

from headrace import data
from tests.headrace.data.buckets import Bucket
from tests.headrace.data.faulty_proxy import spoiling

pytestmark = pytest.mark.slow

CONTENT = bytes(range(256)) * 12_000


@pytest.fixture
def address(bucket: Bucket) -> str:
    return bucket.put("signals/heart.bin", CONTENT)


def test_writes_and_reads_bytes(bucket: Bucket) -> None:
    data.write_bytes(f"{bucket.uri}/a b+é%41", b"content")

    assert data.read_bytes(f"{bucket.uri}/a b+é%41") == b"content" == bucket.get("a b+é%41")


@pytest.mark.parametrize("size", [-1, 1_000, 100_000, 3_071_999])
def test_reads_a_stream_to_its_end(address: str, size: int) -> None:
    with data.open_object(address) as file:
        found = b"".join(iter(lambda: file.read(size), b""))

    assert found == CONTENT


def test_reads_as_a_file_would(address: str) -> None:
    expected, places = io.BytesIO(CONTENT), random.Random(8)  # noqa: S311
    with data.open_object(address) as file:
        for _ in range(100):
            offset, size = places.randrange(len(CONTENT) + 10), places.choice([0, 1, 10, 300_000])
            assert file.seek(offset) == expected.seek(offset)
            assert file.read(size) == expected.read(size)
            assert file.tell() == expected.tell()
        assert file.seek(-5, io.SEEK_END) == expected.seek(-5, io.SEEK_END)
        assert file.read() == expected.read()


def test_refuses_positions_before_the_start(address: str) -> None:
    with data.open_object(address) as file, pytest.raises(ValueError, match="has no position -1"):
        file.seek(-1)


def test_fetches_only_what_is_read(
    bucket: Bucket, s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("large.bin", CONTENT)
        archive.writestr("notes.txt", "note")
    address = bucket.put("data.zip", packed.getvalue())
    fetched: list[int] = []

    def count(path: str, body: bytes) -> bytes:
        fetched.append(len(body))
        return body

    with spoiling(s3_environment["AWS_ENDPOINT_URL"], count) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with data.open_object(address) as file, zipfile.ZipFile(file) as archive:
            assert archive.read("notes.txt") == b"note"

    assert sum(fetched) < len(CONTENT) / 3


def test_reads_an_empty_object(bucket: Bucket) -> None:
    with data.open_object(bucket.put("empty", b"")) as file:
        assert file.read() == b""
        assert file.read(1) == b""


def test_notices_an_object_that_is_replaced_while_it_is_read(bucket: Bucket, address: str) -> None:
    with data.open_object(address) as file:
        file.read(10)
        bucket.put("signals/heart.bin", bytes(len(CONTENT)))

        with pytest.raises(data.ChangedObjectError, match="was replaced while it was being read; start again"):
            file.read()


def test_notices_damaged_bytes(address: str, s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with spoiling(s3_environment["AWS_ENDPOINT_URL"], lambda _, body: b"X" + body[1:]) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)

        with pytest.raises(data.DamagedObjectError, match="its checksum differs"):
            data.read_bytes(address)


def test_gives_a_temporary_file_the_name_of_the_object(address: str) -> None:
    with data.temporary_file(address) as path:
        assert path.name == "heart.bin"
        assert path.read_bytes() == CONTENT


def test_removes_a_temporary_file_whatever_happens(address: str) -> None:
    seen: list[Path] = []

    def fail() -> None:
        with data.temporary_file(address) as path:
            seen.append(path)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not seen[0].parent.exists()


@pytest.mark.parametrize(
    "read", [data.read_bytes, data.open_object, lambda where: data.temporary_file(where).__enter__()]
)
def test_says_when_there_is_no_such_object(bucket: Bucket, read: object) -> None:
    assert callable(read)
    with pytest.raises(data.MissingObjectError, match=f"there is nothing at {bucket.uri}/none"):
        read(f"{bucket.uri}/none")


@pytest.mark.parametrize("key", ["a//b", "/a", "../a", "a/", "a\rb"])
def test_reads_and_writes_objects_of_any_key(bucket: Bucket, key: str) -> None:
    data.write_bytes(f"{bucket.uri}/{key}", CONTENT)

    assert bucket.get(key) == CONTENT
    assert data.read_bytes(f"{bucket.uri}/{key}") == CONTENT
    with data.open_object(f"{bucket.uri}/{key}") as file:
        file.seek(1_000_000)
        assert file.read() == CONTENT[1_000_000:]


@pytest.mark.parametrize("key", ["a//b", "/a", "a/..", "a\rb"])
def test_gives_a_temporary_file_to_objects_of_any_key(bucket: Bucket, key: str) -> None:
    with data.temporary_file(bucket.put(key, CONTENT)) as path:
        assert path.read_bytes() == CONTENT


def test_says_that_a_bucket_is_not_an_object(bucket: Bucket) -> None:
    with pytest.raises(data.AddressError, match="names a bucket, not an object"):
        data.read_bytes(bucket.uri)


@pytest.mark.parametrize("size", [0, 10, 8 * 1024 * 1024, 20 * 1024 * 1024])
def test_stores_a_stream(bucket: Bucket, size: int) -> None:
    content = bytes(size)

    assert data.write_stream(f"{bucket.uri}/new.csv", io.BytesIO(content)) == size

    assert bucket.get("new.csv") == content
    assert bucket.s3.head_object(Bucket=bucket.name, Key="new.csv")["ContentType"] == "text/csv"


class Breaking(io.RawIOBase):
    """A stream that breaks off after a first part."""

    def __init__(self) -> None:
        super().__init__()
        self._reads = 0

    def read(self, size: int = -1, /) -> bytes:
        self._reads += 1
        if self._reads > 2:
            raise KeyboardInterrupt
        return bytes(size)


def test_leaves_nothing_of_a_stream_that_breaks_off(bucket: Bucket) -> None:
    with pytest.raises(KeyboardInterrupt):
        data.write_stream(f"{bucket.uri}/new", Breaking())  # type: ignore[arg-type]

    assert bucket.list_keys() == []
    assert not bucket.s3.list_multipart_uploads(Bucket=bucket.name).get("Uploads")


def test_lists_one_level_or_all(bucket: Bucket) -> None:
    for key in ("images/cats/1.jpg", "images/cats/2.jpg", "images/notes.txt", "images/"):
        bucket.put(key)

    assert [entry.name for entry in data.list_objects(f"{bucket.uri}/images")] == ["cats/", "notes.txt"]
    assert [entry.name for entry in data.list_objects(f"{bucket.uri}/images/", recursive=True)] == [
        "cats/1.jpg",
        "cats/2.jpg",
        "notes.txt",
    ]


def test_lists_one_object_under_its_name(bucket: Bucket) -> None:
    address = bucket.put("out/model.tar.gz", b"model")

    assert [(entry.name, entry.size) for entry in data.list_objects(address)] == [("model.tar.gz", 5)]


def test_lists_nothing_in_an_empty_bucket(bucket: Bucket) -> None:
    assert list(data.list_objects(bucket.uri)) == []


def test_measures_more_than_a_page_of_objects(bucket: Bucket) -> None:
    for number in range(1_001):
        bucket.put(f"{number:04}", b"12")

    assert data.measure_usage(bucket.uri) == data.Usage(objects=1_001, bytes=2_002)
