"""The function URL door answers signed requests with normalized images, redirects and errors that say what is wrong."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import Options
from lambdas.image_normalizer import function_url
from lambdas.image_normalizer.cache import NormalizedImageCache
from lambdas.image_normalizer.function_url import FunctionUrlDoor
from lambdas.image_normalizer.originals import AccessPoint
from tests.headrace.normalizer.made_images import make_jpeg, open_bytes
from tests.lambdas.image_normalizer.fake_s3 import Bucket, serve
from tests.lambdas.image_normalizer.makers import make_maker

KEY = "images/a photo+%41.jpg"
RAW_PATH = "/images/a%20photo%2B%2541.jpg"


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with serve({KEY: make_jpeg(), "images/text.jpg": b"not an image"}) as bucket:
        yield bucket


def make_door(bucket: Bucket, *, keeps_all: bool = False) -> FunctionUrlDoor:
    store = NormalizedImageCache(bucket.client, "work")
    source = AccessPoint(bucket.client, "source")
    return FunctionUrlDoor(source=source, store=store, maker=make_maker(store if keeps_all else None))


def make_event(path: str = RAW_PATH, method: str = "GET", query: dict[str, str] | None = None, **headers: str) -> Any:
    event = {
        "rawPath": path,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"http": {"method": method}},
    }
    return event | ({"queryStringParameters": query} if query else {})


def answer(bucket: Bucket, *arguments: Any, **options: Any) -> dict[str, Any]:
    answered, _ = make_door(bucket).answer(make_event(*arguments, **options))
    return answered


def read_body(answered: dict[str, Any]) -> bytes:
    assert answered["isBase64Encoded"] is True
    return base64.b64decode(answered["body"])


def read_refusal(answered: dict[str, Any]) -> tuple[int, str]:
    return answered["statusCode"], json.loads(answered["body"])["code"]


def test_answers_with_the_normalized_image(bucket: Bucket) -> None:
    answered = answer(bucket)

    assert read_body(answered) == normalize(bucket.objects[KEY], Options())
    assert (answered["statusCode"], answered["headers"]["Content-Type"]) == (200, "image/jpeg")


def test_reads_through_its_access_point(bucket: Bucket) -> None:
    answer(bucket)

    ((method, name, key, _),) = bucket.asked
    assert (method, name, key) == ("GET", "source", KEY)


def test_takes_the_options_from_the_query(bucket: Bucket) -> None:
    answered = answer(bucket, query={"width": "20", "height": "10", "output_format": "png"})

    assert open_bytes(read_body(answered)).size == (20, 10)
    assert answered["headers"]["Content-Type"] == "image/png"


def test_cuts_the_range_out_of_the_normalized_image(bucket: Bucket) -> None:
    answered = answer(bucket, range="bytes=-4")

    whole = normalize(bucket.objects[KEY], Options())
    assert (answered["statusCode"], read_body(answered)) == (206, whole[-4:])
    assert answered["headers"]["Content-Range"] == f"bytes {len(whole) - 4}-{len(whole) - 1}/{len(whole)}"


def test_tells_head_the_size_without_the_normalized_image(bucket: Bucket) -> None:
    answered = answer(bucket, method="HEAD")

    assert "body" not in answered
    assert answered["headers"]["Content-Length"] == str(len(read_body(answer(bucket))))


def test_sends_nothing_again_that_the_caller_has(bucket: Bucket) -> None:
    etag = answer(bucket)["headers"]["ETag"]

    answered = answer(bucket, if_none_match=etag)

    assert answered["statusCode"] == 304
    assert "body" not in answered


@pytest.mark.parametrize("known", ["*", " * ", '"other", {etag}'])
def test_sends_nothing_again_that_the_caller_has_in_any_form(bucket: Bucket, known: str) -> None:
    etag = answer(bucket)["headers"]["ETag"]

    assert answer(bucket, if_none_match=known.format(etag=etag))["statusCode"] == 304


@pytest.mark.parametrize(
    ("known", "status"), [("{etag}", 206), ('"other"', 200), ("Sat, 28 Nov 2026 00:00:00 GMT", 200)]
)
def test_cuts_a_range_out_of_the_image_that_the_caller_knows_only(bucket: Bucket, known: str, status: int) -> None:
    etag = answer(bucket)["headers"]["ETag"]

    answered = answer(bucket, range="bytes=0-3", if_range=known.format(etag=etag))

    assert answered["statusCode"] == status


def test_answers_when_it_has_failed_itself(bucket: Bucket) -> None:
    door = make_door(bucket)
    door = door._replace(maker=door.maker._replace(transform=lambda *_: [][0]))

    answered, outcome = door.answer(make_event())

    assert read_refusal(answered) == (outcome.status, outcome.code) == (500, "NormalizerFailed")


def test_asks_again_for_an_image_that_breaks_off(bucket: Bucket) -> None:
    bucket.cuts = 1

    assert answer(bucket)["statusCode"] == 200


def test_gives_up_an_image_that_breaks_off_again(bucket: Bucket) -> None:
    bucket.cuts = 2

    assert read_refusal(answer(bucket)) == (503, "ServiceUnavailable")


def test_gets_no_photograph_whose_normalized_image_it_keeps(bucket: Bucket) -> None:
    door = make_door(bucket, keeps_all=True)
    door.answer(make_event())
    bucket.asked.clear()

    door.answer(make_event())

    assert [(asked.method, asked.bucket) for asked in bucket.asked] == [("HEAD", "source"), ("GET", "work")]


@pytest.mark.parametrize("body", [b"", b"not ours"])
def test_serves_no_kept_object_that_is_not_its_own(bucket: Bucket, body: bytes) -> None:
    door = make_door(bucket, keeps_all=True)
    made, _ = door.answer(make_event())
    (kept,) = [key for key in bucket.objects if key.startswith("normalized/")]
    bucket.objects[kept] = body

    answered, outcome = door.answer(make_event())

    assert (answered, outcome.is_cached) == (made, False)
    assert bucket.objects[kept] != body


def test_serves_no_kept_object_of_which_nothing_is_known(bucket: Bucket) -> None:
    door = make_door(bucket, keeps_all=True)
    door.answer(make_event())
    bucket.metadata.clear()

    _, outcome = door.answer(make_event())

    assert not outcome.is_cached


@pytest.mark.parametrize(
    ("event", "refusal"),
    [
        (make_event("/images/none.jpg"), (404, "NoSuchKey")),
        (make_event("/images/text.jpg"), (400, "NotAPhotograph")),
        (make_event("/"), (400, "KeyMissing")),
        (make_event(query={"width": "0"}), (400, "BadOption")),
        (make_event(query={"size": "9"}), (400, "BadOption")),
        (make_event(method="PUT"), (405, "MethodNotAllowed")),
        (make_event(range="bytes=9999999-"), (416, "InvalidRange")),
    ],
)
def test_says_what_is_wrong(bucket: Bucket, event: Any, refusal: tuple[int, str]) -> None:
    answered, outcome = make_door(bucket).answer(event)

    assert read_refusal(answered) == refusal
    assert (outcome.status, outcome.code) == refusal
    assert answered["headers"]["Cache-Control"] == "no-store"


def test_answers_that_it_may_be_asked_again_when_s3_fails(bucket: Bucket) -> None:
    bucket.failing["GET"] = "InternalError"

    assert read_refusal(answer(bucket)) == (503, "ServiceUnavailable")


def test_redirects_to_an_image_too_large_for_an_answer(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_url, "MAX_INLINE_BYTES", 100)

    answered = answer(bucket)

    (stored,) = [asked for asked in bucket.asked if asked.method == "PUT"]
    assert answered["statusCode"] == 303
    assert answered["headers"]["Location"].startswith(f"{bucket.url}/work/{stored.key}?X-Amz-Algorithm=")
    assert stored.key.startswith("normalized/")
    assert (stored.bucket, stored.headers["content-type"]) == ("work", "image/jpeg")
    assert bucket.objects[stored.key] == normalize(bucket.objects[KEY], Options())


def test_answers_a_small_part_of_a_large_image_itself(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_url, "MAX_INLINE_BYTES", 100)

    assert len(read_body(answer(bucket, range="bytes=0-99"))) == 100


def test_answers_that_it_may_be_asked_again_when_a_large_normalized_image_cannot_be_stored(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_url, "MAX_INLINE_BYTES", 100)
    bucket.failing["PUT"] = "SlowDown"

    assert read_refusal(answer(bucket)) == (503, "ServiceUnavailable")


def test_keeps_normalized_images_where_the_cache_is_on(bucket: Bucket) -> None:
    door = make_door(bucket, keeps_all=True)

    first, made = door.answer(make_event())
    second, found = door.answer(make_event())

    assert first == second
    assert (made.is_cached, found.is_cached) == (False, True)


def test_makes_another_normalized_image_when_the_photograph_changes(bucket: Bucket) -> None:
    door = make_door(bucket, keeps_all=True)
    door.answer(make_event())
    bucket.objects[KEY] = make_jpeg(40, 40)

    answered, outcome = door.answer(make_event())

    assert not outcome.is_cached
    assert read_body(answered) == normalize(bucket.objects[KEY], Options())


def test_makes_another_normalized_image_for_other_options(bucket: Bucket) -> None:
    door = make_door(bucket, keeps_all=True)
    door.answer(make_event())

    _, outcome = door.answer(make_event(query={"width": "255"}))

    assert not outcome.is_cached


def test_answers_although_the_cache_fails(bucket: Bucket) -> None:
    bucket.failing["PUT"] = "SlowDown"

    answered, _ = make_door(bucket, keeps_all=True).answer(make_event())

    assert answered["statusCode"] == 200
