"""How many pages a document has, which is what Textract is paid by, without reading what is on them.

PDF: ISO 32000-1, 7.7.3.2 (page tree) and 7.5.7 (object streams). Its objects are not followed, but searched for what
shows pages, and the largest number that any of it gives is taken. TIFF: Adobe's TIFF 6.0, section 2 (directories).
"""

import re
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from headrace.documents.contract import MOST_BYTES, MOST_IMAGE_BYTES, MOST_PAGES
from headrace.errors import HeadraceError

# Comments count as blanks, and names may have their characters as #xx: ISO 32000-1, 7.2.3 and 7.3.5. What repeats is
# bounded where the search may fail after it: it would take the square of the document's size.
_BLANKS: Final = rb"(?:[\0\t\n\f\r ]++|%[^\r\n]{0,255}+[\r\n]){0,8}+"
_END: Final = rb"(?![A-Za-z#])"


def _name(text: str) -> bytes:
    return b"/" + b"".join(b"(?:%c|#(?i:%02x))" % (ord(each), ord(each)) for each in text)


_TYPE: Final = _name("Type") + _BLANKS
_PAGE: Final = re.compile(_TYPE + _name("Page") + _END)
_TREE: Final = re.compile(_TYPE + _name("Pages") + _END)
_NODES: Final = re.compile(
    rb"(?P<opens><<)|(?P<closes>>>)|(?P<is_tree>" + _TREE.pattern + rb")"
    rb"|" + _name("Count") + _BLANKS + rb"\+?(?P<count>[0-9]{1,9})"
    rb"|" + _name("Kids") + _BLANKS + rb"\[(?P<kids>(?:[0-9R\0\t\n\f\r ]++|%[^\r\n]*+)*+)"
)
_OBJECT_END: Final = b"endobj"
_MOST_NESTED: Final = 100
_ENCRYPTED: Final = re.compile(_name("Encrypt") + rb"[\0\t\n\f\r %]")
_OBJECT_STREAM: Final = re.compile(_TYPE + _name("ObjStm") + rb"\b(?:.{0,4000}?stream\r?\n)?", re.DOTALL)
# What the object streams of a document may be unpacked to together: one that needs more is meant to fill the memory.
MOST_UNPACKED: Final = 64 * 2**20
_PACKED_PART: Final = 64 * 2**10
_IMAGES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
# What distinguishes an image from other documents.
BEGINNING_BYTES: Final = 1024
_ENTRY_BYTES: Final = {b"II*\0": ("<", 12), b"MM\0*": (">", 12)}


class UnreadableDocumentError(HeadraceError):
    """A document that Textract would refuse, or whose pages cannot be counted."""


def count_pages(content: bytes) -> int:
    """The pages of a PDF, TIFF, JPEG or PNG file.

    Raises:
        UnreadableDocumentError: If it is none of them, is broken or encrypted, or is larger than what is read.

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
        raise UnreadableDocumentError(
            f"the document has {pages:,} pages, and no more than {MOST_PAGES:,} are read; split it"
        )
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
    pages = referred = largest = 0
    for text in _list_texts(content):
        pages += sum(1 for _ in _PAGE.finditer(text))
        for node in _list_nodes(text):
            largest = max(largest, node.count)
            referred += node.take_references()
    return max(pages, referred + 1 if referred else 0, largest)


@dataclass
class _Node:
    is_tree: bool = False
    count: int = 0
    references: int = 0
    is_counted: bool = False

    def take_references(self) -> int:
        """How many more are new, less one for the node itself, which another one refers to."""
        taken = self.references - (not self.is_counted) if self.references else 0
        self.is_counted = self.is_counted or self.references > 0
        self.references = 0
        return taken


def _list_nodes(text: bytes) -> Iterator[_Node]:
    """The nodes of the page tree, each as often as something is found in it."""
    end = 0
    for found in _TREE.finditer(text):
        if found.start() >= end:
            start = max(text.rfind(_OBJECT_END, end, found.start()), end)
            end = text.find(_OBJECT_END, found.end())
            end = len(text) if end < 0 else end
            yield from _list_nodes_between(text, start, end)


def _list_nodes_between(text: bytes, start: int, end: int) -> Iterator[_Node]:
    nodes = deque([_Node()], maxlen=_MOST_NESTED)
    for found in _NODES.finditer(text, start, end):
        match found.lastgroup:
            case "opens":
                nodes.append(_Node())
            case "closes" if len(nodes) > 1:
                nodes.pop()
            case "is_tree":
                nodes[-1].is_tree = True
            case "count":
                nodes[-1].count = max(nodes[-1].count, int(found["count"]))
            case "kids":
                nodes[-1].references += found["kids"].count(b"R")
        if nodes[-1].is_tree:
            yield nodes[-1]


def _list_texts(content: bytes) -> Iterator[bytes]:
    """Where objects are: the document itself, and its object streams unpacked."""
    yield content
    packed, left = memoryview(content), MOST_UNPACKED
    for found in _OBJECT_STREAM.finditer(content):
        if not found.group().endswith(b"\n"):
            raise UnreadableDocumentError("the document is broken: one of its object streams does not begin")
        text = _unpack(packed[found.end() :], left)
        left -= len(text)
        yield text


def _unpack(packed: memoryview, most: int) -> bytes:
    """A stream from its first byte on; it is read in parts, as zlib copies what it has been given and not needed."""
    unpacker, text = zlib.decompressobj(), bytearray()
    try:
        for start in range(0, len(packed), _PACKED_PART):
            text += unpacker.decompress(packed[start : start + _PACKED_PART], most - len(text) + 1)
            if len(text) > most:
                raise UnreadableDocumentError(
                    f"the pages of the document cannot be counted: its objects take more than {MOST_UNPACKED // 2**20} "
                    "MiB when they are unpacked; save it anew without object streams"
                )
            if unpacker.eof:
                return bytes(text)
    except zlib.error as error:
        raise UnreadableDocumentError(f"the document is broken: one of its streams cannot be read: {error}") from None
    raise UnreadableDocumentError("the document is broken: one of its streams cannot be read: it is cut off")


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
