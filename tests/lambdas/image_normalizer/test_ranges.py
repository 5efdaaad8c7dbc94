"""Byte ranges as RFC 9110 has them."""

import pytest

from lambdas.image_normalizer.failures import RefusalError
from lambdas.image_normalizer.ranges import ByteRange, parse_range


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-0", ByteRange(0, 0)),
        ("bytes=3-", ByteRange(3, 9)),
        ("bytes=3-999", ByteRange(3, 9)),
        ("bytes=-3", ByteRange(7, 9)),
        ("bytes=-999", ByteRange(0, 9)),
    ],
)
def test_finds_the_part(header: str, found: ByteRange) -> None:
    assert parse_range(header, 10) == found


@pytest.mark.parametrize("header", [None, "", "bytes=-", "bytes=5-3", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b"])
def test_answers_with_the_whole_what_it_does_not_understand(header: str | None) -> None:
    assert parse_range(header, 10) is None


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-11", "bytes=-0"])
def test_refuses_a_part_that_is_not_there(header: str) -> None:
    with pytest.raises(RefusalError) as refused:
        parse_range(header, 10)

    assert refused.value.status == 416
