"""What reading documents costs, in US dollars, in us-east-1, without the free tier.

`headrace/inventory/prices.json` has the same prices with the source of each. Textract: of the first million pages a
month; features together cost at most their sum, which is what is counted here. Comprehend: of the first ten million
units of 100 characters; each request counts three at least. Step Functions: of transitions of standard executions.
"""

from collections.abc import Collection
from typing import Final

from headrace.documents.contract import PIECE_BYTES, Feature, Insight, find_piece_bytes

TEXT_PAGE: Final = 0.0015
FEATURE_PAGE: Final = {Feature.TABLES: 0.015, Feature.FORMS: 0.05, Feature.QUERIES: 0.015}
UNIT: Final = 0.0001
SYNTAX_UNIT: Final = 0.00005
UNIT_CHARACTERS: Final = 100
TRANSITION: Final = 0.000025
# Custom classification: an endpoint by the second and unit of 100 characters a second, from when it is begun to be
# made; training by the hour; each classifier that is kept, by the month.
ENDPOINT_SECOND: Final = 0.0005
TRAINING_HOUR: Final = 3.0
CLASSIFIER_MONTH: Final = 0.5
# What passes before an endpoint is in service and after its last answer; Comprehend promises no time.
ENDPOINT_AROUND_SECONDS: Final = 900
# What a full page of prose has; the text is known only once Textract has been paid for.
CHARACTERS_A_PAGE: Final = 3000
_TRANSITIONS_A_DOCUMENT: Final = 10
_CLASSIFYING_SHARE: Final = 0.8
TRANSITIONS_A_TEXT: Final = 5


def estimate_page(
    features: Collection[str], insights: Collection[str], *, finds_language: bool, classifies: bool = False
) -> float:
    """What a page of a document costs: one that is full of text, and the only one of its document.

    A unit of an endpoint classifies 100 characters a second, so that a page costs the same with any number of them.

    Example:
        >>> round(estimate_page(["tables", "forms"], ["entities"], finds_language=False), 6)
        0.06845
    """
    textract = sum(FEATURE_PAGE[Feature(name)] for name in features) or TEXT_PAGE
    units = CHARACTERS_A_PAGE / UNIT_CHARACTERS
    comprehend = sum(units * (SYNTAX_UNIT if name == Insight.SYNTAX else UNIT) for name in insights)
    if finds_language and insights:
        comprehend += PIECE_BYTES / UNIT_CHARACTERS * UNIT
    if classifies:
        comprehend += units * ENDPOINT_SECOND + TRANSITIONS_A_TEXT * TRANSITION
    return textract + comprehend + count_transitions(insights) * TRANSITION


def estimate_endpoint(units: int) -> float:
    """What the endpoint of an execution costs besides the pages that it classifies."""
    return units * ENDPOINT_AROUND_SECONDS * ENDPOINT_SECOND


def count_classified(units: int, hours: int) -> int:
    """How many characters an endpoint classifies within so many hours, of which a fifth is for everything else.

    Example:
        >>> count_classified(1, 24)
        6912000
    """
    return round(units * UNIT_CHARACTERS * hours * 3600 * _CLASSIFYING_SHARE)


def count_transitions(insights: Collection[str]) -> int:
    """How many transitions a document of one full page takes, by what Comprehend looks for in it."""
    pieces = -(-CHARACTERS_A_PAGE // find_piece_bytes(insights)) if insights else 0
    return _TRANSITIONS_A_DOCUMENT + pieces * (3 + len(insights))
