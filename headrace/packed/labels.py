"""What the command that packs a set needs beside its list."""

from pathlib import Path

from headrace.inputs import naming_text, open_input, read_text_lines
from headrace.packed.layout import PackedError, find_bad_label


def read_labels(path: Path) -> tuple[str, ...]:
    """The names of the classes from a file, one a line, class 0 first.

    Raises:
        PackedError: If a name is blank, occurs twice or cannot be printed, or there are too many.
    """
    with naming_text(path, PackedError), open_input(path) as file:
        labels = tuple(line.rstrip("\n") for line in read_text_lines(file))
    if bad := find_bad_label(labels):
        place, problem = bad
        raise PackedError(f"{path}, line {place + 1}: {problem}; write one name a line, class 0 first")
    return labels
