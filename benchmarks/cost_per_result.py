"""What results cost, computed from the CPU time that docs/benchmarks.md says was measured and from the dated prices.

    python benchmarks/cost_per_result.py

prints the table of costs on that page, which a test compares with it. A second of CPU time costs what a core of an
ml.m5.xlarge does, whose four cores are taken to be busy; requests cost what S3 asks for them.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from headrace.channels import prices
from headrace.inventory.prices import usual_prices

PAGE: Final = Path(__file__).parents[1] / "docs/benchmarks.md"
INSTANCE, CORES, HOUR = "ml.m5.xlarge", 4, 3600
MILLION: Final = 1_000_000
# What one turn of the benchmark copies: 2,000 objects of 50 KB and 4 of 100 MB.
COPIED_OBJECTS, COPIED_GB = 2_004, 0.5
UNITS: Final = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}


class Measured(NamedTuple):
    """Where the page has a CPU time, and how many of it make a result.

    Args:
        result: What is paid for.
        ours: The beginning of the row with ours, and which of its cells, counted from 0.
        theirs: The same of the other side; none where none was measured.
        peer: Who that is.
        times: How many of that CPU time make a result.
        requests: Requests to S3 that a result takes, on either side.
    """

    result: str
    ours: tuple[str, int]
    theirs: tuple[str, int] | None
    peer: str
    times: float
    requests: float = 0


RESULTS: Final = (
    Measured("a million photographs of 2 MP, normalized", ("2 MP JPEG", 2), ("2 MP JPEG", 3), "the article", MILLION),
    Measured(
        "a million photographs of 12 MP, normalized", ("12 MP JPEG", 2), ("12 MP JPEG", 3), "the article", MILLION
    ),
    Measured(
        "a million predictions, a row a request",
        ("headrace", 3),
        ("Flask, pandas, scikit-learn", 3),
        "Flask, pandas, scikit-learn",
        MILLION,
    ),
    Measured(
        "100 million sales, preprocessed",
        ("1,000,000 rows: headrace", 2),
        ("the book's steps", 2),
        "the book's steps",
        100,
    ),
    Measured(
        "a GB of small and large objects, copied",
        ("`headrace.data.replicate`", 2),
        ("`s5cmd cp`", 2),
        "s5cmd",
        1 / COPIED_GB,
        COPIED_OBJECTS / COPIED_GB,
    ),
    Measured(
        "an epoch of a million packed records, read", ("an epoch of packed records", 2), None, "", MILLION / 2_000
    ),
    Measured("a million normalized JPEGs, decoded", ("400 normalized JPEGs, Pillow", 2), None, "", MILLION / 400),
)


def read_seconds(text: str, row: str, cell: int) -> float:
    """The CPU time in a cell of the first row of the page that begins with a text.

    Raises:
        LookupError: If there is no such row, or no time in it.
    """
    found = re.search(rf"^\| {re.escape(row)} \|(.*)$", text, re.MULTILINE)
    cells = [row, *found[1].split("|")] if found else []
    time = re.fullmatch(r"([\d.,]+) (s|ms|µs)", cells[cell].strip()) if cell < len(cells) else None
    if not time:
        raise LookupError(f"{PAGE.name}: no row {row!r} with a time in cell {cell}")
    return float(time[1].replace(",", "")) * UNITS[time[2]]


def find_dollars(text: str, place: tuple[str, int], measured: Measured) -> float:
    """What a result costs."""
    seconds = read_seconds(text, *place) * measured.times
    core_hour = usual_prices().each(f"instance:{INSTANCE}") / CORES
    return seconds / HOUR * core_hour + measured.requests * prices.S3_GET


def list_lines(text: str) -> Iterator[str]:
    """The table in Markdown."""
    yield "| what | ours | theirs | whose | times less |"
    yield "|---|--:|--:|---|--:|"
    for measured in RESULTS:
        ours = find_dollars(text, measured.ours, measured)
        if measured.theirs:
            theirs = find_dollars(text, measured.theirs, measured)
            rest = f"${theirs:.4f} | {measured.peer} | {theirs / ours:.1f}"
        else:
            rest = "not measured | |"
        yield f"| {measured.result} | ${ours:.4f} | {rest} |"


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in list_lines(PAGE.read_text(encoding="utf-8"))))
