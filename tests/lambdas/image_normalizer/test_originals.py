"""Images are read whole and in time, or not at all."""

import pytest

from headrace.normalizer.errors import EmptyBodyError, TooManyBytesError
from headrace.transformations.image import TRANSFORMATION
from lambdas.image_normalizer import connections
from lambdas.image_normalizer.failures import RefusalError
from lambdas.image_normalizer.originals import AccessPoint, PresignedAddress, read_key, select_signed_headers
from tests.lambdas.image_normalizer.fake_s3 import serve

MOST_BYTES = TRANSFORMATION.most_bytes
SIGNED = "https://s3.test/key?X-Amz-SignedHeaders=host%3Bx-amz-checksum-mode%3Brange"


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://point-123.s3-accesspoint.eu-west-1.amazonaws.com/images/a%20b.jpg?X-Amz-Date=1", "images/a b.jpg"),
        ("http://127.0.0.1:4566/point-abc-s3alias/images/a%2Bb.jpg?X-Amz-Date=1", "images/a+b.jpg"),
        ("https://point-123.s3-accesspoint.eu-west-1.amazonaws.com/top.jpg", "top.jpg"),
    ],
)
def test_finds_the_key_in_an_address(url: str, key: str) -> None:
    assert read_key(url) == key


def test_selects_the_callers_headers_that_are_signed() -> None:
    headers = {"Host": "a", "Range": "bytes=0-1", "X-Amz-Checksum-Mode": "ENABLED", "User-Agent": "b"}

    assert set(select_signed_headers(SIGNED, headers)) == {"Range", "X-Amz-Checksum-Mode"}


def test_tells_an_image_from_its_other_versions() -> None:
    with serve({"a": b"1"}) as bucket:
        point = AccessPoint(bucket.client, "source")

        with point.open("a") as first:
            pass
        bucket.objects["a"] = b"2"
        with point.open("a") as second:
            pass

    assert first.name != second.name


def test_gives_an_image_the_same_name_both_ways() -> None:
    with (
        serve({"images/a b": b"1"}) as bucket,
        PresignedAddress(bucket.connections, bucket.sign("images/a b"), {}).open() as presigned,
        AccessPoint(bucket.client, "source").open("images/a b") as direct,
    ):
        assert presigned.name == direct.name


def test_refuses_an_image_that_has_changed_meanwhile() -> None:
    with (
        serve({"a": b"1"}) as bucket,
        pytest.raises(RefusalError) as refused,
        AccessPoint(bucket.client, "source").open("a", '"other"'),
    ):
        pass

    assert (refused.value.status, refused.value.code) == (412, "PreconditionFailed")


@pytest.mark.parametrize(("size", "error"), [(0, EmptyBodyError), (MOST_BYTES + 1, TooManyBytesError)])
def test_reads_nothing_that_is_empty_or_too_large(size: int, error: type[Exception]) -> None:
    with (
        serve({"a": bytes(size)}) as bucket,
        AccessPoint(bucket.client, "source").open("a") as original,
        pytest.raises(error),
    ):
        original.read(MOST_BYTES)


def test_gives_up_an_image_that_comes_too_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "TOTAL_SECONDS", -1)

    with (
        serve({"a": b"1"}) as bucket,
        pytest.raises(RefusalError) as refused,
        AccessPoint(bucket.client, "source").open("a") as original,
    ):
        original.read(MOST_BYTES)

    assert refused.value.status == 503


def test_reads_one_image_after_another_although_one_is_left_unread() -> None:
    with serve({"a": b"1" * 100_000, "b": b"2"}) as bucket:
        with PresignedAddress(bucket.connections, bucket.sign("a"), {}).open():
            pass
        with PresignedAddress(bucket.connections, bucket.sign("b"), {}).open() as original:
            assert original.read(MOST_BYTES) == b"2"
