"""Times as S3 writes them, and as other services do."""

from datetime import UTC, datetime

import pytest
from botocore.utils import parse_timestamp

from headrace.s3.times import parse_time


@pytest.mark.parametrize(
    "value", ["2026-11-20T10:00:00.000Z", "2026-11-20T10:00:00Z", "Fri, 20 Nov 2026 10:00:00 GMT", "1795168800"]
)
def test_reads_a_time_in_any_form(value: str) -> None:
    assert parse_time(value) == parse_timestamp(value) == datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize("value", [1795168800, "2026-11-20", "2026-11-20T10:00:00", "20261120"])
def test_leaves_any_other_form_to_botocore(value: str | int) -> None:
    assert parse_time(value) == parse_timestamp(value)
