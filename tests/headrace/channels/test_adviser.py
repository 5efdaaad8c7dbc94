"""Which storage is recommended, and on what grounds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.channels.adviser import Changes, Place, Storage, Workload, WorkloadError, advise

GB = 10**9
IMAGES = Workload(where=Place.S3, size_bytes=50 * GB, files=500, passes=30, changes=Changes.NEVER)
MANY_IMAGES = replace(IMAGES, size_bytes=500 * GB, files=200_000, jobs=30)
LISTS = Workload(where=Place.S3, size_bytes=5_000_000, files=4, passes=30, changes=Changes.CONSTANTLY)


def recommend(workload: Workload) -> Storage:
    return advise(workload).recommended.storage


def test_stays_on_s3_when_copying_takes_an_acceptable_time() -> None:
    assert recommend(IMAGES) is Storage.S3_FILE


def test_links_lustre_to_the_bucket_when_jobs_must_start_sooner_and_read_the_same_data_again() -> None:
    assert recommend(MANY_IMAGES) is Storage.FSX


def test_stays_on_efs_when_a_team_iterates_and_shares_there() -> None:
    team = replace(IMAGES, where=Place.EFS, changes=Changes.SOMETIMES, shared_by_posix=True)

    assert recommend(team) is Storage.EFS


@pytest.mark.parametrize(
    ("where", "storage"),
    [(Place.S3, Storage.EFS), (Place.LOCAL, Storage.EFS), (Place.EFS, Storage.EFS), (Place.FSX, Storage.FSX)],
)
def test_puts_lists_that_change_constantly_on_a_file_system(where: Place, storage: Storage) -> None:
    assert recommend(replace(LISTS, where=where)) is storage


@pytest.mark.parametrize("where", [Place.S3, Place.EFS, Place.LOCAL])
def test_puts_content_that_never_changes_on_s3(where: Place) -> None:
    assert recommend(replace(IMAGES, where=where)) is Storage.S3_FILE


def test_leaves_data_on_efs_when_it_is_read_only_once() -> None:
    assert recommend(replace(IMAGES, where=Place.EFS, passes=1)) is Storage.EFS


def test_leaves_data_on_efs_when_it_still_changes() -> None:
    assert recommend(replace(IMAGES, where=Place.EFS, changes=Changes.SOMETIMES)) is Storage.EFS


def test_shares_much_data_by_lustre_when_its_standing_cost_is_less_than_reading_efs() -> None:
    shared = replace(IMAGES, size_bytes=20_000 * GB, shared_by_posix=True)

    assert recommend(shared) is Storage.FSX


def test_streams_through_a_pipe_when_the_data_does_not_fit_a_volume() -> None:
    assert recommend(replace(IMAGES, size_bytes=20_000 * GB)) is Storage.S3_PIPE


def test_says_why_a_storage_is_out() -> None:
    options = advise(replace(IMAGES, size_bytes=20_000 * GB)).options

    assert {option.storage: option.obstacle for option in options if option.obstacle} == {
        Storage.S3_FILE: "20 TB do not fit a volume of 16,384 GiB"
    }


def test_copies_for_long_when_the_job_reads_for_much_longer() -> None:
    assert recommend(replace(MANY_IMAGES, jobs=1)) is Storage.S3_FILE


def test_does_not_copy_for_long_when_told_so() -> None:
    assert recommend(replace(MANY_IMAGES, jobs=1, acceptable_start_seconds=60)) is Storage.FSX


def test_streams_with_fast_file_when_large_files_are_read_once() -> None:
    assert recommend(replace(MANY_IMAGES, files=5000, passes=1, jobs=1)) is Storage.S3_FAST_FILE


def test_streams_through_a_pipe_when_small_files_are_read_once() -> None:
    assert recommend(replace(MANY_IMAGES, files=5_000_000, passes=1, jobs=1)) is Storage.S3_PIPE


def test_streams_when_many_instances_would_share_the_throughput_of_lustre() -> None:
    assert recommend(replace(MANY_IMAGES, files=5000, instances=8)) is Storage.S3_FAST_FILE


def test_says_what_s3_would_cost_when_lustre_is_not_needed_for_good() -> None:
    reasons = advise(replace(IMAGES, where=Place.FSX)).reasons

    assert reasons[-1] == "Nothing here needs a permanent file system: once it is deleted, a month on S3 costs $1.07."


def test_gives_the_figures_it_decides_by() -> None:
    assert advise(MANY_IMAGES).reasons == (
        "The data is on S3 already.",
        "Copying would take 50 min, longer than the 10 min such a job may wait.",
        "FSx for Lustre linked to the bucket starts at once and keeps what the first pass has loaded, where streaming "
        "fetches everything again: all passes take 18.1 h against 25.1 h, for $179 a month.",
    )


def test_marks_what_has_to_be_filled_in() -> None:
    source = advise(MANY_IMAGES).recommended.channel.render()["DataSource"]["FileSystemDataSource"]

    assert (source["FileSystemId"], source["DirectoryPath"]) == ("<FILE-SYSTEM-ID>", "/<MOUNT-NAME>/<DIRECTORY>")


@pytest.mark.parametrize("storage", Storage)
def test_defines_the_channel_in_the_mode_of_its_name(storage: Storage) -> None:
    [option] = [option for option in advise(IMAGES).options if option.storage is storage]

    expected = {Storage.S3_FAST_FILE: "FastFile", Storage.S3_PIPE: "Pipe"}.get(storage, "File")
    assert option.channel.render()["InputMode"] == expected


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("size_bytes", 0, "size_bytes is 0; give at least 1"),
        ("files", 0, "files is 0; give at least 1"),
        ("passes", 0, "passes is 0; give at least 1"),
        ("jobs", 31, "31 jobs in 30 passes; a job makes at least one pass, so give at least 31 passes"),
        ("instances", -1, "instances is -1; give at least 1"),
        ("volume_bytes", 0, "volume_bytes is 0; give at least 1"),
        ("acceptable_start_seconds", -1.0, "acceptable_start_seconds is -1.0; give 0 or more"),
        ("acceptable_start_seconds", float("nan"), "acceptable_start_seconds is nan; give 0 or more"),
    ],
)
def test_refuses_a_workload_that_cannot_be(field: str, value: float, message: str) -> None:
    changed: dict[str, object] = {field: value}

    with pytest.raises(WorkloadError) as refusal:
        replace(IMAGES, **changed)  # type: ignore[arg-type]

    assert str(refusal.value) == message


@given(
    where=st.sampled_from(Place),
    changes=st.sampled_from(Changes),
    size_bytes=st.integers(1, 10**17),
    files=st.integers(1, 10**9),
    passes=st.integers(1, 1000),
    instances=st.integers(1, 100),
    shared_by_posix=st.booleans(),
)
def test_recommends_something_that_can_be_used(
    where: Place,
    changes: Changes,
    size_bytes: int,
    files: int,
    passes: int,
    instances: int,
    shared_by_posix: bool,
) -> None:
    workload = Workload(
        where=where,
        changes=changes,
        size_bytes=size_bytes,
        files=files,
        passes=passes,
        instances=instances,
        shared_by_posix=shared_by_posix,
    )

    advice = advise(workload)

    assert advice.recommended.obstacle == ""
    assert advice.reasons
    assert {option.storage for option in advice.options} == set(Storage)


def test_lists_the_cheaper_options_first_after_the_recommended_one() -> None:
    others = advise(MANY_IMAGES).options[1:]

    months = [option.estimate.month_dollars for option in others]
    assert months == sorted(months)
