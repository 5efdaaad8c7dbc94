"""Reading what a caller says about the answers it takes."""

from typing import NamedTuple


class Wish(NamedTuple):
    """One entry of an Accept header: a pattern such as `text/*`, and how much it is liked."""

    pattern: str
    quality: float


def parse_accept(accept: str) -> list[Wish]:
    """The entries of an Accept header, in their order."""
    return [parse_wish(part) for part in accept.split(",") if part.strip()]


def parse_wish(part: str) -> Wish:
    """One entry of an Accept header."""
    pattern, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return Wish(pattern, parse_quality(value))
    return Wish(pattern, 1.0)


def parse_quality(text: str) -> float:
    """A quality from 0 to 1; one that cannot be read counts as 0."""
    try:
        return float(text)
    except ValueError:
        return 0.0
