"""Content types by name."""

from pathlib import Path

import pytest

from headrace import data
from headrace.data.content_types import guess_content_type
from tests.headrace.data.stub_s3 import Stub

TYPES = {
    "cats/1.jpg": "image/jpeg",
    "1.JPEG": "image/jpeg",
    "a.webp": "image/webp",
    "train.csv": "text/csv",
    "train.lst": "text/plain",
    "train.rec": "application/x-recordio",
    "output.manifest": "application/jsonlines",
    "part.parquet": "application/vnd.apache.parquet",
    "model.tar.gz": "application/gzip",
    "data:text,1.json": "application/json",
    "unknown": "",
    "a.unknown": "",
}


@pytest.mark.parametrize("name", TYPES)
def test_knows_types_by_name(name: str) -> None:
    assert guess_content_type(name) == TYPES[name]


def test_stores_objects_with_the_types_of_their_names(stub: Stub, tmp_path: Path) -> None:
    for name in ("1.jpg", "a\rb.png"):
        (tmp_path / name).write_bytes(b"x")

    data.replicate(tmp_path, f"{stub.uri}/new/")
    data.write_bytes(f"{stub.uri}/new/x.csv", b"1")

    assert stub.types == {"new/1.jpg": "image/jpeg", "new/a\rb.png": "image/png", "new/x.csv": "text/csv"}


def test_stores_objects_with_the_type_that_is_given(stub: Stub, tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"x")

    data.replicate(tmp_path / "1.jpg", f"{stub.uri}/new", content_type="application/x-own")

    assert stub.types == {"new": "application/x-own"}


def test_refuses_a_type_for_what_is_not_uploaded(stub: Stub, tmp_path: Path) -> None:
    with pytest.raises(data.AddressError, match="only for uploads from this machine"):
        data.replicate(stub.uri, tmp_path, content_type="image/jpeg")


@pytest.mark.parametrize("kind", ["a/b\nx-amz-acl: public-read", "é/x", "", " "])
def test_refuses_a_type_that_no_header_can_hold(stub: Stub, tmp_path: Path, kind: str) -> None:
    (tmp_path / "1.jpg").write_bytes(b"x")

    with pytest.raises(data.AddressError, match="is not a content type"):
        data.replicate(tmp_path, f"{stub.uri}/new/", content_type=kind)
