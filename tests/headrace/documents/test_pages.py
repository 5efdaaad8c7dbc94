"""Pages are counted without reading them, and what Textract would refuse is refused before it is paid for."""

import struct
import tracemalloc
import zlib

import pytest

from headrace.documents.contract import MOST_IMAGE_BYTES
from headrace.documents.pages import MOST_UNPACKED, UnreadableDocumentError, count_pages

PAGE = b"2 0 obj <</Type /Page /Parent 1 0 R>> endobj\n"
TREE = b"%PDF-1.5\n1 0 obj <</Type /Pages /Kids [] /Count 0>> endobj\n"


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


@pytest.mark.parametrize(
    "content",
    [
        PAGE + b"<</Type/#50age>> <</#54yp#65 /P#61ge>>",
        PAGE + b"<</Type%a comment\r\n/Page>> <</Type % one\n%two\n /Page>>",
        PAGE + b"1 0 obj <</Type/Pages/Resources<</X 1 0 R>>/Count 3/Kids[2 0 R]>> endobj",
        PAGE + b"1 0 obj <</Count %of pages\n 3/Type /P#61ges>> endobj",
        PAGE + b"1 0 obj <</Type/Pages/Count 1/Kids[2 0 R 2 0 R %]\n 2 0 R]>> endobj",
        PAGE + b"<</#4bids % [\n[2 0 R 2 0 R]/Type/Pages>> <</Type/Pages/Kids[2 0 R 1 0 R]>>",
        PAGE + pack_objects(b"<</Type/Pages/Count 3/Kids[2 0 R]>>"),
        PAGE + pack_objects(b"<</Kids[2 0 R 2 0 R 2 0 R]/Type/Pages>>"),
        PAGE + b"<</Type/ObjStm/X(" + b"x" * 500 + b")>>stream\n" + zlib.compress(b"<</Type/Page>>" * 2),
    ],
)
def test_counts_the_most_pages_that_anything_in_a_pdf_gives(content: bytes) -> None:
    assert count_pages(b"%PDF-1.7\n" + content) == 3


def test_takes_the_entries_of_an_outline_for_no_pages() -> None:
    outline = b"1 0 obj <</Type/Outlines/Count 400>> endobj 2 0 obj <</Type/Pages/X<</Count 300>>/Count 1>> endobj"

    assert count_pages(b"%PDF-1.7\n" + outline + PAGE) == 1


def test_takes_neither_names_nor_fields_nor_inner_nodes_of_the_tree_for_pages() -> None:
    names = b"4 0 obj <</Kids[7 0 R 8 0 R 9 0 R]>> endobj 5 0 obj <</FT/Tx/Kids[7 0 R 8 0 R 9 0 R]>> endobj "
    root = b"1 0 obj <</Type/Pages/Count 2/Kids[6 0 R 7 0 R]>> endobj "
    inner = b"6 0 obj <</Type/Pages/Count 1/Kids[2 0 R]>> endobj 7 0 obj <</Type/Pages/Count 1/Kids[3 0 R]>> endobj "

    assert count_pages(b"%PDF-1.7\n" + names + root + inner + PAGE * 2) == 2


def test_unpacks_so_much_of_a_document_and_no_more() -> None:
    half = pack_objects(bytes(MOST_UNPACKED // 2))

    assert count_pages(TREE + PAGE + half * 2) == 1
    with pytest.raises(UnreadableDocumentError, match="cannot be counted: its objects take more than 64 MiB"):
        count_pages(TREE + PAGE + half * 2 + pack_objects(b"<</Type/Page>>"))


def test_copies_nothing_of_what_comes_after_an_object_stream() -> None:
    content = TREE + PAGE + pack_objects(b"<</Type/Page>>") + bytes(32 * 2**20)
    tracemalloc.start()

    assert count_pages(content) == 2
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


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
        (TREE + PAGE + b"3 0 obj <</Type /ObjStm /N 2>> endobj", "one of its object streams does not begin"),
        (TREE + PAGE + pack_objects(b"<</Type/Page>>")[:-4], "it is cut off"),
        (TREE + PAGE + b"trailer <</#45ncrypt 5 0 R>>", "protected by a password"),
        (TREE + PAGE * 1001, "has 1,001 pages, and no more than 1,000 are read; split it"),
        (make_tiff(2)[:20], "it ends within a directory"),
        (b"II*\0" + struct.pack("<IH12xI", 8, 1, 8), "lead in a circle"),
        (b"\xff\xd8\xff" + bytes(MOST_IMAGE_BYTES), "has 10 MiB, and Textract reads 10; make it smaller"),
    ],
)
def test_refuses_what_textract_would_refuse(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocumentError, match=reason):
        count_pages(content)
