from datetime import timedelta

import pytest

from headrace.local.platform.clock import ClockError, read_span


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("+30d", timedelta(days=30)),
        ("+1d12h", timedelta(days=1, hours=12)),
        ("+2w5m1s", timedelta(weeks=2, minutes=5, seconds=1)),
    ],
)
def test_reads_a_span(text: str, span: timedelta) -> None:
    assert read_span(text) == span


@pytest.mark.parametrize("text", ["", "+", "30d", "+30", "+d", "-1d", "+1y", "+1d 2h", "+1.5h"])
def test_refuses_what_is_not_a_span(text: str) -> None:
    with pytest.raises(ClockError, match="expected a span such as"):
        read_span(text)


@pytest.mark.parametrize("text", ["+999999999999d", f"+{'9' * 400}s", f"+{'9' * 5_000}s"])
def test_refuses_a_span_of_more_than_there_are_days(text: str) -> None:
    with pytest.raises(ClockError, match="too far"):
        read_span(text)
