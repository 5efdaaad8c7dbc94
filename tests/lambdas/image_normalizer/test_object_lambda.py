"""The Object Lambda door answers as AWS's contract says, and never leaves a caller without an answer."""

import base64
import json
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from lambdas.image_normalizer.cache import PictureCache
from lambdas.image_normalizer.normalize import normalize
from lambdas.image_normalizer.object_lambda import ObjectLambdaDoor
from lambdas.image_normalizer.options import Options
from lambdas.image_normalizer.originals import AccessPoint
from tests.lambdas.image_normalizer.fake_s3 import Bucket, serve, sign
from tests.lambdas.image_normalizer.made_images import make_jpeg, open_bytes

KEY = "images/a photo.jpg"


@pytest.fixture
def bucket() -> Bucket:
    return Bucket({KEY: make_jpeg(), "images/text.jpg": b"not an image"})


@pytest.fixture
def address(bucket: Bucket) -> Iterator[str]:
    with serve(bucket) as address:
        yield address


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=1) as http:
        yield http


@pytest.fixture
def door(bucket: Bucket, http: urllib3.PoolManager) -> ObjectLambdaDoor:
    return ObjectLambdaDoor(s3=bucket, http=http, source=AccessPoint(bucket, "source"), cache=None)


def make_event(
    input_url: str, context: str = "getObjectContext", *, payload: dict[str, str] | None = None, **request: Any
) -> dict[str, Any]:
    tokens = {"outputRoute": "route", "outputToken": "token"} if context == "getObjectContext" else {}
    return {
        context: {"inputS3Url": input_url, **tokens},
        "configuration": {"payload": json.dumps(payload or {})},
        "userRequest": {"url": "https://pictures.test/key", "headers": {}, **request},
    }


def answer(door: ObjectLambdaDoor, event: dict[str, Any]) -> dict[str, Any]:
    """What the caller of GET is sent."""
    door.answer(event)
    bucket = door.s3
    assert isinstance(bucket, Bucket)
    (sent,) = bucket.answers
    return sent


def test_answers_with_the_normalized_picture(door: ObjectLambdaDoor, bucket: Bucket, address: str) -> None:
    sent = answer(door, make_event(sign(address, KEY)))

    assert sent["Body"] == normalize(bucket.objects[KEY], Options())
    assert (sent["StatusCode"], sent["ContentType"]) == (200, "image/jpeg")
    assert sent["ContentLength"] == len(sent["Body"])
    assert (sent["RequestRoute"], sent["RequestToken"]) == ("route", "token")


def test_returns_what_s3_expects(door: ObjectLambdaDoor, address: str) -> None:
    returned, outcome = door.answer(make_event(sign(address, KEY)))

    assert returned == {"status_code": 200}
    assert outcome.status == 200


def test_sends_the_checksum_that_clients_verify(door: ObjectLambdaDoor, address: str) -> None:
    sent = answer(door, make_event(sign(address, KEY)))

    assert int.from_bytes(base64.b64decode(sent["ChecksumCRC32"])) == zlib.crc32(sent["Body"])


def test_uses_the_access_points_own_options(door: ObjectLambdaDoor, address: str) -> None:
    sent = answer(door, make_event(sign(address, KEY), payload={"width": "32", "colour": "rgb"}))

    picture = open_bytes(sent["Body"])
    assert (picture.size, picture.mode) == ((32, 256), "RGB")


def test_puts_the_requests_options_above_the_access_points(door: ObjectLambdaDoor, address: str) -> None:
    url = "https://pictures.test/images/a#1?.jpg?x-id=GetObject&width=16"
    sent = answer(door, make_event(sign(address, KEY), payload={"width": "32", "height": "8"}, url=url))

    assert open_bytes(sent["Body"]).size == (16, 8)


def test_cuts_the_range_out_of_the_picture(door: ObjectLambdaDoor, bucket: Bucket, address: str) -> None:
    sent = answer(door, make_event(sign(address, KEY), headers={"Range": "bytes=2-5"}))

    whole = normalize(bucket.objects[KEY], Options())
    assert (sent["StatusCode"], sent["Body"]) == (206, whole[2:6])
    assert sent["ContentRange"] == f"bytes 2-5/{len(whole)}"
    assert "ChecksumCRC32" not in sent


