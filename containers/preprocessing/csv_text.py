"""What a CSV file is as text: how it is decoded, its records, and what a file is that is none; standard library only.

The job reads by these rules, and so does whoever else reads the same file.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

CHUNK_BYTES = 2**20
NUL = "\0"
# The first bytes of files that people take for CSV, and what to do about them.
FORMATS = {
    b"\x1f\x8b": "compressed with gzip; decompress it first",
    b"PK\x03\x04": "a ZIP archive or a spreadsheet; unpack it, or save the sheet as CSV",
    b"\xff\xfe": "UTF-16; save the file as UTF-8",
    b"\xfe\xff": "UTF-16; save the file as UTF-8",
}
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def open_text(path: Path) -> TextIO:
    """The file as text: a byte order mark is skipped, bytes that are not UTF-8 are kept as surrogates."""
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def read_records(path: Path) -> Iterator[list[str]]:
    """The header and the rows, without blank lines."""
    with open_text(path) as lines:
        yield from (record for record in csv.reader(lines) if record)


def recognize_format(path: Path) -> str | None:
    """What a file is that is not text at all, and what to do about it."""
    with path.open("rb") as file:
        start = file.read(4)
    what = next((what for signature, what in FORMATS.items() if start.startswith(signature)), None)
    return what or ("UTF-16, or no text at all; save the file as UTF-8" if b"\0" in start else None)


def recognize_separator(header: Sequence[str], wanted: Sequence[str]) -> str | None:
    """What separates the fields of a header, by name, if it is not commas."""
    line = ",".join(header)
    found = {separator: sum(name.strip() in wanted for name in line.split(separator)) for separator in SEPARATORS}
    separator = max(found, key=lambda one: found[one])
    return SEPARATORS[separator] if found[separator] > sum(name in wanted for name in header) else None


def has_nul(path: Path) -> bool:
    """Whether a file has a NUL byte, which no text has."""
    with path.open("rb") as file:
        return any(b"\0" in chunk for chunk in iter(lambda: file.read(CHUNK_BYTES), b""))
