"""What a workload's owner is warned of."""

from dataclasses import replace

import pytest

from headrace.channels.estimates import estimate
from headrace.channels.traps import list_traps
from headrace.channels.workload import Changes, Place, Storage, Workload

IMAGES = Workload(where=Place.S3, size_bytes=500 * 10**9, files=200_000, passes=30, changes=Changes.NEVER)
SMALL_FILES = "200,000 files of 2.5 MB are as many requests"


def warn(storage: Storage, workload: Workload = IMAGES) -> str:
    return "\n".join(list_traps(storage, workload, estimate(storage, workload)))


@pytest.mark.parametrize(
    ("storage", "warning"),
    [
        (Storage.S3_FILE, "Everything is copied before training starts: 50 min of paid instance time in every job."),
        (Storage.S3_FILE, SMALL_FILES),
        (Storage.S3_FILE, "archive tiers"),
        (Storage.S3_FAST_FILE, "The prefix must be a whole folder that ends with '/'"),
        (Storage.S3_FAST_FILE, SMALL_FILES),
        (Storage.S3_FAST_FILE, "archive tiers"),
        (Storage.S3_PIPE, "data beyond an instance's disk, 16 TB at most"),
        (Storage.S3_PIPE, "archive tiers"),
        (Storage.EFS, "Elastic throughput bills every pass: $13.97 each, $419 for 30."),
        (Storage.EFS, "Infrequent Access cost $0.01 per GB more to read"),
        (Storage.EFS, "needs a VpcConfig"),
        (Storage.FSX, "1,200 GiB cost $168 a month whether used or not"),
        (Storage.FSX, "The first pass loads from the bucket, at S3's speed: 50 min."),
        (Storage.FSX, "needs a VpcConfig"),
    ],
)
def test_warns_of_what_surprises_people(storage: Storage, warning: str) -> None:
    assert warning in warn(storage)


def test_does_not_warn_of_small_files_when_files_are_large() -> None:
    assert "as many requests" not in warn(Storage.S3_FAST_FILE, replace(IMAGES, files=5000))


def test_warns_that_instances_share_lustre_when_there_are_several() -> None:
    assert "4 instances get a part each" in warn(Storage.FSX, replace(IMAGES, instances=4))


def test_does_not_warn_of_the_first_pass_when_the_data_is_on_lustre() -> None:
    assert "first pass" not in warn(Storage.FSX, replace(IMAGES, where=Place.FSX))
