"""Refusals of S3: its own code and message reach the caller, whatever asks."""

from collections.abc import Callable
from pathlib import Path

import pytest

from headrace import data
from headrace.data.errors import AccessDeniedError, BlockedError, DataError, explaining
from tests.headrace.data.stub_s3 import BUCKET, MESSAGE, Answer, Stub

ROLE = "the role needs"
CODES = {
    "AccessDenied": ROLE,
    "ExpiredToken": "sign in again",
    "InvalidAccessKeyId": "check AWS_PROFILE",
    "InvalidObjectState": "restore it first",
    "KMS.DisabledException": "enable the key in KMS",
    "KMS.KMSInvalidStateException": "look at the key's state",
    "RequestTimeTooSkewed": "correct the clock of this machine",
    "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY",
    "AllAccessDisabled": "ask the owner of the AWS account",
    "SomethingNobodyKnows": "",
}


def read_in_ranges(stub: Stub, _folder: Path) -> None:
    with data.open_object(f"{stub.uri}/k0") as file:
        file.read()


def list_all(stub: Stub, _folder: Path) -> None:
    list(data.list_objects(stub.uri))


OPERATIONS: dict[str, tuple[str, Callable[[Stub, Path], object]]] = {
    "list": ("LIST", list_all),
    "read": ("GET", lambda stub, _: data.read_bytes(f"{stub.uri}/k0")),
    "read in ranges": ("GET", read_in_ranges),
    "download": ("GET", lambda stub, folder: data.replicate(f"{stub.uri}/k0", folder)),
    "write": ("PUT", lambda stub, _: data.write_bytes(f"{stub.uri}/new", b"x")),
    "upload in parts": ("CREATE", lambda stub, folder: data.replicate(folder / "large", f"{stub.uri}/new")),
    "copy": ("COPY", lambda stub, _: data.replicate(f"{stub.uri}/k0", f"{stub.uri}/new")),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    return tmp_path


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_tells_the_code_the_message_and_the_next_step(stub: Stub, folder: Path, operation: str, code: str) -> None:
    kind, ask = OPERATIONS[operation]
    stub.refusals[kind] = Answer(code)

    with pytest.raises(DataError) as refusal:
        ask(stub, folder)

    told = str(refusal.value)
    assert f"{code}: {MESSAGE}" in told
    assert CODES[code] in told
    assert (ROLE in told) == (code == "AccessDenied")
    assert isinstance(refusal.value, AccessDeniedError) == (code == "AccessDenied")


@pytest.mark.parametrize("code", CODES)
def test_asks_for_the_reason_where_head_has_no_body_to_tell_it(stub: Stub, code: str) -> None:
    stub.refusals |= {"HEAD": Answer(code), "GET": Answer(code)}

    with pytest.raises(DataError, match=f"{code}: {MESSAGE}"):
        data.open_object(f"{stub.uri}/k0")


@pytest.mark.parametrize("status", [400, 403])
def test_says_so_where_no_reason_is_given_at_all(stub: Stub, status: int) -> None:
    stub.refusals |= {name: Answer("", status, has_body=False) for name in ("HEAD", "GET")}

    for ask in (data.open_object, data.read_bytes):
        with pytest.raises(DataError, match=f"{status}: ") as refusal:
            ask(f"{stub.uri}/k0")
        assert ROLE not in str(refusal.value)


@pytest.mark.parametrize("ask", [data.read_bytes, data.open_object])
def test_says_that_the_bucket_is_missing_whatever_is_asked(stub: Stub, ask: Callable[[str], object]) -> None:
    no_bucket = Answer("NoSuchBucket", 404, message="The specified bucket does not exist")
    stub.refusals |= {"HEAD": no_bucket, "GET": no_bucket}

    with pytest.raises(BlockedError, match="NoSuchBucket: The specified bucket does not exist; check its name"):
        ask(f"{stub.uri}/x")


def test_names_the_region_of_a_bucket_that_is_elsewhere(stub: Stub) -> None:
    moved = Answer("AuthorizationHeaderMalformed", 400, headers={"x-amz-bucket-region": "eu-west-1"})
    stub.refusals |= {"LIST": moved, "HEAD": moved}

    with pytest.raises(BlockedError, match=r"AuthorizationHeaderMalformed: .*to the bucket's Region, eu-west-1"):
        list(data.list_objects(stub.uri))


def test_says_that_a_bucket_is_in_another_region_when_an_object_is_read(stub: Stub) -> None:
    stub.refusals["GET"] = Answer("PermanentRedirect", 301)

    with pytest.raises(BlockedError, match=r"PermanentRedirect: .*set AWS_DEFAULT_REGION"):
        data.read_bytes(f"{stub.uri}/k0")


def test_tells_of_a_busy_s3_once_it_has_been_asked_often_enough(stub: Stub) -> None:
    stub.refusals["LIST"] = Answer("SlowDown", 503)

    with pytest.raises(DataError, match=r"SlowDown: .*S3 is busy"):
        list(data.list_objects(stub.uri))


def test_says_that_an_answer_was_cut_off(stub: Stub) -> None:
    stub.cut.add("k0")

    with pytest.raises(data.DamagedObjectError, match=f"s3://{BUCKET}/k0 was cut off in transit"):
        data.read_bytes(f"{stub.uri}/k0")


def test_takes_an_answer_that_is_not_s3s_for_a_fault(stub: Stub) -> None:
    stub.refusals["LIST"] = Answer("", 200, text="<html>sign in to the network")

    with pytest.raises(DataError, match=f"s3://{BUCKET}/: "):
        list(data.list_objects(stub.uri))


def test_shows_odd_subjects_on_one_line() -> None:
    with pytest.raises(DataError, match=r"s3://b/a\\rb\\x1b: odd"), explaining("s3://b/a\rb\x1b"):
        raise ValueError("odd")
