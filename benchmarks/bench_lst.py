# /// script
# requires-python = ">=3.11"
# dependencies = ["headrace"]
# [tool.uv.sources]
# headrace = { path = "..", editable = true }
# ///
"""Compares two lists of many images, against a script with the csv module and a dictionary for each list.

HEADRACE_BENCH_ROWS=10000000 compares lists of ten million rows: minutes, and 6 GB of memory for the script.
"""

import csv
import os
import tempfile
from pathlib import Path

from harness import Case, Side, main

from headrace.lst import Change, diff_lists

ROWS = int(os.environ.get("HEADRACE_BENCH_ROWS", "2_000_000"))
CLASSES = 257
PART = 100_000


def prepare() -> tuple[Path, Path]:
    """The two lists, made once for all processes: one row in a thousand is added, removed and relabelled each."""
    folder = Path(tempfile.gettempdir()) / f"headrace-bench-lists-{os.getuid()}-{ROWS}"
    before, after = folder / "before.lst", folder / "after.lst"
    if not after.exists():
        folder.mkdir(exist_ok=True)
        write_rows(before, changed=False)
        write_rows(after, changed=True)
    return before, after


def write_rows(path: Path, *, changed: bool) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="\n") as file:
        for start in range(0, ROWS, PART):
            rows = range(start, min(ROWS, start + PART))
            file.writelines(format_row(row, changed=changed) for row in rows)
    partial.replace(path)


def format_row(row: int, *, changed: bool) -> str:
    label = row * 2_654_435_761 % CLASSES
    index, name, shown = row, f"class_{label:03d}/image_{row:08d}.jpg", label
    if changed and row % 1000 == 3:
        shown = (label + 1) % CLASSES
    if changed and row % 1000 == 5:
        index, name = row + ROWS, f"class_{label:03d}/new_{row:08d}.jpg"
    return f"{index}\t{shown}\t{name}\n"


def compare_with_headrace(lists: tuple[Path, Path]) -> None:
    with diff_lists(*lists) as diff:
        count = diff.count()
        changed = sum(1 for _ in diff.read_rows())
    assert changed == sum(count.values()) == 3 * ROWS // 1000
    assert count[Change.ADDED] == count[Change.REMOVED] == count[Change.RELABELLED]


def compare_with_csv(lists: tuple[Path, Path]) -> None:
    before, after = map(read_rows, lists)
    added = [(path, row) for path, row in after.items() if path not in before]
    removed = [(path, row) for path, row in before.items() if path not in after]
    relabelled = [(path, before[path], row) for path, row in after.items() if path in before and before[path] != row]
    assert len(added) == len(removed) == len(relabelled) == ROWS // 1000


def read_rows(path: Path) -> dict[str, tuple[str, str]]:
    with path.open(newline="") as file:
        return {name: (index, label) for index, label, name in csv.reader(file, delimiter="\t")}


if __name__ == "__main__":
    main(
        [
            Case(
                name=f"diff of two lists of {ROWS:,} rows",
                ours=Side(name="headrace", prepare=prepare, run=compare_with_headrace),
                peers=(Side(name="csv and dict", prepare=prepare, run=compare_with_csv),),
                runs=3,
                warm_up=False,
            )
        ]
    )
