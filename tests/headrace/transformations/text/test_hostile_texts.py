"""What an attacker might send as a text: each is refused by its reason, and before it costs much."""

import time
from collections.abc import Callable

import pytest

from headrace.normalizer.errors import EmptyBodyError, NormalizeError, TooManyBytesError
from headrace.transformations.text import TRANSFORMATION
from headrace.transformations.text.errors import (
    NotTextError,
    TextEmptyError,
    TextTooComplexError,
    TextTooLongError,
    TextUndecodableError,
)
from headrace.transformations.text.transform import transform

MOST = TRANSFORMATION.most_bytes
HTML = {"markup": "remove"}
# The function has a third of a processor, and 30 seconds.
MOST_SECONDS = 15


def fill(unit: bytes, *, start: bytes = b"") -> bytes:
    """As many of these bytes as a text may have."""
    return start + unit * ((MOST - len(start)) // len(unit))


HOSTILE: dict[str, tuple[Callable[[], bytes], dict[str, str], type[NormalizeError]]] = {
    "nothing": (lambda: b"", {}, EmptyBodyError),
    "too-much": (lambda: bytes(MOST + 1), {}, TooManyBytesError),
    "nuls": (lambda: fill(b"\0"), {}, NotTextError),
    "a-nul": (lambda: b"a\0b", {"controls": "keep"}, NotTextError),
    "unmarked-utf-16": (lambda: "text".encode("utf-16-le"), {}, NotTextError),
    "a-bell": (lambda: b"a\x07", {"controls": "refuse"}, NotTextError),
    "gzip": (lambda: b"\x1f\x8b\x08\0" + bytes(range(256)), {}, TextUndecodableError),
    "half-a-character": (lambda: "é".encode()[:1], {}, TextUndecodableError),
    "half-a-pair": (lambda: b"\xff\xfe" + "😀".encode("utf-16-le")[:2], {}, TextUndecodableError),
    "surrogate": (lambda: "\ud800".encode(errors="surrogatepass"), {}, TextUndecodableError),
    "surrogate-in-utf-16": (lambda: b"\xfe\xff\xd8\0\0a", {}, TextUndecodableError),
    "beyond-unicode": (lambda: b"\xff\xfe\0\0\xff\xff\xff\xff", {}, TextUndecodableError),
    "no-cp1252": (lambda: b"\x81", {"fallback": "cp1252"}, TextUndecodableError),
    "long": (lambda: b"abc", {"max_characters": "2"}, TextTooLongError),
    "wide": (lambda: "éé".encode(), {"max_bytes": "3"}, TextTooLongError),
    "nothing-but-blanks": (lambda: fill(b" \n"), {"white_space": "collapse"}, TextEmptyError),
    "nothing-but-marks": (lambda: b"\xef\xbb\xbf" * 2, {}, TextEmptyError),
    "nothing-but-a-script": (lambda: b"<script>alert(1)</script>", HTML, TextEmptyError),
    "accents": (lambda: fill("\u0345\u0301".encode(), start=b"a"), {}, TextTooComplexError),
    "expanding": (lambda: fill("\ufdfa".encode()), {"form": "nfkc"}, TextTooComplexError),
    "nested": (lambda: b"<div>" * 100_000, HTML, TextTooComplexError),
    "attributes": (lambda: b"<a " + b" ".join(b"a%d" % n for n in range(400_000)) + b">", HTML, TextTooComplexError),
    "slashes": (lambda: b"<a " + b"/".join(b"a%d" % n for n in range(400_000)) + b">", HTML, TextTooComplexError),
    "hidden-attributes": (
        lambda: b"""<a ="x='" > '""" + b" ".join(b"a%d" % n for n in range(400_000)) + b">",
        HTML,
        TextTooComplexError,
    ),
    "attributes-with-brackets": (
        lambda: b"<a " + b" ".join(b"<%d a%d b%d c%d" % (n, n, n, n) for n in range(20_000)) + b" d" * 10**5 + b">",
        HTML,
        TextTooComplexError,
    ),
    "attributes-after-a-comment": (
        lambda: b"<!--> <a " + b" ".join(b"a%d" % n for n in range(400_000)) + b"> -->",
        HTML,
        TextTooComplexError,
    ),
    "references": (lambda: fill(b"&amp;"), HTML, TextTooComplexError),
    "blanks-that-must-not-break": (lambda: fill("\xa0".encode()), HTML, TextTooComplexError),
}
# What is refused only when most of it has been read.
LENGTHY = ("expanding", "nothing-but-blanks")
HEAVY: dict[str, tuple[Callable[[], bytes], dict[str, str]]] = {
    "nested": (lambda: b"<div>" * 22_000 + b"a", HTML),
    "unclosed": (lambda: b"<p>a" * 22_000, HTML),
    "brackets": (lambda: fill(b">"), HTML),
    "line-ends": (lambda: fill(b"a\r\n"), {"line_ends": "crlf"}),
    "blanks": (lambda: fill(b"aa  bb  ", start="😀".encode()), {"white_space": "collapse"}),
    "controls": (lambda: fill("\x01aé".encode()), {}),
    "syllables": (lambda: fill("\u1112\u1161\u11ab".encode()), {}),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LENGTHY else name for name in HOSTILE]
)
def test_refuses_by_the_reason_and_soon(name: str) -> None:
    make, parameters, error = HOSTILE[name]
    data, started = make(), time.process_time()

    with pytest.raises(error) as refused:
        transform(data, TRANSFORMATION.parse_options(parameters))

    assert time.process_time() - started < MOST_SECONDS
    assert (refused.value.status, len(refused.value.reason) < 300) == (400, True)


@pytest.mark.slow
@pytest.mark.parametrize("name", HEAVY)
def test_takes_no_longer_than_the_function_has(name: str) -> None:
    make, parameters = HEAVY[name]
    data, started = make(), time.process_time()

    assert transform(data, TRANSFORMATION.parse_options(parameters))
    assert time.process_time() - started < MOST_SECONDS
