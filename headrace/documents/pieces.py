"""Texts in pieces that Comprehend takes."""

from collections.abc import Iterable, Iterator
from typing import Final

_SPACE: Final = " "


def split_lines(lines: Iterable[str], most_bytes: int) -> Iterator[str]:
    """Whole lines put together to pieces of so many bytes of UTF-8 at most.

    A longer line is cut, between words if it has some.

    Example:
        >>> list(split_lines(["one two three"], 8))
        ['one two', 'three']
    """
    piece, size = list[str](), 0
    for part in (part for line in lines for part in _cut(line, most_bytes)):
        length = len(part.encode())
        if piece and size + 1 + length > most_bytes:
            yield "\n".join(piece)
            piece, size = [], 0
        size += length + (1 if piece else 0)
        piece.append(part)
    if piece:
        yield "\n".join(piece)


def _cut(line: str, most_bytes: int) -> Iterator[str]:
    left = line.strip()
    while len(left.encode()) > most_bytes:
        head = left.encode()[:most_bytes].decode(errors="ignore")
        at = head.rfind(_SPACE) if left[len(head)] != _SPACE else len(head)
        cut = at if at > 0 else len(head)
        yield left[:cut].rstrip()
        left = left[cut:].lstrip()
    if left:
        yield left
