"""`headrace documents` as a program: what it counts, and what it says of what cannot be read."""

import json
from pathlib import Path

import pytest

from headrace.documents.prices import estimate_endpoint, estimate_page
from tests.document_services import PDF
from tests.headrace.cli.programs import ForkServer

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "invoices" / "2026").mkdir(parents=True)
    (tmp_path / "invoices" / "a.pdf").write_bytes(PDF + b"3 0 obj <</Type /Page>> endobj\n" * 99)
    (tmp_path / "invoices" / "2026" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path


def test_estimates_what_the_documents_of_a_folder_cost(folder: Path, headrace: ForkServer) -> None:
    done = headrace.run("documents", "estimate", "invoices", "--feature", "forms", "--text-only", cwd=folder)

    assert (done.code, done.stdout) == (0, "2 documents of 101 pages: at most about 5.08 USD\n")


def test_counts_the_endpoint_that_classifies_as_the_execution_does(folder: Path, headrace: ForkServer) -> None:
    asked = ("documents", "estimate", "invoices", "--feature", "forms", "--text-only", "--inference-units", "2")

    done = headrace.run(*asked, "--json", cwd=folder)

    page = estimate_page(["forms"], [], finds_language=True, classifies=True)
    assert (done.code, json.loads(done.stdout)["usd"]) == (0, round(101 * page + estimate_endpoint(2), 2))
    assert round(101 * page + estimate_endpoint(2), 2) == 7.5


def test_names_the_documents_that_cannot_be_read_and_why(folder: Path, headrace: ForkServer) -> None:
    (folder / "invoices" / "letter.docx").write_bytes(b"PK\x03\x04")

    done = headrace.run("documents", "estimate", "invoices", "--json", cwd=folder)

    found = json.loads(done.stdout)
    assert (done.code, found["documents"], found["pages"]) == (0, 2, 101)
    assert found["refused"] == {"invoices/letter.docx": "the document is not a PDF, TIFF, JPEG or PNG file"}


def test_fails_where_nothing_can_be_read(folder: Path, headrace: ForkServer) -> None:
    (folder / "letter.docx").write_bytes(b"PK\x03\x04")

    done = headrace.run("documents", "estimate", "letter.docx", cwd=folder)

    assert done.code == 1
    assert "letter.docx: the document is not a PDF, TIFF, JPEG or PNG file" in done.stdout
    assert "nothing there can be read" in done.stderr


def test_refuses_a_folder_without_files(folder: Path, headrace: ForkServer) -> None:
    (folder / "empty").mkdir()

    done = headrace.run("documents", "estimate", "empty", cwd=folder)

    assert done.code == 1
    assert "empty: there is no file below it; name a folder of documents" in done.stderr
