"""What the caller may choose about a text."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from headrace.normalizer.errors import BadOptionError

# A new number, for code that cleans otherwise, leaves what earlier code has made unused.
GENERATION: Final = 1

# Four times a long novel.
LARGEST_FILE: Final = 4 * 1024 * 1024


class Encoding(StrEnum):
    """How the bytes are to be read, unless they begin with a byte order mark, which says it itself.

    AUTO is UTF-8, and else what `fallback` says.
    """

    AUTO = "auto"
    UTF_8 = "utf-8"
    UTF_16_LE = "utf-16-le"
    UTF_16_BE = "utf-16-be"
    UTF_32_LE = "utf-32-le"
    UTF_32_BE = "utf-32-be"
    CP1252 = "cp1252"
    LATIN_1 = "latin-1"


class Fallback(StrEnum):
    """What to read bytes as that are not UTF-8, where `encoding` is AUTO."""

    REFUSE = "refuse"
    CP1252 = "cp1252"
    LATIN_1 = "latin-1"


class Markup(StrEnum):
    """Whether the text is what is written, or HTML of which only the words are wanted."""

    KEEP = "keep"
    REMOVE = "remove"


class Controls(StrEnum):
    """What becomes of control characters other than tabs and line ends."""

    REMOVE = "remove"
    REFUSE = "refuse"
    KEEP = "keep"


class Form(StrEnum):
    """The Unicode form; NFKC also makes one of what only looks different, such as ligatures and wide letters."""

    NFC = "nfc"
    NFKC = "nfkc"
    KEEP = "keep"


class LineEnds(StrEnum):
    """What every line ends with."""

    LF = "lf"
    CRLF = "crlf"
    KEEP = "keep"


class WhiteSpace(StrEnum):
    """COLLAPSE leaves one blank between words and one empty line between paragraphs; LINE makes one line of all."""

    KEEP = "keep"
    COLLAPSE = "collapse"
    LINE = "line"


class TooLong(StrEnum):
    """What becomes of a text that is longer than asked for."""

    REFUSE = "refuse"
    CUT = "cut"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The text that is asked for, which is always UTF-8 without a byte order mark.

    Args:
        encoding: How the bytes are to be read.
        fallback: What else they may be.
        markup: Whether HTML is reduced to its words.
        controls: What becomes of control characters.
        form: The Unicode form.
        line_ends: What every line ends with.
        white_space: How much white space stays.
        max_characters: The most code points; 0 for any number.
        max_bytes: The most bytes of the result; 0 for any number.
        too_long: What becomes of a longer one.
    """

    encoding: Encoding = Encoding.AUTO
    fallback: Fallback = Fallback.REFUSE
    markup: Markup = Markup.KEEP
    controls: Controls = Controls.REMOVE
    form: Form = Form.NFC
    line_ends: LineEnds = LineEnds.LF
    white_space: WhiteSpace = WhiteSpace.KEEP
    max_characters: int = 0
    max_bytes: int = 0
    too_long: TooLong = TooLong.REFUSE

    def __post_init__(self) -> None:
        if self.white_space is WhiteSpace.COLLAPSE and self.line_ends is LineEnds.KEEP:
            raise BadOptionError("white_space 'collapse' needs to know what a line is; set line_ends to lf or crlf")
        if self.fallback is not Fallback.REFUSE and self.encoding is not Encoding.AUTO:
            raise BadOptionError("fallback is for encoding 'auto'; leave one of them out")
