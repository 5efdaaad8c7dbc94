"""What checks find."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Something wrong with a file, on one of its lines or as a whole."""

    line: int | None
    text: str

    def __str__(self) -> str:
        return self.text if self.line is None else f"line {self.line}: {self.text}"
