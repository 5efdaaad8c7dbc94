"""The Object Lambda door answers as AWS's contract says, and never leaves a caller without an answer."""

import base64
import json
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import Options
from lambdas.image_normalizer import normalized_images
from lambdas.image_normalizer.cache import NormalizedImageCache
from lambdas.image_normalizer.object_lambda import ObjectLambdaDoor
from lambdas.image_normalizer.originals import AccessPoint
from tests.headrace.normalizer.made_images import make_jpeg, open_bytes
from tests.lambdas.image_normalizer.fake_s3 import Bucket, Sent, serve
from tests.lambdas.image_normalizer.makers import make_maker

KEY = "images/a photo.jpg"


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with serve({KEY: make_jpeg(), "images/text.jpg": b"not an image"}) as bucket:
        yield bucket


@pytest.fixture
def door(bucket: Bucket) -> ObjectLambdaDoor:
    source = AccessPoint(bucket.client, "source")
    return ObjectLambdaDoor(s3=bucket.client, connections=bucket.connections, source=source, maker=make_maker())


def make_event(
    input_url: str, context: str = "getObjectContext", *, payload: dict[str, str] | None = None, **request: Any
) -> dict[str, Any]:
    tokens = {"outputRoute": "route", "outputToken": "token"} if context == "getObjectContext" else {}
    return {
        context: {"inputS3Url": input_url, **tokens},
        "configuration": {"payload": json.dumps(payload or {})},
        "userRequest": {"url": "https://images.test/key", "headers": {}, **request},
    }


def answer(door: ObjectLambdaDoor, bucket: Bucket, event: dict[str, Any]) -> Sent:
    """What the caller of GET is sent."""
    door.answer(event)
    (sent,) = bucket.sent
    return sent


