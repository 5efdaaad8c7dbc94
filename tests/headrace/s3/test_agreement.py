"""Every reader of addresses in S3 takes the same ones, and refuses the others with the same words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from containers.normalizer.arguments import parse_job
from containers.normalizer.failures import JobArgumentError
from headrace import images
from headrace.channels import S3Channel
from headrace.data import parse_address
from headrace.errors import HeadraceError
from headrace.local.sagemaker.errors import JobDataError, RequestRefusedError
from headrace.local.sagemaker.rules import check_s3_uri
from headrace.local.sagemaker.s3_objects import parse_address as parse_served
from headrace.lst import find_s3_images
from headrace.manifest import convert_folders
from headrace.manifest.conversion import check_prefix
from headrace.s3.addresses import S3Address, names_object


class NoObjects:
    """S3 with nothing in it."""

    def get_paginator(self, _operation: str) -> "NoObjects":
        return self

    def paginate(self, **_place: str) -> list[dict[str, Any]]:
        return []


def read_as_job(text: str) -> None:
    parse_job(["--source", text, "--destination", "s3://elsewhere/"])


READERS: dict[str, Callable[[str], object]] = {
    "data": parse_address,
    "channels": lambda text: S3Channel(name="train", uri=text),
    "lists": lambda text: list(find_s3_images(text, NoObjects())),
    "manifests": check_prefix,
    "bulk normalizer": read_as_job,
    "local SageMaker": parse_served,
    "local SageMaker's rules": check_s3_uri,
}
REFUSALS = (HeadraceError, JobArgumentError, JobDataError, RequestRefusedError)
ADDRESSES = (
    "s3://raw/",
    "s3://raw",
    "s3://raw/images/",
    "s3://my.raw.data/images/",
    "s3://my_bucket/x/",
    "s3://My-Old.Bucket/x/",
    f"s3://{'b' * 63}/x/",
    f"s3://{'b' * 255}/x/",
    "s3://reader-abcdefghijklmnopqrstuvwxyz0123-s3alias/x/",
    "s3://reader-abcdefghijklmnopqrstuvwxyz01--ol-s3/x/",
    "s3://raw/a b?#%41\n/",
    "s3://raw//x/",
)
NO_ADDRESSES = (
    "s3://",
    "s3:///x/",
    "s3://ab/x/",
    "s3://.raw/x/",
    "s3://my bucket/x/",
    "s3://räw/x/",
    "s3://raw?x/",
    "s3://192.168.5.4/x/",
    f"s3://{'b' * 256}/x/",
    "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/reader/x/",
)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", ADDRESSES)
def test_every_reader_takes_an_address(reader: str, text: str) -> None:
    READERS[reader](text)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_every_reader_refuses_what_is_none_with_the_same_words(reader: str, text: str) -> None:
    with pytest.raises(ValueError, match="is not an address in S3") as ours:
        S3Address.parse(text)
    with pytest.raises(REFUSALS) as theirs:
        READERS[reader](text)

    reason = str(ours.value).rpartition(" is not")[2].rpartition(";")[0]
    assert f"is not{reason}" in str(theirs.value)
    assert "write s3://bucket/key" in str(theirs.value)


@pytest.mark.parametrize("text", [*NO_ADDRESSES, "s3://raw", "s3://raw/", "s3://raw/folder/"])
def test_tells_an_object_from_everything_else(text: str) -> None:
    assert not names_object(text)
    assert names_object("s3://my_bucket/x")


@pytest.mark.parametrize("alias", ["my_bucket", "reader-abcdefghijklmnopqrstuvwxyz01--ol-s3"])
def test_the_way_to_normalized_images_takes_the_same_names(alias: str) -> None:
    assert images.addresses.parse_address(f"s3://{alias}").place == alias


def test_the_way_to_normalized_images_refuses_an_arn() -> None:
    with pytest.raises(HeadraceError, match="by its alias, not by its ARN"):
        images.addresses.parse_address("s3://arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/reader")


def test_a_manifest_has_addresses_of_the_same_buckets(tmp_path: Path) -> None:
    (tmp_path / "images" / "cat").mkdir(parents=True)
    (tmp_path / "images" / "cat" / "1.jpg").touch()

    convert_folders(tmp_path / "images", "s3://my_bucket/x", tmp_path / "manifest")

    assert '"s3://my_bucket/x/cat/1.jpg"' in (tmp_path / "manifest").read_text()
