"""What checks find."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


@dataclass(frozen=True)
class Problem:
    """Something wrong with a file, on one of its lines or as a whole."""

    line: int | None
    text: str

    def __str__(self) -> str:
        return self.text if self.line is None else f"line {self.line}: {self.text}"


class Part(StrEnum):
    """What of a list's row is wrong."""

    FIELDS = "fields"
    INDEX = "index"
    LABEL = "label"
    PATH = "path"


class RowProblem(NamedTuple):
    """Something wrong with one row of a list, wherever it stands."""

    part: Part
    text: str

    def __str__(self) -> str:
        return self.text
