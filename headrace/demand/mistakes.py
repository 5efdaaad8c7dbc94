"""What is wrong with a file of demand."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Mistake:
    """One thing that is wrong: on which line, and what to do about it."""

    line: int
    text: str
