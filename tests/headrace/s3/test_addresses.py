"""An address in S3, taken apart and put together."""

import pytest

from headrace.s3.addresses import S3Address, S3AddressError


@pytest.mark.parametrize(
    ("uri", "bucket", "key"),
    [
        ("s3://raw/odd #name?.csv", "raw", "odd #name?.csv"),
        ("https://s3.eu-west-1.amazonaws.com/raw/train/a.csv", "raw", "train/a.csv"),
        ("https://my_bucket.s3.eu-west-1.amazonaws.com/train/a%20b.csv", "my_bucket", "train/a b.csv"),
        ("https://my.raw.s3.amazonaws.com.cn/train", "my.raw", "train"),
    ],
)
def test_reads_what_sagemaker_takes(uri: str, bucket: str, key: str) -> None:
    assert S3Address.parse_uri(uri) == S3Address(bucket, key)


@pytest.mark.parametrize("uri", ["https://example.com/raw", "https://s3.amazonaws.com/", "https://[bucket/x", "raw"])
def test_refuses_what_sagemaker_would_not_find(uri: str) -> None:
    with pytest.raises(S3AddressError, match="is not an address in S3"):
        S3Address.parse_uri(uri)


@pytest.mark.parametrize("mark", ["?versionId=3", "#part"])
def test_refuses_to_forget_what_an_https_address_says_besides(mark: str) -> None:
    uri = f"https://s3.eu-west-1.amazonaws.com/raw/train/a.csv{mark}"

    with pytest.raises(S3AddressError, match="only an object's newest version has an address here"):
        S3Address.parse_uri(uri)


@pytest.mark.parametrize("text", ["s3://raw/a", "s3://raw/", "s3://raw/a//b"])
def test_writes_an_address_as_it_was_read(text: str) -> None:
    assert str(S3Address.parse(text)) == text


def test_knows_what_a_prefix_contains() -> None:
    images = S3Address("raw", "images/")

    assert images.contains(images.join("cat/1.jpg"))
    assert not images.contains(S3Address("work", "images/1.jpg"))
    assert not images.contains(S3Address("raw", "image"))
