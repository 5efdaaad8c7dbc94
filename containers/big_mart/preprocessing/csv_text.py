"""What a CSV file is as text: how it is decoded, its records, and what a file is that is none; standard library only.

The job reads by these rules, and so does everything else that reads the same file.
"""

import csv
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

CHUNK_BYTES = 2**20
NUL = "\0"
# For a look at the quotes alone: a comma stands for the separator of fields, a t for all other bytes.
QUOTES_TABLE = bytes(byte if byte == ord('"') else ord("," if byte in b",\r\n" else "t") for byte in range(256))
# An odd number of quotes within text, or an even one where a field begins; rarely, a quoted text has such a beginning.
STRAY_QUOTES = (b't"t', b't"""t', b',""t', b',""""t')
KEPT_BYTES = 8
# The first bytes of files that people take for CSV, and what to do about them.
FORMATS = {
    b"\x1f\x8b": "compressed with gzip; decompress it first",
    b"PK\x03\x04": "a ZIP archive or a spreadsheet; unpack it, or save the sheet as CSV",
    b"BZh": "compressed with bzip2; decompress it first",
    b"\xfd7zX": "compressed with xz; decompress it first",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard; decompress it first",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"PAR1": "Parquet; write it as CSV",
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
        chunk = file.read(CHUNK_BYTES)
    start = chunk[:4]
    what = next((what for signature, what in FORMATS.items() if start.startswith(signature)), None)
    if what is None and b"\0" in start:
        return "UTF-16, or not text; save the file as UTF-8"
    if what is None and b"\r" in chunk and b"\n" not in chunk:
        return "text with carriage returns as line ends; save it with line feeds"
    return what


def recognize_separator(header: Sequence[str], wanted: Sequence[str]) -> str | None:
    """What separates the fields of a header, by name, if it is not commas."""
    line = ",".join(header)
    found = {separator: sum(name.strip() in wanted for name in line.split(separator)) for separator in SEPARATORS}
    separator = max(found, key=lambda one: found[one])
    return SEPARATORS[separator] if found[separator] > sum(name in wanted for name in header) else None


def has_odd_bytes(path: Path) -> bool:
    """Whether a file has a NUL byte, which no text has, or text that follows a closing quote, which readers cut."""
    kept = b"\n"
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK_BYTES), b""):
            text = chunk.removeprefix(BOM_UTF8)
            # Most files have no quotes, and are not copied.
            has_quotes = b'"' in text or b'"' in kept
            if b"\0" in text or (has_quotes and _has_stray_quote((kept + text).translate(QUOTES_TABLE))):
                return True
            kept = (kept + text[-KEPT_BYTES:])[-KEPT_BYTES:]
    return False


def _has_stray_quote(quotes: bytes) -> bool:
    return any(stray in quotes for stray in STRAY_QUOTES)
