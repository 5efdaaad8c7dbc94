"""How many pages a document has, which is what Textract is paid by, without reading what is on them.

PDF: ISO 32000-1, 7.7.3.2 (page tree) and 7.5.7 (object streams). TIFF: Adobe's TIFF 6.0, section 2 (directories).
"""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Final

from headrace.documents.contract import MOST_BYTES, MOST_IMAGE_BYTES, MOST_PAGES
from headrace.errors import HeadraceError

_PAGE: Final = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_ENCRYPTED: Final = re.compile(rb"/Encrypt\s")
_OBJECT_STREAM: Final = re.compile(rb"/Type\s*/ObjStm\b.{0,400}?stream\r?\n", re.DOTALL)
# What an object stream may be unpacked to: one that is larger is meant to fill the memory.
_MOST_UNPACKED: Final = 64 * 2**20
_IMAGES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
# What tells an image from other documents.
BEGINNING_BYTES: Final = 1024
_ENTRY_BYTES: Final = {b"II*\0": ("<", 12), b"MM\0*": (">", 12)}


class UnreadableDocumentError(HeadraceError):
    """A document that Textract would refuse, or whose pages cannot be counted."""


def count_pages(content: bytes) -> int:
    """The pages of a PDF, TIFF, JPEG or PNG file.

    Raises:
        UnreadableDocumentError: If it is none of them, is broken or encrypted, or has more than Textract reads.

    Example:
        >>> count_pages(b"%PDF-1.7 1 0 obj <</Type /Page>> endobj 2 0 obj <</Type/Page /Rotate 90>> endobj")
        2
    """
    if not content:
        raise UnreadableDocumentError("the document is empty")
    check_size(content, len(content))
    if content.startswith(_IMAGES):
        return 1
    if content[:4] in _ENTRY_BYTES:
        pages = sum(1 for _ in _walk_directories(content))
    elif b"%PDF-" in content[:1024]:
        pages = _count_pdf(content)
    else:
        raise UnreadableDocumentError("the document is not a PDF, TIFF, JPEG or PNG file")
    if not pages:
        raise UnreadableDocumentError("the document has no page that can be counted; it may be broken")
    if pages > MOST_PAGES:
        raise UnreadableDocumentError(f"the document has {pages:,} pages, and Textract reads {MOST_PAGES:,}; split it")
    return pages


def check_size(beginning: bytes, size: int) -> None:
    """Refuse what is larger than Textract reads.

    Args:
        beginning: The first bytes of a document.
        size: How many bytes it has.

    Raises:
        UnreadableDocumentError: If they are too many for a document that begins like this.
    """
    most = MOST_IMAGE_BYTES if beginning.startswith(_IMAGES) else MOST_BYTES
    if size > most:
        raise UnreadableDocumentError(
            f"the document has {size / 2**20:.0f} MiB, and Textract reads {most // 2**20}; make it smaller"
        )


def _count_pdf(content: bytes) -> int:
    if _ENCRYPTED.search(content):
        raise UnreadableDocumentError("the document is protected by a password, which Textract does not open")
    return len(_PAGE.findall(content)) + sum(len(_PAGE.findall(text)) for text in _unpack_objects(content))


def _unpack_objects(content: bytes) -> Iterator[bytes]:
    for found in _OBJECT_STREAM.finditer(content):
        unpacker = zlib.decompressobj()
        try:
            yield unpacker.decompress(content[found.end() :], _MOST_UNPACKED)
        except zlib.error as error:
            raise UnreadableDocumentError(
                f"the document is broken: one of its streams cannot be read: {error}"
            ) from None


def _walk_directories(content: bytes) -> Iterator[int]:
    """The offset of each image file directory."""
    order, entry_bytes = _ENTRY_BYTES[content[:4]]
    seen: set[int] = set()
    try:
        (offset,) = struct.unpack_from(f"{order}I", content, 4)
        while offset:
            if offset in seen:
                raise UnreadableDocumentError("the document is broken: its directories lead in a circle")
            seen.add(offset)
            (entries,) = struct.unpack_from(f"{order}H", content, offset)
            yield offset
            (offset,) = struct.unpack_from(f"{order}I", content, offset + 2 + entries * entry_bytes)
    except struct.error:
        raise UnreadableDocumentError("the document is broken: it ends within a directory") from None
