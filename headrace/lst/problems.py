"""What checks find."""

from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True)
class Problem:
    """Something wrong with a file, on one of its lines or as a whole."""

    line: int | None
    text: str

    def __str__(self) -> str:
        return self.text if self.line is None else f"line {self.line}: {self.text}"


# What of a list's row may be wrong.
Part = Literal["fields", "index", "label", "path"]


class RowProblem(NamedTuple):
    """Something wrong with one row of a list, wherever it stands."""

    part: Part
    text: str

    def __str__(self) -> str:
        return self.text
