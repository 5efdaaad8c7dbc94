"""Mirrors: what is deleted, and what never is."""

import os
from pathlib import Path

import pytest

from headrace import data
from headrace.data.patterns import Pattern, Patterns
from tests.headrace.data.buckets import Bucket, read_folder
from tests.headrace.data.stub_s3 import Answer, Stub


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def test_deletes_what_the_source_has_not_and_the_folders_that_get_empty(tmp_path: Path) -> None:
    source = fill(tmp_path / "source", "a", "b/c")
    target = fill(tmp_path / "target", "a", "old", "deep/er/old")

    report = data.replicate(source, target, mirror=True)

    assert report.deleted == ("deep/er/old", "old")
    assert sorted(read_folder(target)) == ["a", "b/c"]
    assert not (target / "deep").exists()


def test_leaves_alone_what_the_patterns_leave_out(tmp_path: Path) -> None:
    source = fill(tmp_path / "source", "a.jpg")
    target = fill(tmp_path / "target", "old.jpg", "notes.txt")
    images = Patterns([Pattern("*", takes=False), Pattern("*.jpg", takes=True)])

    data.replicate(source, target, takes=images.takes, mirror=True)

    assert sorted(read_folder(target)) == ["a.jpg", "notes.txt"]


def test_deletes_a_link_and_nothing_behind_it(tmp_path: Path) -> None:
    source, elsewhere = fill(tmp_path / "source", "a"), fill(tmp_path / "elsewhere", "precious")
    target = fill(tmp_path / "target", "a")
    (target / "file").symlink_to(elsewhere / "precious")
    (target / "folder").symlink_to(elsewhere)
    os.mkfifo(target / "pipe")

    report = data.replicate(source, target, mirror=True)

    assert report.deleted == ("file",)
    assert sorted(path.name for path in target.iterdir()) == ["a", "folder", "pipe"]
    assert read_folder(elsewhere) == {"precious": b"x"}


def test_refuses_an_empty_source(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    target = fill(tmp_path / "target", "precious")

    with pytest.raises(data.DataError, match="is empty, so its mirror would delete everything"):
        data.replicate(tmp_path / "source", target, mirror=True)

    assert read_folder(target) == {"precious": b"x"}


@pytest.mark.parametrize(("source", "target"), [("in", "."), (".", "in"), (".", ".")])
def test_refuses_places_that_lie_in_each_other(tmp_path: Path, source: str, target: str) -> None:
    fill(tmp_path, "in/a", "b")

    with pytest.raises(data.AddressError, match="a mirror would delete its own source"):
        data.replicate(tmp_path / source, tmp_path / target, mirror=True)

    assert sorted(read_folder(tmp_path)) == ["b", "in/a"]


@pytest.mark.parametrize(("source", "target"), [("/a", ""), ("", "/a/"), ("/a", "/a")])
def test_refuses_prefixes_that_lie_in_each_other(stub: Stub, source: str, target: str) -> None:
    stub.reset({"a/1": b"", "b": b""})

    with pytest.raises(data.AddressError, match="a mirror would delete its own source"):
        data.replicate(stub.uri + source, stub.uri + target, mirror=True)


def test_refuses_a_source_of_nothing_but_empty_folders(stub: Stub) -> None:
    stub.reset({"from/cats/": b"", "to/precious": b"x"})

    with pytest.raises(data.DataError, match="is empty, so its mirror would delete everything"):
        data.replicate(f"{stub.uri}/from/", f"{stub.uri}/to/", mirror=True)


@pytest.mark.parametrize("refused", ["LIST", "GET"])
def test_deletes_nothing_when_s3_refuses_something(stub: Stub, tmp_path: Path, refused: str) -> None:
    target = fill(tmp_path, "old")
    stub.refusals[refused] = Answer("AccessDenied")

    with pytest.raises(data.DataError, match="AccessDenied"):
        data.replicate(stub.uri, target, mirror=True)

    assert sorted(read_folder(target)) == ["old"]


def test_refuses_one_object(tmp_path: Path) -> None:
    fill(tmp_path, "a")

    with pytest.raises(data.AddressError, match="is one object; only a folder or a prefix can be mirrored"):
        data.replicate(tmp_path / "a", tmp_path / "b", mirror=True)


@pytest.mark.slow
def test_mirrors_to_s3_and_back(bucket: Bucket, tmp_path: Path) -> None:
    source = fill(tmp_path / "source", "a", "b/c")
    for key in ("set/old", "set/odd\r", "set/", "settings", "set/marker/"):
        bucket.put(key, b"")

    up = data.replicate(source, f"{bucket.uri}/set", mirror=True)
    target = fill(tmp_path / "target", "a", "old")
    down = data.replicate(f"{bucket.uri}/set", target, mirror=True)

    assert up.deleted == ("odd\r", "old")
    assert bucket.list_keys() == ["set/", "set/a", "set/b/c", "set/marker/", "settings"]
    assert down.deleted == ("old",)
    assert sorted(read_folder(target)) == ["a", "b/c"]


@pytest.mark.slow
def test_keeps_files_whose_keys_have_empty_segments(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("a//b")
    data.replicate(bucket.uri, tmp_path)

    assert data.replicate(bucket.uri, tmp_path, mirror=True).deleted == ()
    assert sorted(read_folder(tmp_path)) == ["a/b"]
