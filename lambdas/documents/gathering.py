"""All results of an execution, put together: JSON Lines, Parquet, and a report that is written last of all."""

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from headrace.documents.contract import (
    ANSWER_FILE,
    DOCUMENTS_FILE,
    FINDINGS_FILE,
    LINES_FILE,
    LIST_FILE,
    PIECES_FOLDER,
    REPORT_FILE,
    RESULTS_FOLDER,
    Classified,
    Ended,
    Gathered,
    Listed,
    Status,
    Unpacked,
    name_folder,
)
from headrace.documents.findings import Finding, list_found_by_comprehend
from headrace.documents.parquet import Column, write_parquet

from .classes import read_classes
from .store import Store
from .surveying import REFUSED_FILE

# What is not JSON, or not as it was written; that S3 is busy is not among them, as that passes.
UNREADABLE: Final = (AttributeError, LookupError, TypeError, ValueError)
_HASHED_BYTES: Final = 2**20
_KINDS: Final = ("SUCCEEDED", "FAILED", "PENDING")
_DOCUMENT_COLUMNS: Final = (
    Column("document", str),
    Column("version", str),
    Column("status", str),
    Column("error", str),
    Column("reason", str),
    Column("pages", int),
    Column("characters", int),
    Column("language", str),
    Column("notes", str),
)
_FINDING_COLUMNS: Final = (
    Column("document", str),
    Column("kind", str),
    Column("place", str),
    Column("name", str),
    Column("value", str),
    Column("score", float),
)


@dataclass(kw_only=True)
class Outcome:
    """What has become of one document.

    Args:
        key: Its key.
        version: Its version.
        status: Whether it was read.
        error: The name of the error, if it was not,
        reason: and what that says.
        pages: Its pages.
        characters: The characters of its text.
        language: Its language, where Comprehend was asked.
        notes: What else is to be known.
        findings: What was found.
    """

    key: str
    version: str
    status: Status
    error: str = ""
    reason: str = ""
    pages: int = 0
    characters: int = 0
    language: str = ""
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """Its row of the table of documents."""
        return {
            "document": self.key,
            "version": self.version,
            "status": str(self.status),
            "error": self.error,
            "reason": self.reason,
            "pages": self.pages,
            "characters": self.characters,
            "language": self.language,
            "notes": "; ".join(self.notes),
        }


