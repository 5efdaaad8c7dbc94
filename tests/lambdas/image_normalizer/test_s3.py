"""S3 is asked what boto3 would ask it, and its errors keep their words."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config

from lambdas.image_normalizer.connections import Connections, Request
from lambdas.image_normalizer.failures import RefusalError
from lambdas.image_normalizer.s3 import S3, Place, Reply
from lambdas.image_normalizer.signing import Credentials

from .fake_s3 import CREDENTIALS, PLACE, Bucket, serve
from .scripted_server import Step, answer, play

REGION = "eu-west-1"
KEY = "images/a b+ä%//~x/../y.jpg"
NORMALIZED = Reply(
    200,
    {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=300",
        "Content-Type": "image/jpeg",
        "ETag": '"abc"',
        "x-amz-checksum-crc32": "yzRRTg==",
    },
    b"normalized",
)
NORMALIZED_FOR_BOTO3 = {
    "StatusCode": 200,
    "AcceptRanges": "bytes",
    "CacheControl": "private, max-age=300",
    "ContentType": "image/jpeg",
    "ETag": '"abc"',
    "ChecksumCRC32": "yzRRTg==",
    "Body": b"normalized",
}
PART = Reply(206, {"Content-Range": "bytes 0-2/9"}, b"pic")
PART_FOR_BOTO3 = {"StatusCode": 206, "ContentRange": "bytes 0-2/9", "Body": b"pic"}
REFUSAL = Reply(404, error=("NoSuchKey", "There is none."))
REFUSAL_FOR_BOTO3 = {"StatusCode": 404, "ErrorCode": "NoSuchKey", "ErrorMessage": "There is none."}

# boto3 describes itself, asks for checksums that TLS makes needless here, and signs what it has added.
_BOTO3S_OWN = {
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "content-length",
    "user-agent",
    "x-amz-checksum-mode",
    "x-amz-date",
}


class RecordedError(Exception):
    """A request that goes no further."""

    def __init__(self, request: Any) -> None:
        super().__init__()
        self.request = request


class Recorder(Connections):
    def ask(self, request: Request) -> NoReturn:
        raise RecordedError(request)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with serve({KEY: b"image"}) as bucket:
        yield bucket


def record(call: Callable[[S3], object]) -> Request:
    s3 = S3(Recorder(), Place(REGION, "amazonaws.com"), Credentials("AKID", "secret", "token"))
    with pytest.raises(RecordedError) as recorded:
        call(s3)
    request: Request = recorded.value.request
    return request


def record_boto3(call: Callable[[Any], object]) -> AWSPreparedRequest:
    def stop(request: AWSPreparedRequest, **_: Any) -> NoReturn:
        raise RecordedError(request)

    session = boto3.Session("AKID", "secret", "token", region_name=REGION)
    client = session.client("s3", config=Config(signature_version="s3v4", ignore_configured_endpoint_urls=True))
    client.meta.events.register("before-send.s3", stop)
    with pytest.raises(RecordedError) as recorded:
        call(client)
    return recorded.value.request


def compare(ours: Request, theirs: AWSPreparedRequest) -> None:
    assert (ours.method, ours.url, ours.body) == (theirs.method, theirs.url, theirs.body or b"")
    headers = {name.lower(): _decode(value) for name, value in theirs.headers.items()}
    assert {name: ours.headers[name] for name in ours.headers if name not in _BOTO3S_OWN} == {
        name: headers[name] for name in headers if name not in _BOTO3S_OWN
    }
    assert _read_scope(ours.headers["authorization"]) == _read_scope(headers["authorization"])


def _read_scope(authorization: str) -> list[str]:
    """The region and the service that a signature is for."""
    return authorization.partition(",")[0].split("/")[2:4]


def _decode(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def test_gets_objects_as_boto3_does() -> None:
    compare(
        record(lambda s3: s3.get_object("point-s3alias", KEY).__enter__()),
        record_boto3(lambda s3: s3.get_object(Bucket="point-s3alias", Key=KEY)),
    )


def test_gets_one_version_as_boto3_does() -> None:
    compare(
        record(lambda s3: s3.get_object("point-s3alias", KEY, '"abc"').__enter__()),
        record_boto3(lambda s3: s3.get_object(Bucket="point-s3alias", Key=KEY, IfMatch='"abc"')),
    )


@pytest.mark.parametrize(
    ("reply", "arguments"),
    [(NORMALIZED, NORMALIZED_FOR_BOTO3), (PART, PART_FOR_BOTO3), (REFUSAL, REFUSAL_FOR_BOTO3)],
)
def test_replies_as_boto3_does(reply: Reply, arguments: dict[str, Any]) -> None:
    compare(
        record(lambda s3: s3.write_get_object_response("route", "to/ken=", reply)),
        record_boto3(
            lambda s3: s3.write_get_object_response(RequestRoute="route", RequestToken="to/ken=", **arguments)
        ),
    )


def test_finds_the_servers_of_another_partition() -> None:
    place = Place("cn-north-1", "amazonaws.com.cn")

    assert place.locate_object("work", "a") == "https://work.s3.cn-north-1.amazonaws.com.cn/a"
    assert place.locate_replies("r") == "https://r.s3-object-lambda.cn-north-1.amazonaws.com.cn/WriteGetObjectResponse"


def test_has_buckets_in_the_path_of_another_server() -> None:
    place = PLACE._replace(endpoint="http://127.0.0.1:4566")

    assert place.locate_object("work", "a b") == "http://127.0.0.1:4566/work/a%20b"
    assert place.locate_replies("route") == "http://127.0.0.1:4566/WriteGetObjectResponse"


def test_reads_an_object(bucket: Bucket) -> None:
    with bucket.client.get_object("raw", KEY) as found:
        assert (found.read(), found.headers["ETag"]) == (b"image", bucket.etag(KEY))


def test_keeps_an_object(bucket: Bucket) -> None:
    bucket.client.put_object("work", "ä b", b"normalized", "image/png")

    (asked,) = bucket.asked
    assert (asked.bucket, asked.key, asked.headers["content-type"]) == ("work", "ä b", "image/png")
    assert bucket.objects["ä b"] == b"normalized"


def test_signs_an_address_that_leads_to_the_object(bucket: Bucket) -> None:
    url = bucket.client.presign_get("raw", KEY, 300)

    with bucket.connections.ask(Request("GET", url, {})) as found:
        assert found.read() == b"image"


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("NoSuchKey", (404, "NoSuchKey")),
        ("InternalError", (503, "ServiceUnavailable")),
        ("SlowDown", (503, "SlowDown")),
    ],
)
def test_passes_on_what_s3_says(bucket: Bucket, code: str, refusal: tuple[int, str]) -> None:
    bucket.failing["GET"] = code

    with pytest.raises(RefusalError, match=f"This is {code}") as refused, bucket.client.get_object("raw", KEY):
        pass

    assert (refused.value.status, refused.value.code) == refusal


def test_follows_no_redirect_to_another_region() -> None:
    document = b"<Error><Code>PermanentRedirect</Code><Message>Elsewhere.</Message></Error>"
    with play(answer(301, document, "Location: http://127.0.0.1:1/")) as (server, connections):
        s3 = S3(connections, PLACE._replace(endpoint=server.url), CREDENTIALS)

        with pytest.raises(RefusalError) as refused, s3.get_object("raw", "a"):
            pass

        assert (refused.value.status, refused.value.code) == (400, "PermanentRedirect")


@pytest.mark.parametrize("cut", [Step(b"", closes=True), answer(200, b"abc", length=4), answer(404, b"<Err", length=9)])
def test_says_that_it_may_be_asked_again_when_s3_does_not_answer_to_the_end(cut: Step) -> None:
    with play(cut, cut) as (server, connections):
        s3 = S3(connections, PLACE._replace(endpoint=server.url), CREDENTIALS)

        with pytest.raises(RefusalError, match="try again") as refused, s3.get_object("raw", "a") as found:
            found.read()

    assert (refused.value.status, refused.value.code) == (503, "ServiceUnavailable")
