"""Whatever encoding a text comes in, it leaves as clean UTF-8; the same text and options always give the same bytes."""

import unicodedata
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.normalizer.errors import BadOptionError, NormalizeError
from headrace.transformations.text import TRANSFORMATION
from headrace.transformations.text.options import (
    Controls,
    Form,
    LineEnds,
    Options,
    TooLong,
    WhiteSpace,
)
from headrace.transformations.text.transform import transform
from tests.examples import count_examples

WORDS = "Größe, naïve, 東京 😀"
# What makes trouble: line ends, blanks, controls, accents, joiners, letters that fall apart or come together.
PIECES = [
    *("a", "é", "e\u0301", "\u0301", "ﬁ", "\u1112\u1161", "😀", "\u200d", "\ufeff", "\x01", "\x85", "\u2028"),
    *("\r", "\n", "\t", " ", "\v", "\f", "\xa0", "\u3000", "\u200b", "\r\n", "  ", "<b>", "&lt;"),
]


def clean(text: str | bytes, **options: Any) -> str:
    data = text.encode() if isinstance(text, str) else text
    return transform(data, Options(**options)).decode()


def parse(**parameters: str) -> Options:
    found: Options = TRANSFORMATION.parse_options(parameters)
    return found


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
)
def test_reads_every_encoding_of_unicode(encoding: str) -> None:
    declared = encoding if encoding.endswith(("-le", "-be")) else "auto"

    assert transform(WORDS.encode(encoding), parse(encoding=declared)).decode() == WORDS


def test_believes_a_byte_order_mark_more_than_a_declaration() -> None:
    data = b"\xfe\xff" + WORDS.encode("utf-16-be")

    assert transform(data, parse(encoding="cp1252")).decode() == WORDS


@pytest.mark.parametrize(("fallback", "read"), [("cp1252", "50 €"), ("latin-1", "50 \x80")])
def test_reads_as_the_fallback_what_is_not_utf_8(fallback: str, read: str) -> None:
    assert transform(b"50 \x80", parse(fallback=fallback, controls="keep")).decode() == read


def test_uses_no_fallback_for_what_is_utf_8() -> None:
    assert transform("50 €".encode(), parse(fallback="latin-1")).decode() == "50 €"


def test_makes_one_kind_of_line_ends() -> None:
    text = "a\r\nb\rc\nd\u2028e\x85f"

    assert clean(text) == "a\nb\nc\nd\ne\nf"
    assert clean(text, line_ends=LineEnds.CRLF) == "a\r\nb\r\nc\r\nd\r\ne\r\nf"
    assert clean(text, line_ends=LineEnds.KEEP) == text


def test_removes_control_characters_unless_they_are_to_stay() -> None:
    text = "a\x07b\x9f\tc\ufeffd"

    assert clean(text) == "ab\tcd"
    assert clean(text, controls=Controls.KEEP) == "a\x07b\x9f\tcd"


def test_puts_letters_and_accents_together_also_where_something_stood_between() -> None:
    assert clean("e\u0301 e\x01\u0301") == "é é"
    assert clean("ﬁ", form=Form.NFC) == "ﬁ"
    assert clean("ﬁ１", form=Form.NFKC) == "fi1"
    assert clean("e\u0301", form=Form.KEEP) == "e\u0301"


def test_leaves_as_much_white_space_as_is_asked_for() -> None:
    text = "  a \t b  \n\n\n\n c\u3000d \n"

    assert clean(text) == text
    assert clean(text, white_space=WhiteSpace.COLLAPSE) == "a b\n\nc d"
    assert clean(text, white_space=WhiteSpace.LINE) == "a b c d"


@pytest.mark.parametrize(
    ("text", "limits", "cut"),
    [
        ("abcdef", {"max_characters": 3}, "abc"),
        ("aé", {"max_bytes": 2}, "a"),
        ("東京", {"max_bytes": 5}, "東"),
        ("xe\u0323\u0301y", {"max_characters": 2, "form": Form.KEEP}, "x"),
        ("a👩\u200d🔬", {"max_characters": 3}, "a"),
        ("a\nb", {"max_bytes": 2, "line_ends": LineEnds.CRLF}, "a"),
        ("ab cd", {"max_characters": 3, "white_space": WhiteSpace.LINE}, "ab"),
    ],
)
def test_cuts_where_a_character_ends(text: str, limits: dict[str, Any], cut: str) -> None:
    assert clean(text, too_long=TooLong.CUT, **limits) == cut


def test_cuts_nothing_of_what_is_short_enough() -> None:
    assert clean("é" * 10, max_characters=10, max_bytes=20) == "é" * 10


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"encoding": "ebcdic"}, "encoding is 'ebcdic', which is not one of auto, utf-8"),
        ({"white_space": "collapse", "line_ends": "keep"}, "needs to know what a line is"),
        ({"encoding": "utf-8", "fallback": "cp1252"}, "fallback is for encoding 'auto'"),
        ({"max_characters": "-1"}, "max_characters is '-1', which is not a whole number"),
        ({"width": "1"}, "there is no option 'width'; there are encoding, fallback"),
    ],
)
def test_says_what_is_wrong_with_an_option(parameters: dict[str, str], reason: str) -> None:
    with pytest.raises(BadOptionError, match=reason):
        parse(**parameters)


some_options: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    controls=st.sampled_from([Controls.REMOVE, Controls.KEEP]),
    form=st.sampled_from(Form),
    line_ends=st.sampled_from(LineEnds),
    white_space=st.sampled_from(WhiteSpace),
    max_characters=st.integers(0, 12),
    max_bytes=st.integers(0, 24),
    too_long=st.just(TooLong.CUT),
)
some_texts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=20).map("".join))


@settings(max_examples=count_examples(500), deadline=None)
@given(some_texts, some_options)
def test_makes_the_same_again_of_what_it_has_made(text: str, parameters: dict[str, Any]) -> None:
    try:
        options = Options(**parameters)
        once = transform(text.encode(), options)
    except NormalizeError:
        return

    assert transform(once, options) == once


@settings(max_examples=count_examples(500), deadline=None)
@given(some_texts, some_options)
def test_keeps_every_promise_of_its_options(text: str, parameters: dict[str, Any]) -> None:
    try:
        options = Options(**parameters)
        made = transform(text.encode(), options)
    except NormalizeError:
        return

    cleaned = made.decode()
    assert len(made) <= (options.max_bytes or len(made))
    assert len(cleaned) <= (options.max_characters or len(cleaned))
    if options.form is not Form.KEEP:
        assert unicodedata.is_normalized("NFC" if options.form is Form.NFC else "NFKC", cleaned)
    if options.line_ends is not LineEnds.KEEP:
        assert "\r" not in cleaned.replace("\r\n", "")
    if options.white_space is WhiteSpace.LINE:
        assert cleaned == " ".join(cleaned.split())


@settings(max_examples=count_examples(500), deadline=None)
@given(st.binary(), st.sampled_from(["keep", "remove"]), st.sampled_from(["refuse", "cp1252", "latin-1"]))
def test_refuses_with_a_reason_or_gives_utf_8_whatever_the_bytes_are(data: bytes, markup: str, fallback: str) -> None:
    options = parse(markup=markup, fallback=fallback)
    with suppress(NormalizeError):
        transform(data, options).decode()