def gather(
    store: Store, name: str, map_results: Mapping[str, Any] | None, classification: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Write the results of an execution: all of them, or no report.

    Args:
        store: Where everything is.
        name: The execution's name.
        map_results: What the Map state ended with; None if no document could be read.
        classification: How the classification ended; None where documents are not classified.
    """
    folder = name_folder(name)
    results = f"{folder}{RESULTS_FOLDER}"
    rows = list[dict[str, Any]]()
    files = dict[str, Any]()
    with tempfile.TemporaryFile() as lines, tempfile.TemporaryFile() as findings, tempfile.TemporaryFile() as table:
        outcomes = _list_outcomes(store, folder, map_results, classification)
        found = _write_findings(outcomes, lines, rows)
        count = write_parquet(findings, _FINDING_COLUMNS, found)
        write_parquet(table, _DOCUMENT_COLUMNS, rows)
        for file, source in ((LINES_FILE, lines), (FINDINGS_FILE, findings), (DOCUMENTS_FILE, table)):
            files[file] = {"Sha256": _hash(source), "Bytes": source.tell(), "S3Uri": store.send(results + file, source)}
    counted = Counter(row["status"] for row in rows)
    told: dict[str, Any] = {
        Gathered.DOCUMENTS: len(rows),
        Gathered.READ: counted[Status.READ],
        Gathered.PARTLY_READ: counted[Status.PARTLY_READ],
        Gathered.NOT_READ: counted[Status.NOT_READ],
        Gathered.PAGES: sum(row["pages"] for row in rows),
    }
    reasons = {row["document"]: f"{row['error']}: {row['reason']}" for row in rows if row["status"] != Status.READ}
    report = store.write(
        f"{results}{REPORT_FILE}", {"Execution": name, **told, "Findings": count, "Reasons": reasons, "Files": files}
    )
    return {**told, Gathered.REPORT: report}


def _write_findings(
    outcomes: Iterator[Outcome], lines: BinaryIO, rows: list[dict[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    """The rows of all findings; each document's line and row are written on the way, so that one is held at a time."""
    for outcome in outcomes:
        row, found = outcome.describe(), [finding.describe() for finding in outcome.findings]
        lines.write(json.dumps({**row, "notes": outcome.notes, "findings": found}, ensure_ascii=False).encode() + b"\n")
        rows.append(row)
        for each in found:
            yield {"document": outcome.key, **each}


def _list_outcomes(
    store: Store, folder: str, map_results: Mapping[str, Any] | None, classification: Mapping[str, Any] | None
) -> Iterator[Outcome]:
    """Those of all documents, in the order of their keys."""
    ends = _read_ends(store, map_results) if map_results else {}
    listed = [*store.read(f"{folder}{LIST_FILE}"), *store.read(f"{folder}{REFUSED_FILE}")]
    for document in sorted(listed, key=lambda each: int(each[Listed.NUMBER])):
        outcome = Outcome(key=document[Listed.KEY], version=document[Listed.VERSION], status=Status.NOT_READ)
        if Listed.REASON in document:
            outcome.error, outcome.reason = document[Listed.ERROR], document[Listed.REASON]
        else:
            outcome.pages = document[Listed.PAGES]
            number = document[Listed.NUMBER]
            _complete(store, f"{folder}{number}/", outcome, ends.get(number))
            if classification is not None and outcome.characters:
                faults = list[str]()
                outcome.findings += read_classes(store, folder, number, classification[Classified.FAULT], faults)
                _add_faults(outcome, "NotClassified", faults)
        yield outcome


def _complete(store: Store, place: str, outcome: Outcome, end: Mapping[str, Any] | None) -> None:
    """Add what has become of a document; one whose results cannot be read ends the work on no other."""
    if end is None:
        outcome.error, outcome.reason = "NoResult", "its execution has left no result"
        return
    outcome.error, outcome.reason = str(end.get(Ended.ERROR, "")), str(end.get(Ended.REASON, ""))
    if end[Ended.STATUS] == Status.NOT_READ:
        return
    try:
        _add_answer(outcome, store.read(f"{place}{ANSWER_FILE}"))
    except UNREADABLE as error:
        outcome.error, outcome.reason = "UnreadableResult", f"{place}{ANSWER_FILE}: {type(error).__name__}: {error}"
        return
    outcome.status, outcome.language = Status(end[Ended.STATUS]), end.get(Ended.LANGUAGE, "")
    outcome.notes += filter(None, [end.get(Ended.NOTE, "")])
    _add_faults(outcome, "UnreadableAnswer", list(_add_understood(store, f"{place}{PIECES_FOLDER}", outcome)))


def _add_faults(outcome: Outcome, error: str, faults: list[str]) -> None:
    """A document about which not everything is known; the first that is wrong is its error."""
    if faults:
        outcome.status, outcome.notes = Status.PARTLY_READ, [*outcome.notes, *faults]
        outcome.error = outcome.error or error
        outcome.reason = outcome.reason or "; ".join(faults)


def _add_answer(outcome: Outcome, answer: Mapping[str, Any]) -> None:
    outcome.findings = [Finding(**found) for found in answer["Findings"]]
    outcome.pages, outcome.characters = answer[Unpacked.PAGES], answer[Unpacked.CHARACTERS]
    outcome.notes = [*answer["Warnings"]]


def _add_understood(store: Store, prefix: str, outcome: Outcome) -> Iterator[str]:
    """Add what Comprehend has found; what cannot be read of it, in words."""
    for piece, key in _list_understood(store, prefix):
        faults = list[str]()
        try:
            outcome.findings += list_found_by_comprehend(piece, store.read(key), faults)
        except UNREADABLE as error:
            faults.append(f"piece {piece}: {type(error).__name__}: {error}")
        yield from faults


def _list_understood(store: Store, prefix: str) -> list[tuple[int, str]]:
    """The number and the key of each piece that Comprehend has answered about."""
    named = ((key.removeprefix(prefix), key) for key in store.list(prefix))
    numbered = ((name.removesuffix(".json"), key) for name, key in named if name.endswith(".json"))
    return sorted((int(number), key) for number, key in numbered if number.isdecimal())


def _read_ends(store: Store, map_results: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    """What each document's execution has ended with, by the document's number.

    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
    """
    manifest = store.read(map_results["ResultWriterDetails"]["Key"])
    files = (file["Key"] for kind in _KINDS for file in manifest["ResultFiles"].get(kind, ()))
    return {end[Ended.NUMBER]: end for key in files for end in map(_read_end, store.read(key))}


def _read_end(execution: Mapping[str, Any]) -> Mapping[str, Any]:
    if execution["Status"] == "SUCCEEDED":
        ended: Mapping[str, Any] = json.loads(execution["Output"])
        return ended
    return {
        Ended.NUMBER: json.loads(execution["Input"])["Document"][Listed.NUMBER],
        Ended.STATUS: Status.NOT_READ,
        Ended.ERROR: execution.get("Error", execution["Status"]),
        Ended.REASON: execution.get("Cause", "its execution did not end"),
    }


def _hash(source: BinaryIO) -> str:
    source.seek(0)
    digest = hashlib.sha256()
    while part := source.read(_HASHED_BYTES):
        digest.update(part)
    return digest.hexdigest()
