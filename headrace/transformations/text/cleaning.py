"""Characters as they are asked for: line ends, control characters, Unicode form, white space."""

import re
import unicodedata
from typing import Final

from headrace.transformations.text.errors import NotTextError, TextTooComplexError
from headrace.transformations.text.options import LARGEST_FILE, Controls, Form, LineEnds, WhiteSpace

# What Unicode says must end a line: https://www.unicode.org/reports/tr14/#BK
_LINE_END: Final = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_ENDING_LINES: Final = frozenset("\t\n\v\f\r\x85")
_BYTE_ORDER_MARK: Final = "\ufeff"
_CONTROLS: Final = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in _ENDING_LINES}
_CONTROL: Final = re.compile(f"[{''.join(re.escape(chr(code)) for code in _CONTROLS)}]")
_BLANKS: Final = re.compile(r"[^\S\n]+")
_AROUND_LINE_ENDS: Final = re.compile(r" ?\n ?")
_EMPTY_LINES: Final = re.compile(r"\n{3,}")
# Accents on one letter are sorted one by one, so that the time is the square of their number. Unicode's own limit for
# streams is 30: https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format
_MOST_ACCENTS: Final = 255
_ACCENTS: Final = re.compile(rb"[^\0]{%d}" % (_MOST_ACCENTS + 1))


def unify_line_ends(text: str, line_ends: LineEnds) -> str:
    """Every line ended by a line feed, unless they are to stay."""
    return text if line_ends is LineEnds.KEEP else _LINE_END.sub("\n", text)


def treat_controls(text: str, controls: Controls) -> str:
    """The text without byte order marks, and without control characters unless they are to stay.

    Raises:
        NotTextError: If there are some, and they are refused.
    """
    # Within a text it is a blank of no width, for which Unicode has another character by now.
    text = text.replace(_BYTE_ORDER_MARK, "")
    if controls is Controls.KEEP:
        return text
    found = _CONTROL.search(text)
    if found and controls is Controls.REFUSE:
        raise NotTextError(f"character {found.start()} is the control character U+{ord(found[0]):04X}")
    return text.translate(_CONTROLS) if found else text


def change_form(text: str, form: Form) -> str:
    """The text in a Unicode form.

    Raises:
        TextTooComplexError: If it would take too long.
    """
    if form is Form.KEEP or text.isascii():
        return text
    if found := _ACCENTS.search(bytes(map(unicodedata.combining, text))):
        raise TextTooComplexError(
            f"more than {_MOST_ACCENTS} combining characters follow each other from character {found.start()} on"
        )
    normalized = unicodedata.normalize("NFC" if form is Form.NFC else "NFKC", text)
    if len(normalized) > LARGEST_FILE:
        raise TextTooComplexError(f"in {form.upper()} it would have {len(normalized)} characters")
    return normalized


def treat_white_space(text: str, white_space: WhiteSpace) -> str:
    """The text with as much white space as is asked for."""
    if white_space is WhiteSpace.LINE:
        return " ".join(text.split())
    if white_space is WhiteSpace.COLLAPSE:
        return _EMPTY_LINES.sub("\n\n", _AROUND_LINE_ENDS.sub("\n", _BLANKS.sub(" ", text))).strip()
    return text
