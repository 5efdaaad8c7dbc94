"""Forms as browsers send them, and as they must not come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.local.page.answers import PageError
from headrace.local.page.forms import Form, read_form

MULTIPART = "multipart/form-data; boundary=----x"


def make_part(name: str, content: bytes, filename: str | None = None) -> bytes:
    file = f'; filename="{filename}"' if filename is not None else ""
    head = f'------x\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def test_reads_a_plain_form() -> None:
    form = read_form("application/x-www-form-urlencoded", b"decision=approve&reason=good+%C3%BC%26")

    assert form == Form({"decision": "approve", "reason": "good ü&"})


def test_reads_rows_and_a_photograph() -> None:
    body = (
        make_part("row", b"1,2\r\n3,4") + make_part("photograph", b"\xff\xd8\r\n--\0", "../a b.jpg") + b"------x--\r\n"
    )

    assert read_form(MULTIPART, body) == Form({"row": "1,2\r\n3,4"}, {"photograph": b"\xff\xd8\r\n--\0"})


def test_takes_the_name_of_a_file_for_no_field() -> None:
    body = make_part("photograph", b"x", "a; name=form_key") + b"------x--\r\n"

    assert read_form(MULTIPART, body) == Form({}, {"photograph": b"x"})


@given(st.binary(max_size=200).filter(lambda content: b"\r\n------x" not in content))
def test_gives_back_every_file_as_it_was(content: bytes) -> None:
    assert read_form(MULTIPART, make_part("f", content, "n") + b"------x--\r\n").files == {"f": content}


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("", b"", 415),
        ("text/plain", b"form_key=x", 415),
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"", 415),
        ("multipart/form-data; boundary=", b"", 415),
        (f"multipart/form-data; boundary={'x' * 71}", b"", 415),
        (MULTIPART, b"", 400),
        (MULTIPART, make_part("row", b"1"), 400),
        (MULTIPART, make_part("row", b"1") * 60 + b"------x--\r\n", 400),
        ("application/x-www-form-urlencoded", b"a=1&" * 60, 400),
        ("application/x-www-form-urlencoded", b"\xff=1", 400),
    ],
)
def test_refuses_what_is_no_form(content_type: str, body: bytes, status: int) -> None:
    with pytest.raises(PageError) as refused:
        read_form(content_type, body)

    assert refused.value.status == status
