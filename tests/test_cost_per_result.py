"""What results cost is computed from the page that has the table."""

import runpy
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
COMPUTED = runpy.run_path(str(PROJECT / "benchmarks/cost_per_result.py"))


def test_is_the_table_of_the_page() -> None:
    page = (PROJECT / "docs/benchmarks.md").read_text(encoding="utf-8")

    assert "\n".join(COMPUTED["list_lines"](page)) in page


def test_follows_what_was_measured() -> None:
    text = "| headrace | 1 | 2 | 360 µs |\n"

    assert COMPUTED["read_seconds"](text, "headrace", 3) == pytest.approx(0.00036)
    assert COMPUTED["find_dollars"](text, ("headrace", 3), COMPUTED["RESULTS"][2]) == pytest.approx(0.1 * 0.23 / 4)


def test_refuses_a_row_that_the_page_does_not_have() -> None:
    with pytest.raises(LookupError, match="no row 'headrace' with a time in cell 3"):
        COMPUTED["read_seconds"]("| headrace | 1 | 2 | much |", "headrace", 3)
