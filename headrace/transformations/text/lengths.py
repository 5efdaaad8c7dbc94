"""Texts that are too long: refused, or cut where a character ends."""

import unicodedata
from typing import Final

from headrace.transformations.text.errors import TextTooLongError
from headrace.transformations.text.options import Options, TooLong, WhiteSpace

_JOINER: Final = "\u200d"
# A UTF-8 character has four bytes at most.
_WIDEST: Final = 4


def limit(text: str, options: Options) -> str:
    """The text, or as much of it as is asked for.

    Raises:
        TextTooLongError: If it is longer, and longer ones are refused.
    """
    end = _find_end(text, options)
    if end == len(text):
        return text
    if options.too_long is TooLong.REFUSE:
        raise TextTooLongError(_explain(text, options))
    cut = text[: _find_boundary(text, end)]
    if cut.endswith("\r"):
        cut = cut[:-1]
    return cut if options.white_space is WhiteSpace.KEEP else cut.rstrip()


def _find_end(text: str, options: Options) -> int:
    """How many of its characters are within both limits."""
    end = min(len(text), options.max_characters or len(text))
    if not options.max_bytes or end * _WIDEST <= options.max_bytes:
        return end
    # No character ends within another's bytes, so a part of one at the end is all that can be wrong.
    return len(text[:end].encode()[: options.max_bytes].decode(errors="ignore"))


def _find_boundary(text: str, end: int) -> int:
    """The last place not after `end` that does not part a letter from its accents, or joined signs."""
    place = end
    while place and (_joins(text[place]) or text[place - 1] == _JOINER):
        place -= 1
    # A letter with more accents than there is room for is cut after all.
    return place or end


def _joins(character: str) -> bool:
    return character == _JOINER or unicodedata.category(character).startswith("M")


def _explain(text: str, options: Options) -> str:
    if options.max_characters and len(text) > options.max_characters:
        return f"the text has {len(text)} characters, more than {options.max_characters}"
    return f"the text has {len(text.encode())} bytes, more than {options.max_bytes}"
