import os
from pathlib import Path
from typing import Any

import pytest

from headrace.local.sagemaker import volumes
from headrace.local.sagemaker.errors import AlgorithmError
from headrace.local.sagemaker.volumes import Volume, measure_folder
from tests.headrace.local.sagemaker.cloud import Cloud, s3_channel

MIB = 1024**2
WRITE = "(ml / 'model' / 'model.bin').write_bytes(b'x' * 2**21)\n"


@pytest.fixture
def small_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gigabyte of a mebibyte, looked at often."""
    monkeypatch.setattr(volumes, "GIB", MIB)
    monkeypatch.setattr(volumes, "LOOKING_INTERVAL_SECONDS", 0.05)


def resources(size_gib: int) -> dict[str, Any]:
    return {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": size_gib}}


def test_counts_what_files_take_and_no_holes_links_or_pipes(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"x" * MIB)
    with (tmp_path / "hole").open("wb") as file:
        file.truncate(100 * MIB)
    (tmp_path / "link").symlink_to("/usr")
    os.mkfifo(tmp_path / "pipe")

    assert MIB <= measure_folder(tmp_path) < 2 * MIB


def test_leaves_folders_out(tmp_path: Path) -> None:
    (tmp_path / "streamed").mkdir()
    (tmp_path / "streamed" / "file").write_bytes(b"x" * MIB)

    assert measure_folder(tmp_path, {tmp_path / "streamed"}) == 0


def test_says_how_much_is_taken_of_how_much() -> None:
    with pytest.raises(AlgorithmError, match=r"hold 2\.0 GiB, its VolumeSizeInGB is 1; ask for a larger volume"):
        Volume(1, lambda: 2 * 1024**3).check()


def test_has_room_without_end_when_no_size_was_asked_for() -> None:
    Volume(None, lambda: 10**18).check()


def test_fails_a_job_that_filled_its_volume_before_it_ended(cloud: Cloud, small_gigabytes: None) -> None:
    job = cloud.train_to_end(cloud.push_image(WRITE), **resources(1))

    assert job["FailureReason"].startswith("AlgorithmError: No space left on device")
    assert cloud.s3.keys("work") == []


def test_ends_a_job_that_fills_its_volume_and_goes_on(cloud: Cloud, small_gigabytes: None) -> None:
    job = cloud.train_to_end(cloud.push_image(WRITE + "import signal; signal.pause()"), **resources(1))

    assert job["FailureReason"].startswith("AlgorithmError: No space left on device")


def test_completes_a_job_whose_volume_is_large_enough(cloud: Cloud, small_gigabytes: None) -> None:
    assert cloud.train_to_end(cloud.push_image(WRITE), **resources(3))["TrainingJobStatus"] == "Completed"


def test_does_not_count_a_channel_that_is_streamed(cloud: Cloud, small_gigabytes: None) -> None:
    cloud.s3.put("raw", "train/a", b"x" * 2 * MIB)
    channel = s3_channel("s3://raw/train/", InputMode="FastFile")

    job = cloud.train_to_end(cloud.push_image("pass"), InputDataConfig=[channel], **resources(1))

    assert job["TrainingJobStatus"] == "Completed"


def test_stores_no_files_that_are_larger_than_the_volume_with_their_holes(cloud: Cloud) -> None:
    program = "os.truncate(os.open(ml / 'model' / 'model.bin', os.O_CREAT | os.O_RDWR), 2 * 1024**3)"

    job = cloud.train_to_end(cloud.push_image(program), **resources(1))

    assert job["FailureReason"] == (
        "ClientError: model holds 2147483648 bytes, more than the 1073741824 of VolumeSizeInGB"
    )
