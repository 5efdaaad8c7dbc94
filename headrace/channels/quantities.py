"""Sizes, times and prices as people write and read them."""

import re
from collections.abc import Mapping
from typing import Final

UNITS: Final[Mapping[str, int]] = {
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgtp", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgtp", 1)},
}


def parse_size(text: str) -> int:
    """The bytes of a size such as 500GB or 1.5TiB.

    Raises:
        ValueError: The text is not a number and a unit.

    Example:
        >>> parse_size("1.5KiB")
        1536
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([a-z]+)", text.strip().lower())
    if not match or match[2] not in UNITS:
        raise ValueError(f"{text!r} is not a size; write a number and a unit, such as 500GB or 1.5TiB")
    return round(float(match[1]) * UNITS[match[2]])


def show_size(size_bytes: float) -> str:
    """A size in the largest decimal unit that leaves a number above one.

    Example:
        >>> show_size(2_500_000)
        '2.5 MB'
    """
    for unit in ("PB", "TB", "GB", "MB", "kB"):
        if size_bytes >= UNITS[unit.lower()]:
            return f"{size_bytes / UNITS[unit.lower()]:.3g} {unit}"
    return f"{size_bytes:.0f} B"


def show_duration(seconds: float) -> str:
    """A time in the unit a person would use.

    Example:
        >>> show_duration(3000)
        '50 min'
    """
    if seconds < 1:
        return "< 1 s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:,.1f} d"


def show_dollars(dollars: float) -> str:
    """A price, small ones to the cent.

    Example:
        >>> show_dollars(1234.5)
        '$1,234'
    """
    if 0 < dollars < 0.01:
        return "< $0.01"
    return f"${dollars:,.0f}" if dollars >= 100 else f"${dollars:.2f}"
