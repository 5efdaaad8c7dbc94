"""Copies of which S3 refuses a part: the others are copied, and each refused one is told."""

from pathlib import Path

import pytest

from headrace import data
from tests.headrace.data.buckets import read_folder
from tests.headrace.data.stub_s3 import MESSAGE, Answer, Stub

ALL = {f"k{number}": b"hello" for number in range(5)}


@pytest.mark.parametrize("code", ["InvalidObjectState", "AccessDenied", "KMS.DisabledException", "Odd"])
def test_downloads_the_others_when_one_is_refused(stub: Stub, tmp_path: Path, code: str) -> None:
    stub.refusals["GET", "k2"] = Answer(code)

    with pytest.raises(data.IncompleteError) as stopped:
        data.replicate(stub.uri, tmp_path)

    assert read_folder(tmp_path) == {key: content for key, content in ALL.items() if key != "k2"}
    (skipped,) = stopped.value.report.skipped
    assert skipped.name == "k2"
    assert skipped.reason.startswith(f"{code}: {MESSAGE}")


def test_skips_a_large_object_of_which_one_part_is_refused(stub: Stub, tmp_path: Path) -> None:
    stub.objects["large"] = bytes(20 * 1024 * 1024)
    stub.refusals["GET", "large"] = Answer("InvalidObjectState")

    with pytest.raises(data.IncompleteError, match="large: InvalidObjectState"):
        data.replicate(stub.uri, tmp_path)

    assert read_folder(tmp_path) == ALL


def test_uploads_the_others_when_one_is_refused(stub: Stub, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"x")
    stub.refusals["PUT", "new/b"] = Answer("AccessDenied")

    with pytest.raises(data.IncompleteError, match="b: AccessDenied"):
        data.replicate(tmp_path, f"{stub.uri}/new/")

    assert {"new/a", "new/c"} <= set(stub.objects)


def test_copies_the_others_between_buckets_when_one_is_refused(stub: Stub) -> None:
    stub.refusals["COPY", "new/k2"] = Answer("ObjectNotInActiveTierError")

    with pytest.raises(data.IncompleteError, match=r"k2: ObjectNotInActiveTierError: .*restore it first"):
        data.replicate(stub.uri, f"{stub.uri}/new/")

    assert {f"new/{key}" for key in ALL if key != "k2"} <= set(stub.objects)


@pytest.mark.parametrize("size", [100, 20 * 1024 * 1024])
def test_skips_an_object_that_is_cut_off(stub: Stub, tmp_path: Path, size: int) -> None:
    stub.objects["cut"] = bytes(size)
    stub.cut.add("cut")

    with pytest.raises(data.IncompleteError, match=r"cut off|bytes"):
        data.replicate(stub.uri, tmp_path)

    assert read_folder(tmp_path) == ALL


@pytest.mark.parametrize("code", ["ExpiredToken", "RequestTimeTooSkewed", "NoSuchBucket"])
def test_ends_at_once_for_what_all_others_would_meet(stub: Stub, tmp_path: Path, code: str) -> None:
    stub.refusals["GET"] = Answer(code)

    with pytest.raises(data.BlockedError, match=f"{code}: {MESSAGE}"):
        data.replicate(stub.uri, tmp_path, workers=1)

    assert sum(operation == "GET" for operation, _ in stub.asked) == 1


def test_says_why_a_single_object_does_not_come(stub: Stub, tmp_path: Path) -> None:
    stub.refusals["GET", "k0"] = Answer("InvalidObjectState")

    with pytest.raises(data.DataError, match=r"s3://stub/k0: InvalidObjectState: .*restore it first"):
        data.replicate(f"{stub.uri}/k0", tmp_path / "k0")

    assert read_folder(tmp_path) == {}


def test_waits_for_a_slow_answer(stub: Stub, tmp_path: Path) -> None:
    stub.slow_seconds = 0.2

    assert len(data.replicate(stub.uri, tmp_path).copied) == 5
