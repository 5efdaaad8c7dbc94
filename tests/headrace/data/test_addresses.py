"""What is an address, and what is none."""

from pathlib import Path

import pytest

from headrace.data import AddressError, S3Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("s3://raw/images/train/1.jpg", S3Address("raw", "images/train/1.jpg")),
        ("s3://raw", S3Address("raw", "")),
        ("s3://raw/", S3Address("raw", "")),
        ("s3://my.bucket/a b?#%41", S3Address("my.bucket", "a b?#%41")),
        ("data/train", Path("data/train")),
        (Path("/tmp/train"), Path("/tmp/train")),
    ],
)
def test_knows_s3_from_this_machine(text: str | Path, address: S3Address | Path) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["s3://raw/a", "s3://raw/", "s3://raw/a//b"])
def test_writes_an_address_as_it_was_read(text: str) -> None:
    assert str(parse_address(text)) == text


@pytest.mark.parametrize("text", ["https://raw.s3.amazonaws.com/a", "", "gs://raw/a"])
def test_refuses_what_is_no_address(text: str) -> None:
    with pytest.raises(AddressError, match="is not an address of data; write s3://bucket/key or a path"):
        parse_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "s3://",
        "s3:///key",
        "s3://raw a/b",
        "s3://192.168.1.1/a",
        "s3://ab/c",
        "s3://arn:aws:s3:eu-west-1:123:accesspoint/a",
    ],
)
def test_refuses_what_names_no_bucket(text: str) -> None:
    with pytest.raises(AddressError, match=r"is not an address in S3: .+; write s3://bucket/key"):
        parse_address(text)
