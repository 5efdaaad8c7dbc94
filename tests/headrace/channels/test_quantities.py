"""Sizes, times and prices as people write and read them."""

import pytest

from headrace.channels.quantities import parse_size, show_dollars, show_duration, show_size


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("1B", 1),
        ("500GB", 500 * 10**9),
        ("500 gb", 500 * 10**9),
        ("1.5TiB", 3 * 2**39),
        ("16PB", 16 * 10**15),
        (" 2kB ", 2000),
    ],
)
def test_reads_a_size_in_any_unit(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["500", "GB", "-1GB", "1,5GB", "5 apples", "", "1e3GB", "\u0665GB"])
def test_refuses_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="write a number and a unit, such as 500GB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size_bytes", "shown"), [(999, "999 B"), (1000, "1 kB"), (2_500_000, "2.5 MB"), (16 * 2**40, "17.6 TB")]
)
def test_shows_a_size_in_its_unit(size_bytes: int, shown: str) -> None:
    assert show_size(size_bytes) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.2, "< 1 s"),
        (119, "119 s"),
        (120, "2 min"),
        (5399, "90 min"),
        (5400, "1.5 h"),
        (172_800, "2.0 d"),
        (86_400_000, "1,000.0 d"),
    ],
)
def test_shows_a_time_in_its_unit(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown


@pytest.mark.parametrize(
    ("dollars", "shown"), [(0, "$0.00"), (0.001, "< $0.01"), (0.5, "$0.50"), (99.99, "$99.99"), (1234, "$1,234")]
)
def test_shows_a_price_as_precisely_as_it_matters(dollars: float, shown: str) -> None:
    assert show_dollars(dollars) == shown
