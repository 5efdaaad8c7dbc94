"""Times and costs, against figures worked out by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.channels.estimates import estimate, size_fsx_gib
from headrace.channels.throughput import GIB, TIB
from headrace.channels.workload import Changes, Place, Storage, Workload

GB = 10**9
SHARDS = Workload(where=Place.S3, size_bytes=50 * GB, files=500, passes=10, changes=Changes.NEVER)
SMALL_FILES = replace(SHARDS, files=1_000_000)
A_TEBIBYTE = replace(SHARDS, size_bytes=TIB, files=1024)


def test_copies_50_gb_in_the_five_minutes_that_aws_says() -> None:
    assert estimate(Storage.S3_FILE, SHARDS).first_byte_seconds == pytest.approx(300, abs=1)


def test_copies_at_the_rate_of_requests_when_files_are_small() -> None:
    # A million files at a thousand a second, after listing a thousand pages.
    assert estimate(Storage.S3_FILE, SMALL_FILES).first_byte_seconds == pytest.approx(1000 + 50, abs=1)


def test_waits_for_every_small_file_in_fast_file_mode() -> None:
    assert estimate(Storage.S3_FAST_FILE, SMALL_FILES).pass_seconds == pytest.approx(1_000_000 * 0.05 / 8)


def test_copies_once_a_job_and_not_once_a_pass() -> None:
    two_jobs = estimate(Storage.S3_FILE, replace(SHARDS, jobs=2))
    one_job = estimate(Storage.S3_FILE, SHARDS)

    assert two_jobs.total_seconds - one_job.total_seconds == pytest.approx(one_job.first_byte_seconds)


def test_pays_requests_of_fast_file_in_every_pass() -> None:
    # Ten passes of a million GETs, and one listing of a thousand pages.
    assert estimate(Storage.S3_FAST_FILE, SMALL_FILES).run_dollars == pytest.approx(10 * 0.4 + 0.005)


def test_pays_requests_of_file_mode_once_a_job() -> None:
    assert estimate(Storage.S3_FILE, SMALL_FILES).run_dollars == pytest.approx(0.4 + 0.005)


def test_pays_for_every_pass_over_efs() -> None:
    assert estimate(Storage.EFS, A_TEBIBYTE).run_dollars == pytest.approx(1024 * 10 * 0.03)


def test_pays_four_kib_for_the_smallest_files_on_efs() -> None:
    tiny = replace(SHARDS, size_bytes=GIB // 4096, files=GIB // 4096, passes=1)

    assert estimate(Storage.EFS, tiny).run_dollars == pytest.approx(0.03)


def test_pays_for_writing_to_efs_once() -> None:
    assert estimate(Storage.EFS, A_TEBIBYTE).once_dollars == pytest.approx(1024 * 0.06 + 1024 * 0.0000004)


def test_pays_for_reading_efs_when_data_leaves_it() -> None:
    leaving = replace(A_TEBIBYTE, where=Place.EFS)

    assert estimate(Storage.S3_FILE, leaving).once_dollars == pytest.approx(1024 * 0.03 + 1024 * 0.000005)


def test_keeps_1200_gib_of_lustre_for_any_smaller_data() -> None:
    tiny = replace(SHARDS, where=Place.FSX, size_bytes=GB)

    assert estimate(Storage.FSX, tiny).standing_dollars_per_month == pytest.approx(168)


def test_pays_for_the_bucket_behind_lustre() -> None:
    linked = estimate(Storage.FSX, A_TEBIBYTE).standing_dollars_per_month

    assert linked == pytest.approx(168 + estimate(Storage.S3_FILE, A_TEBIBYTE).standing_dollars_per_month)


def test_pays_for_watching_objects_of_128_kib_and_more() -> None:
    watched = replace(SHARDS, size_bytes=1_000_000 * 128 * 1024, files=1_000_000)
    unwatched = replace(watched, files=1_000_001)

    difference = (
        estimate(Storage.S3_FILE, watched).standing_dollars_per_month
        - estimate(Storage.S3_FILE, unwatched).standing_dollars_per_month
    )
    assert difference == pytest.approx(2.5)


def test_reads_the_first_pass_of_linked_lustre_from_the_bucket() -> None:
    linked = estimate(Storage.FSX, SHARDS)

    assert linked.first_pass_seconds == pytest.approx(300)
    assert linked.pass_seconds == pytest.approx(50 * GB / (1200 / 1024 * 200e6))


def test_shares_the_throughput_of_lustre_among_instances() -> None:
    one, four = (estimate(Storage.FSX, replace(SHARDS, instances=count)).pass_seconds for count in (1, 4))

    assert four == pytest.approx(4 * one)


@pytest.mark.parametrize(
    ("storage", "place"),
    [(Storage.S3_PIPE, Place.S3), (Storage.EFS, Place.EFS), (Storage.FSX, Place.FSX)],
)
def test_needs_no_setup_when_the_data_is_there(storage: Storage, place: Place) -> None:
    figures = estimate(storage, replace(SHARDS, where=place))

    assert (figures.once_seconds, figures.once_dollars) == (0, 0)


def test_uploads_what_is_not_on_aws_yet() -> None:
    local = estimate(Storage.S3_FILE, replace(SHARDS, where=Place.LOCAL))

    assert local.once_seconds == pytest.approx(4000)
    assert local.once_dollars == pytest.approx(500 * 0.000005)


@pytest.mark.parametrize(
    ("size_bytes", "capacity"),
    [(1, 1200), (1200 * GIB, 1200), (1200 * GIB + 1, 2400), (2400 * GIB, 2400), (2400 * GIB + 1, 4800)],
)
def test_sizes_lustre_in_the_steps_that_can_be_had(size_bytes: int, capacity: int) -> None:
    assert size_fsx_gib(size_bytes) == capacity


@given(storage=st.sampled_from(Storage), where=st.sampled_from(Place), passes=st.integers(1, 100))
def test_never_saves_by_another_pass(storage: Storage, where: Place, passes: int) -> None:
    workload = replace(SHARDS, where=where, passes=passes)

    fewer, more = estimate(storage, workload), estimate(storage, replace(workload, passes=passes + 1))

    assert more.total_seconds > fewer.total_seconds
    assert more.month_dollars >= fewer.month_dollars
