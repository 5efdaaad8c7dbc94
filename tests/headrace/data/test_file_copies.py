"""Replicas on this machine: the twin of those with S3."""

from pathlib import Path

import pytest

from headrace import data
from tests.headrace.data.buckets import read_folder


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "cats").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"a")
    (folder / "cats" / "1.jpg").write_bytes(b"cat")
    return folder


def test_copies_a_folder(images: Path, tmp_path: Path) -> None:
    report = data.replicate(images, tmp_path / "copy")

    assert report.copied == ("a.jpg", "cats/1.jpg")
    assert read_folder(tmp_path / "copy") == read_folder(images)


def test_copies_only_what_changed(images: Path, tmp_path: Path) -> None:
    data.replicate(images, tmp_path / "copy")
    (images / "a.jpg").write_bytes(b"b")

    report = data.replicate(images, tmp_path / "copy")

    assert (report.copied, report.unchanged) == (("a.jpg",), ("cats/1.jpg",))


def test_copies_one_file_into_a_folder(images: Path, tmp_path: Path) -> None:
    data.replicate(images / "a.jpg", f"{tmp_path}/new/")

    assert read_folder(tmp_path / "new") == {"a.jpg": b"a"}


def test_changes_nothing_in_a_dry_run(images: Path, tmp_path: Path) -> None:
    assert data.replicate(images, tmp_path / "copy", dry_run=True).copied == ("a.jpg", "cats/1.jpg")
    assert not (tmp_path / "copy").exists()


def test_reports_files_that_are_gone_by_their_turn(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [*data.list_objects(images, recursive=True), data.Entry("gone", 1, 0)]
    monkeypatch.setattr("headrace.data.replication.find_entries", lambda _: (images, listed))

    assert data.replicate(images, tmp_path / "copy").missing == ("gone",)


def test_says_when_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(data.MissingObjectError, match="there is nothing at"):
        data.replicate(tmp_path / "nothing", tmp_path / "copy")


def test_lists_and_measures_a_folder(images: Path) -> None:
    assert [entry.name for entry in data.list_objects(images)] == ["a.jpg", "cats/"]
    assert [entry.name for entry in data.list_objects(images, recursive=True)] == ["a.jpg", "cats/1.jpg"]
    assert data.measure_usage(images) == data.Usage(objects=2, bytes=4)


def test_reads_and_writes_a_file(tmp_path: Path) -> None:
    data.write_bytes(tmp_path / "new" / "a", b"content")

    assert data.read_bytes(tmp_path / "new" / "a") == b"content"
    assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "a"]
    with data.open_object(tmp_path / "new" / "a") as file:
        assert file.read(3) == b"con"


def test_gives_a_file_itself_where_a_temporary_one_is_wanted(images: Path) -> None:
    with data.temporary_file(images / "a.jpg") as path:
        assert path == images / "a.jpg"
    assert path.exists()


def test_gives_frameworks_no_options_for_a_path() -> None:
    assert data.storage_options("sales.csv") == {}


@pytest.mark.parametrize("dry_run", [False, True])
def test_refuses_a_file_as_the_target_of_a_folder(images: Path, tmp_path: Path, dry_run: bool) -> None:
    (tmp_path / "file").write_bytes(b"x")

    with pytest.raises(data.DataError, match=r"file is not a folder, and .*images has 2 files; name a folder"):
        data.replicate(images, tmp_path / "file", dry_run=dry_run)

    assert (tmp_path / "file").read_bytes() == b"x"


@pytest.mark.parametrize("dry_run", [False, True])
def test_says_that_a_folder_is_in_the_place_of_one_file(images: Path, tmp_path: Path, dry_run: bool) -> None:
    (tmp_path / "to" / "a.jpg").mkdir(parents=True)

    with pytest.raises(data.DataError, match=r"to/a\.jpg: a folder has its name"):
        data.replicate(images / "a.jpg", tmp_path / "to", dry_run=dry_run)
