"""Pages are counted without reading them, and what Textract would refuse is refused before it is paid for."""

import struct
import zlib

import pytest

from headrace.documents.contract import MOST_IMAGE_BYTES
from headrace.documents.pages import UnreadableDocumentError, count_pages

PAGE = b"2 0 obj <</Type /Page /Parent 1 0 R>> endobj\n"
TREE = b"%PDF-1.5\n1 0 obj <</Type /Pages /Kids [] /Count 9>> endobj\n"


def pack_objects(content: bytes) -> bytes:
    packed = zlib.compress(content)
    return b"3 0 obj <</Type /ObjStm /N 2 /Length %d /Filter /FlateDecode>>\nstream\n" % len(packed) + packed


def make_tiff(pages: int, order: str = "<") -> bytes:
    content = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    for number in range(pages):
        following = len(content) + 18 if number < pages - 1 else 0
        content += struct.pack(f"{order}H12xI", 1, following)
    return content


def test_counts_the_pages_of_a_pdf_and_not_the_nodes_of_their_tree() -> None:
    assert count_pages(TREE + PAGE * 3) == 3


def test_counts_the_pages_in_object_streams() -> None:
    assert count_pages(TREE + PAGE + pack_objects(b"<</Type/Page>> <</Type/Page/Rotate 90>> <</Type/Pages>>")) == 3


@pytest.mark.parametrize("order", ["<", ">"])
def test_counts_the_directories_of_a_tiff_file(order: str) -> None:
    assert count_pages(make_tiff(4, order)) == 4


@pytest.mark.parametrize("beginning", [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"])
def test_takes_a_photograph_for_one_page(beginning: bytes) -> None:
    assert count_pages(beginning + bytes(9)) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 a letter", "not a PDF, TIFF, JPEG or PNG file"),
        (TREE, "no page that can be counted"),
        (TREE + PAGE + b"trailer <</Encrypt 5 0 R>>", "protected by a password"),
        (TREE + b"3 0 obj <</Type /ObjStm /N 2>>\nstream\nnothing packed", "cannot be read"),
        (TREE + PAGE * 3001, "has 3,001 pages, and Textract reads 3,000; split it"),
        (make_tiff(2)[:20], "it ends within a directory"),
        (b"II*\0" + struct.pack("<IH12xI", 8, 1, 8), "lead in a circle"),
        (b"\xff\xd8\xff" + bytes(MOST_IMAGE_BYTES), "has 10 MiB, and Textract reads 10; make it smaller"),
    ],
)
def test_refuses_what_textract_would_refuse(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocumentError, match=reason):
        count_pages(content)
