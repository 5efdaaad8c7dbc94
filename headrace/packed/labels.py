"""What the command that packs a set needs beside its list."""

import os
from pathlib import Path

from headrace.inputs import naming_text, open_input, read_text_lines
from headrace.packed.layout import PackedError


def read_labels(path: Path) -> tuple[str, ...]:
    """The names of the classes from a file, one a line, class 0 first.

    Raises:
        PackedError: If a name is empty or occurs twice.
    """
    with naming_text(path, PackedError), open_input(path) as file:
        labels = [line.rstrip("\n") for line in read_text_lines(file)]
    seen: set[str] = set()
    for number, label in enumerate(labels, start=1):
        if not label.strip() or label in seen:
            problem = f"{label!r} occurs twice" if label in seen else "is blank"
            raise PackedError(f"{path}, line {number}: {problem}; write one name a line, class 0 first")
        seen.add(label)
    return tuple(labels)


def count_threads() -> int:
    """How many photographs are decoded at a time: one for each CPU that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
