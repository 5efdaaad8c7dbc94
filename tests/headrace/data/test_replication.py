"""Replicas between S3 and folders, on a real S3 server."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from headrace import data
from tests.headrace.data.buckets import Bucket, read_folder
from tests.headrace.data.faulty_proxy import Spoil, spoiling

pytestmark = pytest.mark.slow

MIB = 1024 * 1024


def test_brings_a_folder_to_s3_and_back_unchanged(folder: Path, bucket: Bucket, tmp_path: Path) -> None:
    data.replicate(folder, f"{bucket.uri}/images/")
    data.replicate(f"{bucket.uri}/images/", tmp_path / "back")

    assert read_folder(tmp_path / "back") == read_folder(folder)


def test_reports_what_it_copied(folder: Path, bucket: Bucket) -> None:
    report = data.replicate(folder, f"{bucket.uri}/images")

    assert report.copied == ("a.jpg", "cats/1 é+#?%41.jpg", "cats/big.rec", "empty")
    assert (report.unchanged, report.missing, report.bytes_copied) == ((), (), 20 * MIB + 4)
    assert report.target == f"{bucket.uri}/images/"


def test_uploads_an_older_file_that_was_moved_into_the_place_of_a_newer_one(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "other.lst").write_bytes(b"0\t1\ta.jpg\n")
    os.utime(tmp_path / "other.lst", (1_000_000_000, 1_000_000_000))
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/train.lst").write_bytes(b"0\t0\ta.jpg\n")
    data.replicate(tmp_path / "lists", bucket.uri)

    (tmp_path / "other.lst").rename(tmp_path / "lists/train.lst")

    assert data.replicate(tmp_path / "lists", bucket.uri).copied == ("train.lst",)
    assert bucket.get("train.lst") == b"0\t1\ta.jpg\n"


def test_copies_between_buckets(folder: Path, bucket: Bucket, s3: Any) -> None:
    other = Bucket.create(s3)
    data.replicate(folder, bucket.uri)

    data.replicate(bucket.uri, f"{other.uri}/copy/")

    assert other.list_keys() == [f"copy/{key}" for key in bucket.list_keys()]
    assert other.get("copy/cats/big.rec") == (folder / "cats/big.rec").read_bytes()


def test_keeps_metadata_between_buckets(bucket: Bucket, s3: Any) -> None:
    s3.put_object(Bucket=bucket.name, Key="a", Body=b"a", ContentType="text/csv", Metadata={"team": "shop"})

    data.replicate(f"{bucket.uri}/a", f"{bucket.uri}/b")

    copied = s3.head_object(Bucket=bucket.name, Key="b")
    assert (copied["ContentType"], copied["Metadata"]) == ("text/csv", {"team": "shop"})


def test_copies_any_key_between_buckets(bucket: Bucket) -> None:
    for key in ("from/a//b", "from/../c", "from/d/"):
        bucket.put(key)

    data.replicate(f"{bucket.uri}/from/", f"{bucket.uri}/to/")

    assert [key for key in bucket.list_keys() if key.startswith("to")] == ["to/../c", "to/a//b", "to/d/"]


@pytest.mark.parametrize("checksum", [False, True])
def test_copies_nothing_when_nothing_has_changed(
    folder: Path, bucket: Bucket, tmp_path: Path, s3: Any, checksum: bool
) -> None:
    other = Bucket.create(s3)
    routes: list[tuple[str | Path, str | Path]] = [
        (folder, bucket.uri),
        (bucket.uri, tmp_path / "back"),
        (bucket.uri, other.uri),
    ]
    for source, target in routes:
        data.replicate(source, target)

    again = [data.replicate(source, target, checksum=checksum) for source, target in routes[:2]]
    between_buckets = data.replicate(*routes[2])

    assert [report.copied for report in [*again, between_buckets]] == [(), (), ()]


def test_downloads_again_what_was_replaced_by_something_of_the_same_size(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("a", b"old")
    bucket.put("b", b"old")
    data.replicate(bucket.uri, tmp_path)
    bucket.put("a", b"new")

    report = data.replicate(bucket.uri, tmp_path)

    assert (report.copied, report.unchanged) == (("a",), ("b",))
    assert (tmp_path / "a").read_bytes() == b"new"


def test_downloads_again_what_was_edited_here(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("a", b"old")
    data.replicate(bucket.uri, tmp_path)
    (tmp_path / "a").write_bytes(b"own")

    assert data.replicate(bucket.uri, tmp_path).copied == ("a",)


def test_needs_no_download_when_the_content_is_here_under_another_time(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("a", b"same")
    (tmp_path / "a").write_bytes(b"same")

    assert data.replicate(bucket.uri, tmp_path).unchanged == ("a",)


def test_looks_into_files_of_equal_size_and_time_when_told_to(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("a", b"old")
    data.replicate(bucket.uri, tmp_path)
    modified = (tmp_path / "a").stat().st_mtime_ns
    (tmp_path / "a").write_bytes(b"own")
    os.utime(tmp_path / "a", ns=(modified, modified))

    assert data.replicate(bucket.uri, tmp_path).copied == ()
    assert data.replicate(bucket.uri, tmp_path, checksum=True).copied == ("a",)


def test_uploads_again_what_was_edited_here(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    data.replicate(tmp_path, bucket.uri)
    (tmp_path / "a").write_bytes(b"new")

    assert data.replicate(tmp_path, bucket.uri).copied == ("a",)
    assert bucket.get("a") == b"new"


def test_gives_files_the_times_of_their_objects(bucket: Bucket, tmp_path: Path, s3: Any) -> None:
    bucket.put("a")

    data.replicate(bucket.uri, tmp_path)

    modified = s3.head_object(Bucket=bucket.name, Key="a")["LastModified"]
    assert abs((tmp_path / "a").stat().st_mtime - modified.timestamp()) < 1


def test_copies_nothing_in_a_dry_run(folder: Path, bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("a")

    assert data.replicate(folder, f"{bucket.uri}/images/", dry_run=True).copied[0] == "a.jpg"
    assert data.replicate(bucket.uri, tmp_path / "new", dry_run=True).copied == ("a",)
    assert bucket.list_keys() == ["a"]
    assert not (tmp_path / "new").exists()


def test_takes_a_name_without_a_slash_for_a_folder(bucket: Bucket, tmp_path: Path) -> None:
    for key in ("images/1", "images2/1"):
        bucket.put(key)

    assert data.replicate(f"{bucket.uri}/images", tmp_path).copied == ("1",)


@pytest.mark.parametrize(("target", "placed"), [("here/", "here/model.tar.gz"), ("own.tar.gz", "own.tar.gz")])
def test_copies_one_object(bucket: Bucket, tmp_path: Path, target: str, placed: str) -> None:
    address = bucket.put("out/model.tar.gz", b"model")

    report = data.replicate(address, f"{tmp_path}/{target}")

    assert report.copied == ("model.tar.gz",)
    assert read_folder(tmp_path) == {placed: b"model"}


@pytest.mark.parametrize(("target", "placed"), [("out/", "out/sales.csv"), ("out/own.csv", "out/own.csv")])
def test_uploads_one_file(bucket: Bucket, tmp_path: Path, target: str, placed: str) -> None:
    (tmp_path / "sales.csv").write_bytes(b"1,2")

    data.replicate(tmp_path / "sales.csv", f"{bucket.uri}/{target}")

    assert bucket.get(placed) == b"1,2"
    assert data.replicate(tmp_path / "sales.csv", f"{bucket.uri}/{target}").copied == ()


def test_leaves_out_the_empty_objects_that_stand_for_folders(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("images/", b"")
    bucket.put("images/cats/", b"")
    bucket.put("images/cats/1.jpg", b"cat")

    data.replicate(f"{bucket.uri}/images/", tmp_path)

    assert read_folder(tmp_path) == {"cats/1.jpg": b"cat"}


@pytest.mark.parametrize("key", ["../a", "a/../../b", "./a", "a/.."])
def test_skips_keys_that_name_no_file_in_the_folder(bucket: Bucket, tmp_path: Path, key: str) -> None:
    bucket.put("images/fine", b"fine")
    bucket.put(f"images/{key}")

    for dry_run in (True, False):
        with pytest.raises(data.IncompleteError) as stopped:
            data.replicate(f"{bucket.uri}/images/", tmp_path / "folder", dry_run=dry_run)

    assert stopped.value.report.copied == ("fine",)
    assert [file.name for file in stopped.value.report.skipped] == [key]
    assert read_folder(tmp_path) == {"folder/fine": b"fine"}


ODD = {
    "a//b": "a/b",
    "/x": "x",
    "cr\r": "cr\r",
    "line\n/1": "line\n/1",
    "é 1+#?%41*&<>'\"\\": "é 1+#?%41*&<>'\"\\",
    "esc\x1b[31m": "esc\x1b[31m",
}


def test_copies_odd_keys_to_files(bucket: Bucket, tmp_path: Path) -> None:
    for key in ODD:
        bucket.put(key, key.encode())

    data.replicate(bucket.uri, tmp_path)

    assert read_folder(tmp_path) == {place: key.encode() for key, place in ODD.items()}
    assert data.replicate(bucket.uri, tmp_path).copied == ()
    assert data.replicate(bucket.uri, tmp_path, checksum=True).copied == ()


@pytest.mark.parametrize("size", [10, 17 * MIB])
def test_copies_files_of_odd_names(bucket: Bucket, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "a\rb.jpg").write_bytes(content)

    data.replicate(tmp_path / "from", bucket.uri)
    data.replicate(bucket.uri, tmp_path / "to")

    assert bucket.list_keys() == ["a\rb.jpg"]
    assert read_folder(tmp_path / "to") == {"a\rb.jpg": content}


@pytest.mark.parametrize("key", ODD)
def test_copies_one_object_of_an_odd_key(bucket: Bucket, tmp_path: Path, key: str) -> None:
    data.replicate(bucket.put(key, b"odd"), tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == b"odd"


def test_skips_an_object_with_the_name_of_a_folder(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("a", b"object")
    bucket.put("a/b", b"below")

    with pytest.raises(data.IncompleteError, match="a: both an object and a folder of objects"):
        data.replicate(bucket.uri, tmp_path)

    assert read_folder(tmp_path) == {"a/b": b"below"}


@pytest.mark.parametrize("dry_run", [False, True])
def test_skips_what_a_folder_or_a_file_stands_in_the_way_of(bucket: Bucket, tmp_path: Path, dry_run: bool) -> None:
    for key in ("a", "b/c", "fine", "n" * 300):
        bucket.put(key)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").touch()

    with pytest.raises(data.IncompleteError) as stopped:
        data.replicate(bucket.uri, tmp_path, dry_run=dry_run)

    assert stopped.value.report.copied == ("fine",)
    assert {file.name[:3]: file.reason for file in stopped.value.report.skipped} == {
        "a": "a folder has its name",
        "b/c": "a file has the name of one of its folders",
        "nnn": "its name is too long for a file",
    }


def test_follows_links_and_skips_what_is_not_a_file(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "in.txt").write_bytes(b"2")
    source = tmp_path / "src"
    source.mkdir()
    (source / "a.txt").write_bytes(b"1")
    (source / "linkdir").symlink_to("../real")
    (source / "broken").symlink_to("nowhere")
    os.mkfifo(source / "pipe")

    with pytest.raises(data.IncompleteError) as stopped:
        data.replicate(source, bucket.uri)

    assert bucket.list_keys() == ["a.txt", "linkdir/in.txt"]
    assert [file.name for file in stopped.value.report.skipped] == ["broken", "pipe"]


@pytest.mark.parametrize("size", [100, 20 * MIB])
def test_reports_and_skips_objects_that_are_gone_by_their_turn(
    bucket: Bucket, tmp_path: Path, s3: Any, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("gone", bytes(size))
    bucket.put("here", b"here")
    listed = list(data.list_objects(bucket.uri, recursive=True))
    s3.delete_object(Bucket=bucket.name, Key="gone")
    monkeypatch.setattr(
        "headrace.data.replication.find_entries", lambda _: (data.parse_address(f"{bucket.uri}/"), listed)
    )

    report = data.replicate(bucket.uri, tmp_path)

    assert (report.missing, report.copied) == (("gone",), ("here",))
    assert read_folder(tmp_path) == {"here": b"here"}


def test_notices_an_object_that_is_replaced_after_it_was_listed(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("a", b"old")
    listed = list(data.list_objects(bucket.uri, recursive=True))
    bucket.put("a", b"new")
    monkeypatch.setattr(
        "headrace.data.replication.find_entries", lambda _: (data.parse_address(f"{bucket.uri}/"), listed)
    )

    with pytest.raises(data.IncompleteError, match="/a was replaced while it was being read"):
        data.replicate(bucket.uri, tmp_path)


@pytest.mark.parametrize("source", ["nothing", "nothing/"])
def test_says_when_there_is_nothing_to_copy(bucket: Bucket, tmp_path: Path, source: str) -> None:
    with pytest.raises(data.MissingObjectError, match=f"there is nothing at {bucket.uri}/nothing"):
        data.replicate(f"{bucket.uri}/{source}", tmp_path)


def test_says_when_the_bucket_does_not_exist(s3: Any, tmp_path: Path) -> None:
    with pytest.raises(data.DataError, match=r"s3://no-such-bucket/: NoSuchBucket: .*; check its name"):
        data.replicate("s3://no-such-bucket/", tmp_path)


def test_tells_how_far_it_is(folder: Path, bucket: Bucket, tmp_path: Path) -> None:
    data.replicate(folder, bucket.uri)
    seen: list[tuple[int, int]] = []

    data.replicate(bucket.uri, tmp_path / "back", progress=lambda now: seen.append((now.files, now.bytes)))

    assert seen == sorted(seen)
    assert seen[-1] == (4, 20 * MIB + 4)


SPOILT: dict[str, Spoil] = {
    "cut off": lambda path, body: body[:-1] if path.endswith("spoilt") else body,
    "flipped": lambda path, body: bytes([body[0] ^ 1]) + body[1:] if path.endswith("spoilt") else body,
}


@pytest.mark.parametrize("size", [1_000, 20 * MIB])
@pytest.mark.parametrize(
    ("fault", "message"), [("cut off", "arrived with [0-9,]+ of [0-9,]+ bytes"), ("flipped", "its checksum differs")]
)
def test_notices_damaged_downloads(
    bucket: Bucket,
    tmp_path: Path,
    s3_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    fault: str,
    message: str,
) -> None:
    bucket.put("spoilt", bytes(size))
    with spoiling(s3_environment["AWS_ENDPOINT_URL"], SPOILT[fault]) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)

        with pytest.raises(data.IncompleteError, match=message):
            data.replicate(bucket.uri, tmp_path)

    assert read_folder(tmp_path) == {}


KILLED = """
import os, signal, sys
from headrace import data
data.replicate(*sys.argv[1:], workers=2, progress=lambda now: now.files > 20 and os.kill(os.getpid(), signal.SIGKILL))
"""


def test_finishes_what_a_killed_run_began(bucket: Bucket, tmp_path: Path) -> None:
    for number in range(60):
        bucket.put(f"{number:02}", os.urandom(10_000))
    killed = subprocess.run([sys.executable, "-c", KILLED, bucket.uri, str(tmp_path)], check=False)

    left = {name: content for name, content in read_folder(tmp_path).items() if "/" not in name}
    report = data.replicate(bucket.uri, tmp_path)

    assert killed.returncode == -signal.SIGKILL
    assert all(content == bucket.get(name) for name, content in left.items())
    assert set(report.unchanged) == set(left)
    assert len(left) > 10
    assert read_folder(tmp_path) == {key: bucket.get(key) for key in bucket.list_keys()}
    assert not (tmp_path / ".headrace-partial").exists()


def test_leaves_no_half_file_when_interrupted(bucket: Bucket, tmp_path: Path) -> None:
    for number in range(40):
        bucket.put(f"{number:02}", os.urandom(10_000))

    def interrupt(now: data.Progress) -> None:
        if now.files == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        data.replicate(bucket.uri, tmp_path, workers=2, progress=interrupt)

    found = read_folder(tmp_path)
    assert 5 <= len(found) < 40
    assert all(content == bucket.get(name) for name, content in found.items())


def test_keeps_away_from_what_another_run_has_under_way(bucket: Bucket, tmp_path: Path) -> None:
    for number in range(5):
        bucket.put(str(number))
    inner: list[data.Report] = []

    def copy_too(now: data.Progress) -> None:
        if now.files == 1:
            inner.append(data.replicate(bucket.uri, tmp_path))

    outer = data.replicate(bucket.uri, tmp_path, progress=copy_too)

    assert len(outer.copied) + len(outer.unchanged) == 5
    assert sorted(read_folder(tmp_path)) == ["0", "1", "2", "3", "4"]
    assert len(inner) == 1


def test_verifies_objects_stored_in_other_parts_than_its_own(bucket: Bucket, tmp_path: Path, s3: Any) -> None:
    content = os.urandom(11 * MIB)
    upload = s3.create_multipart_upload(Bucket=bucket.name, Key="a")["UploadId"]
    parts = []
    for number, start in enumerate(range(0, len(content), 5 * MIB), 1):
        body = content[start : start + 5 * MIB]
        stored = s3.upload_part(Bucket=bucket.name, Key="a", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": stored["ETag"]})
    s3.complete_multipart_upload(Bucket=bucket.name, Key="a", UploadId=upload, MultipartUpload={"Parts": parts})
    (tmp_path / "a").write_bytes(content)

    assert data.replicate(bucket.uri, tmp_path).unchanged == ("a",)


def test_takes_little_time_to_fail_where_nobody_listens(
    s3: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)

    with pytest.raises(data.DataError, match="Could not connect to the endpoint URL"):
        data.replicate("s3://raw/", tmp_path)

    assert sum(pauses) < 30
