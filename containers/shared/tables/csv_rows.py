"""Reading the rows of a request in CSV."""

import numpy as np
from numpy.typing import NDArray

from containers.shared.tables.rows import BadRowsError

_SHOWN = 100


def parse_csv(body: bytes) -> NDArray[np.float32]:
    """Rows of numbers without a label; an empty cell is a missing value.

    Raises:
        BadRowsError: Naming the row.
    """
    rows = [line.split(b",") for line in body.splitlines() if line.strip()]
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise BadRowsError(f"row {number}: {len(row)} cells, but row 1 has {len(rows[0])}")
    if b"_" in body:
        # Python reads underscores between digits.
        raise BadRowsError(_describe_mistake(rows))
    try:
        with np.errstate(over="ignore"):
            return np.array([[cell.strip() or b"nan" for cell in row] for row in rows]).astype(np.float32)
    except ValueError:
        raise BadRowsError(_describe_mistake(rows)) from None


def _describe_mistake(rows: list[list[bytes]]) -> str:
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row, start=1):
            try:
                float(cell.replace(b"_", b"x").strip() or b"nan")
            except ValueError:
                shown = cell[:_SHOWN].decode("utf-8", errors="replace")
                return f"row {number}, column {column}: {shown!r} is not a number; send rows without a header"
    return "the rows hold something that is not a number"
