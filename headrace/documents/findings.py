"""What Textract and Comprehend have found, as rows.

Textract's blocks: https://docs.aws.amazon.com/textract/latest/dg/how-it-works-document-layout.html.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from headrace.errors import HeadraceError

_SELECTED: Final = {"SELECTED": "yes", "NOT_SELECTED": "no"}

Block = Mapping[str, Any]


class AnswerError(HeadraceError):
    """An answer that does not have the shape that the API gives it."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was found in a document.

    Args:
        kind: `line`, `field`, `cell`, `answer`, `entity`, `key_phrase`, `sentiment`, `token` or `class`.
        place: Its page, as in `page 2`, with the table, row and column of a cell; of Comprehend's, the piece of text.
        name: What a field, a question or a class is called, or the type of an entity, sentiment or token.
        value: Its text.
        score: How sure the service is, from 0 to 1.
    """

    kind: str
    place: str
    name: str
    value: str
    score: float

    def describe(self) -> dict[str, Any]:
        """Its members by their names."""
        return asdict(self)


def list_found_by_textract(blocks: Iterable[Block]) -> Iterator[Finding]:
    """The lines, fields, cells of tables and answers to questions that blocks tell of, in their order.

    Raises:
        AnswerError: If a block lacks what it must have, or names one that is not there.
    """
    try:
        yield from _list_found(Blocks(blocks))
    except KeyError as error:
        raise AnswerError(f"Textract's answer has a block without {error.args[0]!r}") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise AnswerError(f"Textract's answer does not have the shape of its API: {error}") from None


def _list_found(known: "Blocks") -> Iterator[Finding]:
    tables = 0
    for block in known.all:
        kind = block["BlockType"]
        if kind == "LINE":
            yield _find("line", block, _page(block), "", block["Text"])
        elif kind == "KEY_VALUE_SET" and "KEY" in block.get("EntityTypes", ()):
            value = " ".join(known.read_text(each) for each in known.list_related(block, "VALUE"))
            yield _find("field", block, _page(block), known.read_text(block), value.strip())
        elif kind == "TABLE":
            tables += 1
            yield from _find_cells(known, block, tables)
        elif kind == "QUERY":
            for answer in known.list_related(block, "ANSWER"):
                name = block["Query"].get("Alias") or block["Query"]["Text"]
                yield _find("answer", answer, _page(answer), name, answer.get("Text", ""))


def list_found_by_comprehend(piece: int, answers: Mapping[str, Any], faults: list[str]) -> Iterator[Finding]:
    """What the answers about one piece of text say.

    Args:
        piece: Its number.
        answers: The answers' members by their names; nothing for what was not answered.
        faults: What cannot be read of them is added here, and ends nothing else.
    """
    for member, make in _MAKERS.items():
        found = answers.get(member) or []
        # A sentiment is one word, with its scores beside it.
        for each in [answers] if member == _SENTIMENT and found else found if isinstance(found, list) else [found]:
            try:
                yield make(f"piece {piece}", each)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
                faults.append(f"piece {piece}, {member}: Comprehend's answer does not have its API's shape: {what}")


def list_classes(classes: Iterable[Any], faults: list[str]) -> Iterator[Finding]:
    """The classes or labels of a document, as ClassifyDocument answers them; what cannot be read is added to faults."""
    for each in classes:
        try:
            yield Finding(kind="class", place="", name=each["Name"], value="", score=float(each["Score"]))
        except (KeyError, TypeError, ValueError) as error:
            faults.append(f"a class does not have the shape of Comprehend's API: {error}")


def _make_entity(place: str, entity: Mapping[str, Any]) -> Finding:
    return Finding(kind="entity", place=place, name=entity["Type"], value=entity["Text"], score=float(entity["Score"]))


def _make_phrase(place: str, phrase: Mapping[str, Any]) -> Finding:
    return Finding(kind="key_phrase", place=place, name="", value=phrase["Text"], score=float(phrase["Score"]))


def _make_sentiment(place: str, answers: Mapping[str, Any]) -> Finding:
    sentiment, scores = str(answers[_SENTIMENT]), answers.get("SentimentScore") or {}
    score = float(scores.get(sentiment.title(), 0))
    return Finding(kind="sentiment", place=place, name=sentiment, value="", score=score)


def _make_token(place: str, token: Mapping[str, Any]) -> Finding:
    part = token["PartOfSpeech"]
    return Finding(kind="token", place=place, name=part["Tag"], value=token["Text"], score=float(part["Score"]))


_SENTIMENT: Final = "Sentiment"
_MAKERS: Final[Mapping[str, Callable[[str, Mapping[str, Any]], Finding]]] = {
    "Entities": _make_entity,
    "KeyPhrases": _make_phrase,
    _SENTIMENT: _make_sentiment,
    "SyntaxTokens": _make_token,
}


class Blocks:
    """Blocks and what they refer to.

    Args:
        blocks: Those of all pages.
    """

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.all = list(blocks)
        self._by_id = {block.get("Id"): block for block in self.all}

    def list_related(self, block: Block, kind: str) -> Iterator[Block]:
        """The blocks that one refers to in this way.

        Raises:
            AnswerError: If one is not there.
        """
        for relationship in block.get("Relationships") or ():
            if relationship["Type"] == kind:
                for wanted in relationship["Ids"]:
                    if wanted not in self._by_id:
                        raise AnswerError(f"Textract's answer refers to block {wanted}, which is not in it")
                    yield self._by_id[wanted]

    def read_text(self, block: Block) -> str:
        """The words and ticks in a block."""
        children = self.list_related(block, "CHILD")
        return " ".join(child.get("Text") or _SELECTED.get(child.get("SelectionStatus", ""), "") for child in children)


def _find_cells(known: Blocks, table: Block, number: int) -> Iterator[Finding]:
    for cell in known.list_related(table, "CHILD"):
        if cell["BlockType"] == "CELL" and (text := known.read_text(cell)):
            place = f"{_page(cell)}, table {number}, row {cell['RowIndex']}, column {cell['ColumnIndex']}"
            yield _find("cell", cell, place, "", text)


def _find(kind: str, block: Block, place: str, name: str, value: str) -> Finding:
    return Finding(kind=kind, place=place, name=name, value=value, score=float(block.get("Confidence", 0)) / 100)


def _page(block: Block) -> str:
    return f"page {block.get('Page', 1)}"
