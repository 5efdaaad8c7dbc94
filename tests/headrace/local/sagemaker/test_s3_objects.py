from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from headrace.local.sagemaker.errors import JobDataError
from headrace.local.sagemaker.left_files import LeftFolder
from headrace.local.sagemaker.s3_objects import (
    download_object,
    download_prefix,
    find_etag,
    parse_address,
    relative_key,
    upload_folder,
)
from headrace.s3.addresses import S3Address
from tests.headrace.local.sagemaker.fakes import FakeS3, client_error


def never_stop() -> None:
    """Goes on."""


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3("raw", "work")


def download(s3: FakeS3, uri: str, folder: Path) -> list[str]:
    download_prefix(s3, parse_address(uri), folder, never_stop)
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("uri", "bucket", "key"),
    [
        ("s3://raw/train/a.csv", "raw", "train/a.csv"),
        ("s3://raw", "raw", ""),
        ("s3://raw/odd #name?.csv", "raw", "odd #name?.csv"),
        ("s3://raw/50%25", "raw", "50%25"),
        ("https://s3.eu-west-1.amazonaws.com/raw/train/a.csv", "raw", "train/a.csv"),
        ("https://s3.amazonaws.com/raw/train", "raw", "train"),
        ("https://s3-eu-west-1.amazonaws.com/raw/train", "raw", "train"),
        ("https://raw.s3.eu-west-1.amazonaws.com/train/a%20b.csv", "raw", "train/a b.csv"),
        ("https://my.raw.s3.amazonaws.com/train", "my.raw", "train"),
    ],
)
def test_reads_every_way_to_write_a_place(uri: str, bucket: str, key: str) -> None:
    assert parse_address(uri) == S3Address(bucket, key)


@pytest.mark.parametrize("uri", ["train/a.csv", "s3:///key", "https://example.com/raw", "http://s3.amazonaws.com/raw"])
def test_refuses_what_is_no_place_in_s3(uri: str) -> None:
    with pytest.raises(JobDataError, match="is not an address in S3"):
        parse_address(uri)


@pytest.mark.parametrize(
    ("key", "prefix", "name"),
    [
        ("train/a.csv", "train/", "a.csv"),
        ("train/a.csv", "train", "a.csv"),
        ("train/a.csv", "train/a.csv", "a.csv"),
        ("train/part-1", "train/part", "part-1"),
        ("train-2/a.csv", "train", "train-2/a.csv"),
        ("a/b.csv", "", "a/b.csv"),
    ],
)
def test_names_files_relative_to_the_prefix(key: str, prefix: str, name: str) -> None:
    assert relative_key(key, prefix) == name


def test_downloads_every_page_of_a_prefix(s3: FakeS3, tmp_path: Path) -> None:
    for number in range(5):
        s3.put("raw", f"train/{number}", b"x")
    s3.put("raw", "other", b"x")

    assert download(s3, "s3://raw/train/", tmp_path / "data") == ["0", "1", "2", "3", "4"]


def test_makes_a_folder_for_a_key_that_ends_with_a_slash(s3: FakeS3, tmp_path: Path) -> None:
    s3.put("raw", "train/", b"")
    s3.put("raw", "train/empty/", b"")

    assert download(s3, "s3://raw/train/", tmp_path) == []
    assert (tmp_path / "empty").is_dir()


@pytest.mark.parametrize("key", ["train/../../escaped", "train//etc/escaped", "train/a\0b"])
def test_refuses_keys_that_lead_out_of_the_folder(s3: FakeS3, tmp_path: Path, key: str) -> None:
    s3.put("raw", key, b"x")

    with pytest.raises(JobDataError, match="leads out of the folder"):
        download(s3, "s3://raw/train/", tmp_path / "data")

    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize("keys", [("a", "a/b"), ("a/", "a")])
def test_refuses_a_name_that_is_both_object_and_folder(s3: FakeS3, tmp_path: Path, keys: tuple[str, str]) -> None:
    for key in keys:
        s3.put("raw", f"train/{key}", b"x")

    with pytest.raises(JobDataError):
        download(s3, "s3://raw/train/", tmp_path)


def test_stops_between_objects(s3: FakeS3, tmp_path: Path) -> None:
    s3.put("raw", "train/a", b"x")

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        download_prefix(s3, S3Address("raw", "train"), tmp_path, stop)
    assert list(tmp_path.iterdir()) == []


def test_uploads_a_folder_with_its_folders(s3: FakeS3, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.csv").write_bytes(b"1")

    upload_folder(
        s3, LeftFolder(tmp_path.parent, tmp_path.name, note=pytest.fail), parse_address("s3://work/features/")
    )

    assert s3.buckets["work"] == {"features/deep/a.csv": b"1"}


class RefusingS3(FakeS3):
    """Refuses some operations with one code; HEAD, which has no body, with a number only."""

    def __init__(self, code: str, *operations: str) -> None:
        super().__init__("raw")
        self._code = code
        self._operations = operations
        self.put("raw", "a.csv", b"1,2")

    def list_objects_v2(self, **request: Any) -> Any:
        self._refuse("LIST")
        return super().list_objects_v2(**request)

    def get_object(self, **request: Any) -> Any:
        self._refuse("GET")
        return super().get_object(**request)

    def head_object(self, **request: Any) -> Any:
        raise client_error("403", "HeadObject")

    def upload_fileobj(self, file: BinaryIO, bucket: str, key: str, *, ExtraArgs: Mapping[str, str] | None) -> Any:  # noqa: N803
        try:
            self._refuse("PUT")
        except ClientError as error:
            raise S3UploadFailedError("Failed to upload") from error

    def _refuse(self, operation: str) -> None:
        if operation in self._operations:
            raise client_error(self._code, operation)


CODES = {"AccessDenied": "the role needs", "InvalidObjectState": "restore it first", "Odd": "Odd: Odd"}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("operation", ["LIST", "GET"])
def test_says_why_s3_does_not_give_a_jobs_data(tmp_path: Path, operation: str, code: str) -> None:
    with pytest.raises(JobDataError, match=f"Data download failed: s3://raw/.*: {code}: {code}") as refused:
        download_prefix(RefusingS3(code, operation), S3Address("raw", ""), tmp_path, never_stop)

    assert CODES[code] in str(refused.value)


def test_says_why_s3_does_not_give_one_object(tmp_path: Path) -> None:
    with pytest.raises(JobDataError, match=r"s3://raw/a\.csv: InvalidObjectState: "):
        download_object(RefusingS3("InvalidObjectState", "GET"), S3Address("raw", "a.csv"), tmp_path / "a.csv")


@pytest.mark.parametrize("code", CODES)
def test_says_why_s3_does_not_take_an_artifact(tmp_path: Path, code: str) -> None:
    (tmp_path / "model").write_bytes(b"")

    with pytest.raises(JobDataError, match=f"Artifact upload failed: s3://raw/model could not be written: {code}: "):
        upload_folder(
            RefusingS3(code, "PUT"), LeftFolder(tmp_path.parent, tmp_path.name, note=pytest.fail), S3Address("raw", "")
        )


def test_asks_for_the_reason_that_head_does_not_tell() -> None:
    with pytest.raises(ClientError, match="ExpiredToken"):
        find_etag(RefusingS3("ExpiredToken", "GET"), S3Address("raw", "a.csv"))
