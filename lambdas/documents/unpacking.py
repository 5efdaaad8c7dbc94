"""What Textract has written about one document becomes findings, and its text pieces for Comprehend."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.documents.contract import (
    ANSWER_FILE,
    FEWEST_CHARACTERS,
    PIECES_FOLDER,
    TEXTRACT_FOLDER,
    Unpacked,
)
from headrace.documents.findings import AnswerError, list_found_by_textract
from headrace.documents.pieces import split_lines

from .classes import name_text
from .store import Store

# An execution has a history of 25,000 events, and a piece takes about forty of them, and three for each try more.
MOST_PIECES: Final = 400
# Most of an answer: the outlines of what was found, and to the last digit.
_NOT_TOLD: Final = ("Geometry", "TextType", "RowSpan", "ColumnSpan")
_READ: Final = ("SUCCEEDED", "PARTIAL_SUCCESS")


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much of a document's text is kept.

    Args:
        piece: The most bytes of a piece.
        text: The most bytes of the beginning that is classified; none if nothing is.
    """

    piece: int
    text: int = 0


def unpack(store: Store, folder: str, job: str, sizes: Sizes) -> dict[str, Any]:
    """Write the findings and the pieces of one document.

    Args:
        store: Where everything is.
        folder: The folder of the document.
        job: Textract's job.
        sizes: How much of its text is kept.

    Raises:
        AnswerError: If Textract has left no answer, or not one of a job that has succeeded.
    """
    keys = _list_parts(store, f"{folder}{TEXTRACT_FOLDER}{job}/")
    if not keys:
        raise AnswerError(f"Textract has left no answer of job {job}")
    first = {name: value for name, value in store.read(keys[0]).items() if name != "Blocks"}
    if (status := first.get("JobStatus")) not in _READ:
        raise AnswerError(f"Textract's answer of job {job} has the status {status}")
    findings = list(list_found_by_textract(_read_blocks(store, keys)))
    lines = [finding.value for finding in findings if finding.kind == "line"]
    pieces = list(split_lines(lines, sizes.piece))
    for number, piece in enumerate(pieces[:MOST_PIECES]):
        store.write_text(f"{folder}{PIECES_FOLDER}{number}.txt", piece)
    if sizes.text and lines:
        store.write_text(name_text(folder), next(split_lines(lines, sizes.text)))
    pages = int(first.get("DocumentMetadata", {}).get("Pages", 0))
    characters = sum(map(len, lines))
    store.write(
        f"{folder}{ANSWER_FILE}",
        {
            Unpacked.PAGES: pages,
            Unpacked.CHARACTERS: characters,
            "Warnings": list(_describe_warnings(first, len(pieces))),
            "Findings": [finding.describe() for finding in findings],
        },
    )
    sample = pieces[0] if characters >= FEWEST_CHARACTERS else ""
    return {
        Unpacked.PAGES: pages,
        Unpacked.CHARACTERS: characters,
        Unpacked.SAMPLE: sample,
        Unpacked.PIECES: list(range(min(len(pieces), MOST_PIECES))),
    }


def _read_blocks(store: Store, keys: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The blocks of an answer's parts, of which one is held at a time, without where they are on their pages."""
    for key in keys:
        for block in store.read(key).get("Blocks") or ():
            yield {name: value for name, value in block.items() if name not in _NOT_TOLD}


def _list_parts(store: Store, prefix: str) -> list[str]:
    """The keys of an answer's parts, which are numbered from 1 on; the file beside them only tries the permission."""
    found = {key.rpartition("/")[2]: key for key in store.list(prefix)}
    return [found[number] for number in sorted(filter(str.isdigit, found), key=int)]


def _describe_warnings(first: Mapping[str, Any], pieces: int) -> Iterator[str]:
    for warning in first.get("Warnings") or ():
        pages = ", ".join(map(str, warning.get("Pages", ())))
        yield f"Textract: {warning.get('ErrorCode', 'unknown')} on pages {pages}"
    if pieces > MOST_PIECES:
        yield f"Comprehend was asked about the first {MOST_PIECES} of {pieces} pieces of text"
