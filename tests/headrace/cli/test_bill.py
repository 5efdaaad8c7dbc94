"""How `headrace local bill` writes what was used."""

from datetime import UTC, datetime

import pytest

from headrace.cli.bill import _render
from headrace.local.bill import Bill, BillLine

NOW = datetime(2026, 11, 29, tzinfo=UTC)
DEAR = BillLine("endpoint sales", "instance:ml.m5.large", 2, "hour", 0.23)
CHEAP = BillLine("bucket work", "s3-get", 10, "request", 0.000004)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((DEAR, CHEAP, CHEAP), ["2 lines below 0.005 USD"]),
        ((DEAR, CHEAP), ["1 line below 0.005 USD"]),
        ((DEAR,), []),
    ],
)
def test_sums_up_what_is_below_half_a_cent(lines: tuple[BillLine, ...], said: list[str]) -> None:
    written = _render(Bill(NOW, NOW, lines)).splitlines()

    assert [line.split("  ")[0] for line in written if "below" in line] == said
