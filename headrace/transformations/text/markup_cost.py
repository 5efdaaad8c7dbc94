"""What reading a hostile document might take, counted before it is read.

The parser never hangs and never recurses, but nested elements, attributes of one tag and references to characters each
take it the square of their number: a few megabytes would keep it busy for hours.
"""

import re
from typing import Final

from headrace.transformations.text.errors import TextTooComplexError

# What the parser takes, in nanoseconds on one core, measured with nh3 0.3.8: for each pair of elements that may be
# nested, for each pair of attributes of a tag, and for each byte of the document for each reference.
_NESTING: Final = 6.0
_ATTRIBUTES: Final = 1.0
_REFERENCES: Final = 0.04
_MOST_SECONDS: Final = 3.0

_BLANK: Final = r"[ \t\n\f\r]"
_NAME: Final = r"""[^ \t\n\f\r"'<>/=]"""
_VALUE: Final = r"""(?:"[^"<]*+"|'[^'<]*+'|[^ \t\n\f\r"'<>=`]++)"""
# A tag as the standard wants it; of no other is it certain where it ends.
_TAG: Final = re.compile(
    rf"</?([a-zA-Z]{_NAME}*+)(?:{_BLANK}++{_NAME}++(?:{_BLANK}*+={_BLANK}*+{_VALUE})?+)*+{_BLANK}*+/?>"
)
_LETTER: Final = re.compile(r"[a-zA-Z]")
_SCRIPT_END: Final = re.compile("</script", re.IGNORECASE)
_COMMENT: Final = "<!--"
_COMMENT_END: Final = "-->"
# These end a comment as well: the one anywhere, the others where it begins.
_ODD_COMMENT_END: Final = "--!>"
_ODD_COMMENT_STARTS: Final = (">", "->")


def check_cost(document: str) -> None:
    """Refuse a document that might take the parser too long.

    Raises:
        TextTooComplexError: With an estimate.
    """
    tags = document.count("<")
    # A blank that must not break is one as well, once it is written.
    references = document.count("&") + document.count("\xa0")
    nanoseconds = (
        tags**2 * _NESTING + _count_pairs(document) * _ATTRIBUTES + references * len(document.encode()) * _REFERENCES
    )
    if nanoseconds > _MOST_SECONDS * 1e9:
        raise TextTooComplexError(
            f"its markup, with {tags} tags and {references} references to characters, might take "
            f"{nanoseconds / 1e9:.0f} seconds to read, more than {_MOST_SECONDS:g}"
        )


def _count_pairs(document: str) -> int:
    """The pairs of attributes of all tags; from the first doubtful one on, all that is left may be attributes."""
    pairs = place = 0
    while (start := document.find("<", place)) >= 0:
        end = _find_end(document, start)
        if end is None:
            rest = document[start:]
            return pairs + (len(rest.split()) + sum(rest.count(mark) for mark in "/\"'")) ** 2
        if not document.startswith("<!", start):
            pairs += len(document[start:end].split()) ** 2
        place = _skip_script(document, start, end)
    return pairs


def _find_end(document: str, start: int) -> int | None:
    """Where what begins with this `<` ends, if that is certain."""
    if document.startswith(_COMMENT, start):
        return _find_comment_end(document, start + len(_COMMENT))
    following = document[start + 1 : start + 3]
    if _LETTER.match(following.removeprefix("/")):
        tag = _TAG.match(document, start)
        return tag.end() if tag else None
    if not following.startswith(("!", "?", "/")):
        # It stands for itself.
        return start + 1
    end = document.find(">", start)
    return end + 1 if end >= 0 else None


def _find_comment_end(document: str, start: int) -> int | None:
    end = document.find(_COMMENT_END, start)
    if end < 0 or document.startswith(_ODD_COMMENT_STARTS, start) or document.find(_ODD_COMMENT_END, start, end) >= 0:
        return None
    return end + len(_COMMENT_END)


def _skip_script(document: str, start: int, end: int) -> int:
    """The end of a tag, or of the script that it begins."""
    tag = _TAG.match(document, start)
    if tag is None or tag[1].lower() != "script" or document.startswith("</", start):
        return end
    closing = _SCRIPT_END.search(document, end)
    return closing.start() if closing else len(document)
