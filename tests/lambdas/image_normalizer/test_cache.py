"""Normalized images are found under their names; what S3 cannot tell is its own error."""

from collections.abc import Iterator

import pytest

from headrace.normalizer.options import Options
from headrace.transformations.image import TRANSFORMATION
from lambdas.image_normalizer.cache import CacheError, NormalizedImageCache, name_normalized_image
from lambdas.image_normalizer.originals import Original
from tests.lambdas.image_normalizer.fake_s3 import Bucket, serve

OPTIONS = Options()


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with serve({}) as bucket:
        yield bucket


@pytest.fixture
def cache(bucket: Bucket) -> NormalizedImageCache:
    return NormalizedImageCache(bucket.client, "work")


def make_original(name: str) -> Original:
    return Original(name=name, read=lambda _: b"")


def test_finds_what_it_has_kept(cache: NormalizedImageCache) -> None:
    cache.put("normalized/a.jpeg", b"normalized", "image/jpeg")

    assert cache.get("normalized/a.jpeg") == b"normalized"


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_has_nothing_where_s3_has_nothing(cache: NormalizedImageCache, bucket: Bucket, code: str) -> None:
    bucket.failing["GET"] = code

    assert cache.get("normalized/a.jpeg") is None


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_tells_when_s3_fails(cache: NormalizedImageCache, bucket: Bucket, method: str) -> None:
    bucket.failing[method] = "SlowDown"

    with pytest.raises(CacheError):
        cache.get("a") if method == "GET" else cache.put("a", b"", "image/png")


def test_signs_addresses_that_are_good_for_some_minutes(cache: NormalizedImageCache, bucket: Bucket) -> None:
    address = cache.sign_url("normalized/a.jpeg")

    assert address.startswith(f"{bucket.url}/work/normalized/a.jpeg?X-Amz-Algorithm=")
    assert "&X-Amz-Expires=300&" in address


def test_names_normalized_images_by_photograph_and_options() -> None:
    names = {
        name_normalized_image(TRANSFORMATION, make_original("a"), OPTIONS),
        name_normalized_image(TRANSFORMATION, make_original("b"), OPTIONS),
        name_normalized_image(TRANSFORMATION, make_original("a"), Options(width=255)),
        name_normalized_image(TRANSFORMATION, make_original("a"), OPTIONS),
    }

    assert len(names) == 3
    assert all(name.startswith("normalized/") and name.endswith(".jpeg") for name in names)