def test_answers_with_the_normalized_image(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    sent = answer(door, bucket, make_event(bucket.sign(KEY)))

    assert sent.body == normalize(bucket.objects[KEY], Options())
    assert (sent.status, sent.headers["content-type"]) == (200, "image/jpeg")
    assert (sent.route, sent.token) == ("route", "token")


def test_returns_what_s3_expects(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    returned, outcome = door.answer(make_event(bucket.sign(KEY)))

    assert returned == {"status_code": 200}
    assert outcome.status == 200


def test_sends_the_checksum_that_clients_verify(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    sent = answer(door, bucket, make_event(bucket.sign(KEY)))

    assert int.from_bytes(base64.b64decode(sent.headers["x-amz-checksum-crc32"])) == zlib.crc32(sent.body)


def test_uses_the_access_points_own_options(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    sent = answer(door, bucket, make_event(bucket.sign(KEY), payload={"width": "32", "colour": "rgb"}))

    normalized = open_bytes(sent.body)
    assert (normalized.size, normalized.mode) == ((32, 256), "RGB")


def test_puts_the_requests_options_above_the_access_points(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    url = "https://images.test/images/a#1?.jpg?x-id=GetObject&width=16"
    sent = answer(door, bucket, make_event(bucket.sign(KEY), payload={"width": "32", "height": "8"}, url=url))

    assert open_bytes(sent.body).size == (16, 8)


def test_cuts_the_range_out_of_the_normalized_image(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    sent = answer(door, bucket, make_event(bucket.sign(KEY), headers={"Range": "bytes=2-5"}))

    whole = normalize(bucket.objects[KEY], Options())
    assert (sent.status, sent.body) == (206, whole[2:6])
    assert sent.headers["content-range"] == f"bytes 2-5/{len(whole)}"
    assert "x-amz-checksum-crc32" not in sent.headers


def test_refuses_a_range_that_the_normalized_image_does_not_have(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    sent = answer(door, bucket, make_event(bucket.sign(KEY), headers={"range": "bytes=9999999-"}))

    assert (sent.status, sent.code) == (416, "InvalidRange")


def test_fetches_with_the_headers_that_are_signed_and_no_others(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    headers = {"X-Amz-Checksum-Mode": "ENABLED", "Range": "bytes=0-3", "Host": "images.test"}

    door.answer(make_event(bucket.sign(KEY, "x-amz-checksum-mode"), headers=headers))

    (asked,) = bucket.asked
    assert asked.headers["x-amz-checksum-mode"] == "ENABLED"
    assert "range" not in asked.headers
    assert asked.headers["host"].startswith("127.0.0.1")


def test_passes_on_that_there_is_no_such_key(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    sent = answer(door, bucket, make_event(bucket.sign("images/none.jpg")))

    assert (sent.status, sent.code) == (404, "NoSuchKey")
    assert sent.message == "This is NoSuchKey."


def test_names_what_is_wrong_with_an_image(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    sent = answer(door, bucket, make_event(bucket.sign("images/text.jpg")))

    assert (sent.status, sent.code) == (400, "NotAPhotograph")
    assert sent.body == b""


def test_names_an_option_that_is_refused_in_ascii(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    sent = answer(door, bucket, make_event(bucket.sign(KEY), url="https://images.test/key?fit=größer"))

    assert (sent.status, sent.code) == (400, "BadOption")
    assert sent.message
    assert sent.message.isascii()


def test_sends_a_message_in_one_line(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    sent = answer(door, bucket, make_event(bucket.sign(KEY), payload={"fit": "a\nb"}))

    assert sent.message
    assert sent.message.isprintable()


def test_answers_that_it_may_be_asked_again_when_s3_is_not_there(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    sent = answer(door, bucket, make_event("http://127.0.0.1:1/key?X-Amz-SignedHeaders=host"))

    assert (sent.status, sent.code) == (503, "ServiceUnavailable")


def test_reads_the_body_of_no_image_that_the_cache_has(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    door = door._replace(maker=make_maker(NormalizedImageCache(bucket.client, "work")))
    event = make_event(bucket.sign(KEY))

    _, first = door.answer(event)
    _, second = door.answer(event)

    assert (first.is_cached, second.is_cached) == (False, True)
    assert bucket.sent[0] == bucket.sent[1]


def test_tells_head_what_get_would_answer(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    got = answer(door, bucket, make_event(bucket.sign(KEY)))

    returned, _ = door.answer(make_event(bucket.sign(KEY), "headObjectContext"))

    assert returned["statusCode"] == 200
    assert returned["headers"]["Content-Length"] == len(got.body)
    assert returned["headers"]["Content-Type"] == got.headers["content-type"]
    assert returned["headers"]["ETag"] == got.headers["etag"]


def test_reads_nothing_for_head_when_the_caller_may_not(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    returned, outcome = door.answer(make_event(bucket.sign("images/none.jpg"), "headObjectContext"))

    assert (returned["statusCode"], returned["errorCode"]) == (404, "NoSuchKey")
    assert outcome.code == "NoSuchKey"
    assert [asked.method for asked in bucket.asked] == ["HEAD"]


def test_refuses_to_tell_of_an_image_that_is_none(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    returned, _ = door.answer(make_event(bucket.sign("images/text.jpg"), "headObjectContext"))

    assert (returned["statusCode"], returned["errorCode"]) == (400, "NotAPhotograph")


def test_answers_when_it_has_failed_itself(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    door = door._replace(maker=door.maker._replace(transform=lambda *_: [][0]))

    sent = answer(door, bucket, make_event(bucket.sign(KEY)))
    returned, _ = door.answer(make_event(bucket.sign(KEY), "headObjectContext"))

    assert (sent.status, sent.code) == (500, "NormalizerFailed")
    assert (returned["statusCode"], returned["errorCode"]) == (500, "NormalizerFailed")


@pytest.mark.parametrize("missing", ["userRequest", "configuration"])
def test_answers_an_event_that_lacks_something(door: ObjectLambdaDoor, bucket: Bucket, missing: str) -> None:
    event = make_event(bucket.sign(KEY))
    del event[missing]

    assert answer(door, bucket, event).code == "NormalizerFailed"


def test_sends_that_it_has_failed_when_a_reply_cannot_be_sent(
    door: ObjectLambdaDoor, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(normalized_images, "CACHE_CONTROL", "two\r\nlines")

    assert answer(door, bucket, make_event(bucket.sign(KEY))).code == "NormalizerFailed"


@pytest.mark.parametrize(
    "payload",
    ["{", "7", '"width"', "null", '{"width": [12]}', '{"width": true}', '{"width": null}', '{"width": 1, "width": 2}'],
)
def test_refuses_a_configuration_that_holds_no_options(door: ObjectLambdaDoor, bucket: Bucket, payload: str) -> None:
    event = make_event(bucket.sign(KEY))
    event["configuration"]["payload"] = payload

    assert answer(door, bucket, event).code == "BadOption"


def test_takes_numbers_of_a_configuration(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    event = make_event(bucket.sign(KEY))
    event["configuration"]["payload"] = '{"width": 12, "height": "10"}'

    assert open_bytes(answer(door, bucket, event).body).size == (12, 10)


@pytest.mark.parametrize("query", ["width=8&width=9", "width=8&width=8", "width="])
def test_refuses_an_option_that_is_given_twice_or_without_a_value(
    door: ObjectLambdaDoor, bucket: Bucket, query: str
) -> None:
    event = make_event(bucket.sign(KEY), url=f"https://images.test/key?{query}")

    assert answer(door, bucket, event).code == "BadOption"


def test_cuts_no_range_out_of_another_image_than_the_caller_knows(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    headers = {"Range": "bytes=2-5", "If-Range": '"other"'}

    assert answer(door, bucket, make_event(bucket.sign(KEY), headers=headers)).status == 200


def test_asks_again_for_an_image_that_breaks_off(door: ObjectLambdaDoor, bucket: Bucket) -> None:
    bucket.cuts = 1

    assert answer(door, bucket, make_event(bucket.sign(KEY))).status == 200