def test_refuses_a_range_that_the_picture_does_not_have(door: ObjectLambdaDoor, address: str) -> None:
    sent = answer(door, make_event(sign(address, KEY), headers={"range": "bytes=9999999-"}))

    assert (sent["StatusCode"], sent["ErrorCode"]) == (416, "InvalidRange")


def test_fetches_with_the_headers_that_are_signed_and_no_others(
    door: ObjectLambdaDoor, bucket: Bucket, address: str
) -> None:
    headers = {"X-Amz-Checksum-Mode": "ENABLED", "Range": "bytes=0-3", "Host": "pictures.test"}

    door.answer(make_event(sign(address, KEY, "x-amz-checksum-mode"), headers=headers))

    ((_, _, sent),) = bucket.requests
    assert sent["X-Amz-Checksum-Mode"] == "ENABLED"
    assert "Range" not in sent
    assert sent["Host"].startswith("127.0.0.1")


def test_passes_on_that_there_is_no_such_key(door: ObjectLambdaDoor, address: str) -> None:
    sent = answer(door, make_event(sign(address, "images/none.jpg")))

    assert (sent["StatusCode"], sent["ErrorCode"]) == (404, "NoSuchKey")
    assert sent["ErrorMessage"] == "The specified key does not exist."


def test_names_what_is_wrong_with_an_image(door: ObjectLambdaDoor, address: str) -> None:
    sent = answer(door, make_event(sign(address, "images/text.jpg")))

    assert (sent["StatusCode"], sent["ErrorCode"]) == (400, "NotAnImage")
    assert "Body" not in sent


def test_names_an_option_that_is_refused_in_ascii(door: ObjectLambdaDoor, address: str) -> None:
    sent = answer(door, make_event(sign(address, KEY), url="https://pictures.test/key?fit=größer"))

    assert (sent["StatusCode"], sent["ErrorCode"]) == (400, "BadOption")
    assert sent["ErrorMessage"].isascii()


def test_answers_that_it_may_be_asked_again_when_s3_is_not_there(door: ObjectLambdaDoor) -> None:
    sent = answer(door, make_event("http://127.0.0.1:1/key?X-Amz-SignedHeaders=host"))

    assert (sent["StatusCode"], sent["ErrorCode"]) == (503, "ServiceUnavailable")


def test_reads_the_body_of_no_image_that_the_cache_has(bucket: Bucket, http: urllib3.PoolManager, address: str) -> None:
    cache = PictureCache(bucket, "work")
    door = ObjectLambdaDoor(s3=bucket, http=http, source=AccessPoint(bucket, "source"), cache=cache)
    event = make_event(sign(address, KEY))

    _, first = door.answer(event)
    _, second = door.answer(event)

    assert (first.is_cached, second.is_cached) == (False, True)
    assert bucket.answers[0] == bucket.answers[1]


def test_tells_head_what_get_would_answer(door: ObjectLambdaDoor, bucket: Bucket, address: str) -> None:
    got = answer(door, make_event(sign(address, KEY)))

    returned, _ = door.answer(make_event(sign(address, KEY), "headObjectContext"))

    assert returned["statusCode"] == 200
    assert returned["headers"]["Content-Length"] == got["ContentLength"]
    assert returned["headers"]["Content-Type"] == got["ContentType"]
    assert returned["headers"]["ETag"] == got["ETag"]


def test_reads_nothing_for_head_when_the_caller_may_not(door: ObjectLambdaDoor, bucket: Bucket, address: str) -> None:
    returned, outcome = door.answer(make_event(sign(address, "images/none.jpg"), "headObjectContext"))

    assert (returned["statusCode"], returned["errorCode"]) == (404, "NoSuchKey")
    assert outcome.code == "NoSuchKey"
    assert [request[0] for request in bucket.requests] == ["HEAD"]


def test_refuses_to_tell_of_an_image_that_is_none(door: ObjectLambdaDoor, address: str) -> None:
    returned, _ = door.answer(make_event(sign(address, "images/text.jpg"), "headObjectContext"))

    assert (returned["statusCode"], returned["errorCode"]) == (400, "NotAnImage")
