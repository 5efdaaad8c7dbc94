"""What reading documents costs a month: Textract by the page, Comprehend by the text of a full one."""

from collections.abc import Collection, Iterator
from typing import Final

from headrace.cost.lines import Line, make_line
from headrace.documents.contract import PIECE_BYTES
from headrace.documents.prices import CHARACTERS_A_PAGE, TRANSITIONS_A_TEXT, UNIT_CHARACTERS, count_transitions
from headrace.inventory import Charge, PriceList

_LANGUAGE: Final = "DominantLanguage"
_SYNTAX: Final = "Syntax"


def list_reading_lines(
    section: str, asked: Collection[str], pages: float, prices: PriceList, *, classifies: bool = False
) -> Iterator[Line]:
    """What it costs to read so many pages, each full of text and the only one of its document.

    Args:
        section: The part of the platform.
        asked: What is asked about each: features of Textract, such as `tables`, and what Comprehend detects, such as
            `Sentiment`.
        pages: How many pages.
        prices: The prices.
        classifies: Whether documents are classified; an endpoint does 100 characters a second for each of its units.
    """
    insights = [name for name in asked if not name[0].islower() and name != _LANGUAGE]
    for name in asked:
        if name[0].islower():
            yield make_line(section, f"pages read for {name}", Charge(f"textract-{name}-page", pages), prices)
            continue
        characters = PIECE_BYTES if name == _LANGUAGE else CHARACTERS_A_PAGE
        price = "comprehend-syntax-unit" if name == _SYNTAX else "comprehend-unit"
        charge = Charge(price, pages * characters / UNIT_CHARACTERS)
        yield make_line(section, f"text given to Detect{name}", charge, prices)
    if classifies:
        charge = Charge("comprehend-endpoint-second", pages * CHARACTERS_A_PAGE / UNIT_CHARACTERS)
        yield make_line(section, "classifying", charge, prices)
    if asked:
        transitions = count_transitions([name.lower() for name in insights]) + classifies * TRANSITIONS_A_TEXT
        charge = Charge("transition", pages * transitions)
        yield make_line(section, "states of documents", charge, prices)
