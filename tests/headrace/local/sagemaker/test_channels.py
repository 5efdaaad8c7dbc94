import json
from pathlib import Path
from typing import Any

import pytest

from headrace.local.sagemaker.channels import ChannelStager
from headrace.local.sagemaker.errors import JobDataError
from tests.headrace.local.sagemaker.cloud import ROLE, Cloud, file_system_channel, s3_channel


def stage(cloud: Cloud, folder: Path, channel: dict[str, Any], mode: str = "File") -> dict[str, bytes]:
    host = cloud.sagemaker._kinds["TrainingJob"]._host
    ChannelStager(host, ROLE, lambda: None).stage_channel(channel, mode, folder)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("mode", ["File", "FastFile"])
def test_copies_the_objects_of_a_prefix(cloud: Cloud, tmp_path: Path, mode: str) -> None:
    cloud.s3.put("raw", "train/a.csv", b"1")

    assert stage(cloud, tmp_path / "train", s3_channel("s3://raw/train/"), mode) == {"a.csv": b"1"}


def test_copies_what_a_manifest_lists_and_nothing_else(cloud: Cloud, tmp_path: Path) -> None:
    cloud.s3.put("raw", "train/a.csv", b"1")
    cloud.s3.put("raw", "train/deep/b.csv", b"2")
    cloud.s3.put("raw", "train/c.csv", b"3")
    manifest = [{"prefix": "s3://raw/train/"}, "a.csv", "deep/b.csv"]
    cloud.s3.put("raw", "manifest", json.dumps(manifest).encode())

    staged = stage(cloud, tmp_path / "train", s3_channel("s3://raw/manifest", data_type="ManifestFile"))

    assert staged == {"a.csv": b"1", "deep/b.csv": b"2"}


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (b"{", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"[]", "expected an array that starts with"),
        (b'["a.csv"]', "expected an array that starts with"),
        (b'[{"prefix": "s3://raw/train/"}]', "no key follows the prefix"),
        (b'[{"prefix": "s3://raw/train/"}, 1]', "key 1: 1 with its prefix is not the S3 address of an object"),
        (b'[{"prefix": "s3://raw/train/"}, "absent"]', 'there is no S3 object "s3://raw/train/absent"'),
        (b'[{"prefix": "s3://raw/"}, "../escaped"]', "leads out of the folder"),
    ],
)
def test_refuses_a_manifest(cloud: Cloud, tmp_path: Path, manifest: bytes, message: str) -> None:
    cloud.s3.put("raw", "manifest", manifest)

    with pytest.raises(JobDataError, match=message):
        stage(cloud, tmp_path / "train", s3_channel("s3://raw/manifest", data_type="ManifestFile"))


def test_copies_nothing_of_a_channel_in_pipe_mode(cloud: Cloud, tmp_path: Path) -> None:
    cloud.s3.put("raw", "train/a.csv", b"1")

    assert stage(cloud, tmp_path / "train", s3_channel("s3://raw/train/", InputMode="Pipe")) == {}


def test_shows_a_writable_directory_of_a_file_system_itself(cloud: Cloud, tmp_path: Path) -> None:
    folder = cloud.add_efs("fs-0123456789abcdef0")
    (folder / "lists").mkdir()
    (folder / "lists" / "train.lst").write_bytes(b"1")

    staged = stage(cloud, tmp_path / "train", file_system_channel("fs-0123456789abcdef0", "/lists", "rw"))

    assert staged == {"train.lst": b"1"}
    assert (tmp_path / "train").resolve() == folder / "lists"


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (file_system_channel("fs-0aaaaaaaaaaaaaaaa", "/", "ro"), "File system fs-0aaaaaaaaaaaaaaaa does not exist"),
        (file_system_channel("fs-0123456789abcdef0", "/absent", "ro"), 'Directory "/absent" does not exist'),
    ],
)
def test_refuses_a_file_system_channel(cloud: Cloud, tmp_path: Path, channel: dict[str, Any], message: str) -> None:
    cloud.add_efs("fs-0123456789abcdef0")

    with pytest.raises(JobDataError, match=message):
        stage(cloud, tmp_path / "train", channel)
