from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from urllib3 import HTTPResponse

from containers.normalizer.failures import StorageError
from containers.normalizer.storage import (
    ObjectError,
    Storage,
    StoredObject,
    UnchangedError,
    connect,
    explaining,
)
from headrace.s3.addresses import S3Address
from tests.containers.normalizer.fake_s3 import PAGE, START, FakeS3, refusal

PLACE = S3Address("raw", "images/0.jpg")


@pytest.mark.parametrize("code", ["AccessDenied", "403", "NoSuchBucket", "ExpiredToken", "InvalidAccessKeyId"])
def test_ends_the_job_for_what_every_object_would_meet(code: str) -> None:
    with pytest.raises(StorageError, match=r"s3://raw/images/0\.jpg: "), explaining(PLACE):
        raise refusal(code, 403)


@pytest.mark.parametrize(
    ("code", "is_final"),
    [
        ("NoSuchKey", True),
        ("InvalidObjectState", True),
        ("KeyTooLongError", True),
        ("PreconditionFailed", False),
        ("SlowDown", False),
        ("InternalError", False),
    ],
)
def test_tells_what_the_next_run_would_meet_again(code: str, is_final: bool) -> None:
    with pytest.raises(ObjectError) as failed, explaining(PLACE):
        raise refusal(code, 400)

    assert (failed.value.code, failed.value.is_final) == (code, is_final)


def test_says_what_to_do_without_credentials() -> None:
    with pytest.raises(StorageError, match="no AWS credentials found; set AWS_PROFILE"), explaining(PLACE):
        raise NoCredentialsError


def test_says_what_to_do_when_s3_is_not_reached() -> None:
    with pytest.raises(ObjectError, match=r"EndpointConnectionError: .*; run the job again"), explaining(PLACE):
        raise EndpointConnectionError(endpoint_url="https://s3.test")


def test_lists_page_after_page_with_paths_below_the_prefix() -> None:
    s3 = FakeS3()
    for number in range(2 * PAGE + 1):
        s3.put(f"images/{number}.jpg", b"")

    listed = [found.path for found in Storage(s3).list_objects(S3Address("raw", "images/"))]

    assert listed == [f"{number}.jpg" for number in range(2 * PAGE + 1)]


def test_reads_again_when_an_answer_breaks_off() -> None:
    s3 = FakeS3()
    s3.put(PLACE.key, b"pixels")
    s3.broken_reads[PLACE.key] = 2

    with Storage(s3).open(PLACE) as found:
        assert found.read() == b"pixels"


def test_gives_up_reading_when_every_answer_breaks_off() -> None:
    s3 = FakeS3()
    s3.put(PLACE.key, b"pixels")
    s3.broken_reads[PLACE.key] = 10

    with Storage(s3).open(PLACE) as found, pytest.raises(ObjectError, match="ReadTimeoutError") as failed:
        found.read()

    assert not failed.value.is_final
    assert s3.count("GetObject") == 3


def test_never_joins_two_versions_of_an_object() -> None:
    s3 = FakeS3()
    s3.put(PLACE.key, b"pixels")
    s3.broken_reads[PLACE.key] = 1

    with Storage(s3).open(PLACE) as found:
        s3.put(PLACE.key, b"others")
        with pytest.raises(ObjectError, match="PreconditionFailed"):
            found.read()


def test_tells_an_object_that_is_still_the_one_that_is_known() -> None:
    s3 = FakeS3()
    s3.put(PLACE.key, b"pixels")

    with pytest.raises(UnchangedError), Storage(s3).open(PLACE, unless_etag=s3.objects["raw", PLACE.key].etag):
        pass


@pytest.mark.parametrize("ask", [Storage.read, Storage.read_metadata])
def test_tells_a_missing_object_from_a_forbidden_one(ask: Callable[[Storage, S3Address], Any]) -> None:
    s3 = FakeS3()
    assert ask(Storage(s3), PLACE) is None

    s3.refuse("GetObject", PLACE.key, "AccessDenied", 403)
    s3.refuse("HeadObject", PLACE.key, "403", 403)

    with pytest.raises(StorageError):
        ask(Storage(s3), PLACE)


def test_asks_for_the_reason_that_head_does_not_tell() -> None:
    s3 = FakeS3()
    s3.refuse("HeadObject", PLACE.key, "403", 403)
    s3.refuse("GetObject", PLACE.key, "RequestTimeTooSkewed", 403)

    with pytest.raises(
        StorageError, match="RequestTimeTooSkewed: RequestTimeTooSkewed!; correct the clock of this machine"
    ):
        Storage(s3).read_metadata(PLACE)


@pytest.mark.parametrize("code", ["AccessDenied", "403", "ExpiredToken"])
def test_speaks_of_the_role_only_when_a_policy_denies(code: str) -> None:
    with pytest.raises(StorageError) as refused, explaining(PLACE):
        raise refusal(code, 403)

    assert ("the role needs" in str(refused.value)) == (code == "AccessDenied")


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_takes_the_region_that_sagemaker_tells(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv(variable, "eu-central-1")

    assert connect(4)._s3.meta.region_name == "eu-central-1"


def test_reads_lists_without_the_slow_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: Any, **_given: Any) -> AWSResponse:
        found = f"<Contents><Key>a.jpg</Key><LastModified>{START:%Y-%m-%dT%XZ}</LastModified><ETag>1</ETag></Contents>"
        body = f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{found}</ListBucketResult>'
        return AWSResponse(
            request.url, 200, HeadersDict({}), HTTPResponse(BytesIO(body.encode()), preload_content=False)
        )

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "eu-west-1")
    monkeypatch.setattr("dateutil.parser.parse", None)
    storage = connect(1)
    storage._s3.meta.events.register("before-send.s3", answer)

    assert list(storage.list_objects(S3Address("raw", ""))) == [StoredObject("a.jpg", "1", START)]
