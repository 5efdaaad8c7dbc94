"""What Textract has written about one document becomes findings, and its text pieces for Comprehend."""

from collections.abc import Iterator
from typing import Any, Final

from headrace.documents.contract import (
    ANSWER_FILE,
    FEWEST_CHARACTERS,
    PIECE_BYTES,
    PIECES_FOLDER,
    TEXTRACT_FOLDER,
    Unpacked,
)
from headrace.documents.findings import AnswerError, list_found_by_textract
from headrace.documents.pieces import split_lines

from .store import Store

# An execution has a history of 25,000 events, and a piece takes about forty of them.
MOST_PIECES: Final = 500
_READ: Final = ("SUCCEEDED", "PARTIAL_SUCCESS")


def unpack(store: Store, folder: str, job: str) -> dict[str, Any]:
    """Write the findings and the pieces of one document.

    Raises:
        AnswerError: If Textract has left no answer, or not one of a job that has succeeded.
    """
    parts = [store.read(key) for key in _list_parts(store, f"{folder}{TEXTRACT_FOLDER}{job}/")]
    if not parts:
        raise AnswerError(f"Textract has left no answer of job {job}")
    if (status := parts[0].get("JobStatus")) not in _READ:
        raise AnswerError(f"Textract's answer of job {job} has the status {status}")
    findings = list(list_found_by_textract(block for part in parts for block in part.get("Blocks", ())))
    lines = [finding.value for finding in findings if finding.kind == "line"]
    pieces = list(split_lines(lines, PIECE_BYTES))
    for number, piece in enumerate(pieces[:MOST_PIECES]):
        store.write_text(f"{folder}{PIECES_FOLDER}{number}.txt", piece)
    pages = int(parts[0].get("DocumentMetadata", {}).get("Pages", 0))
    characters = sum(map(len, lines))
    store.write(
        f"{folder}{ANSWER_FILE}",
        {
            Unpacked.PAGES: pages,
            Unpacked.CHARACTERS: characters,
            "Warnings": list(_describe_warnings(parts, len(pieces))),
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


def _list_parts(store: Store, prefix: str) -> list[str]:
    """The keys of an answer's parts, which are numbered from 1 on; the file beside them only tries the permission."""
    found = {key.rpartition("/")[2]: key for key in store.list(prefix)}
    return [found[number] for number in sorted(filter(str.isdigit, found), key=int)]


def _describe_warnings(parts: list[dict[str, Any]], pieces: int) -> Iterator[str]:
    for warning in parts[0].get("Warnings") or ():
        pages = ", ".join(map(str, warning.get("Pages", ())))
        yield f"Textract: {warning.get('ErrorCode', 'unknown')} on pages {pages}"
    if pieces > MOST_PIECES:
        yield f"Comprehend was asked about the first {MOST_PIECES} of {pieces} pieces of text"
