"""Pictures are found under the names they were kept by; what S3 cannot tell is an error of its own."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.image_normalizer.cache import CacheError, PictureCache, name_picture
from lambdas.image_normalizer.options import Options
from lambdas.image_normalizer.originals import Original
from tests.lambdas.image_normalizer.fake_s3 import Bucket

OPTIONS = Options()


def make_original(name: str) -> Original:
    return Original(name=name, read=lambda: b"")


def test_finds_what_it_has_kept() -> None:
    cache = PictureCache(Bucket(), "work")

    cache.put("normalized/a.jpeg", b"picture", "image/jpeg")

    assert cache.get("normalized/a.jpeg") == b"picture"


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_has_nothing_where_s3_has_nothing(code: str) -> None:
    class Refusing(Bucket):
        def get_object(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "GetObject")

    assert PictureCache(Refusing(), "work").get("normalized/a.jpeg") is None


@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_tells_when_s3_fails(operation: str) -> None:
    cache = PictureCache(Bucket(failing={operation: "SlowDown"}), "work")

    with pytest.raises(CacheError):
        cache.get("a") if operation == "GetObject" else cache.put("a", b"", "image/png")


def test_names_pictures_by_image_and_options() -> None:
    names = {
        name_picture(make_original("a"), OPTIONS),
        name_picture(make_original("b"), OPTIONS),
        name_picture(make_original("a"), Options(width=255)),
        name_picture(make_original("a"), OPTIONS),
    }

    assert len(names) == 3
    assert all(name.startswith("normalized/") and name.endswith(".jpeg") for name in names)
