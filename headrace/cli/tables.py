"""Tables for people to read in a terminal."""

from collections.abc import Sequence, Set


def render_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Set[int] = frozenset()) -> str:
    """Aligned columns under a ruled header; columns of numbers to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    rule = ["─" * width for width in widths]
    lines = []
    for row in (header, rule, *rows):
        cells = [
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
