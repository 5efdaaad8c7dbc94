"""Recorded requests expect what was answered, and are ones that the same answer passes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.golden.answers import UnansweredError, find_wrong, is_like
from headrace.golden.differences import list_differences
from headrace.golden.recording import read_questions, record, render_requests
from headrace.golden.requests import GoldenRequest, GoldenRequestError, parse_requests

LINE = b'{"id": "juice", "content_type": "text/csv", "body": "FDW58,20.75"}'
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def question(name: str = "juice") -> GoldenRequest:
    return GoldenRequest(id=name, content_type="text/csv", accept="text/csv", body=b"1", expected=None, tolerance=0)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"1743.06\n", "1743.06"),
        (b"1743.06\n99\r\n", "1743.06\n99"),
        (b'{"label": "cat", "p": [0.5]}', {"label": "cat", "p": [0.5]}),
        (b'{"a": 1}\n{"a": 2}\n', '{"a": 1}\n{"a": 2}'),
        ("häuslich".encode(), "häuslich"),
        (b"", ""),
    ],
)
def test_keeps_an_answer_that_is_then_expected(answer: bytes, expected: object) -> None:
    recording = record([question()], lambda _: answer)

    written = parse_requests(render_requests(recording.requests, "f"), "f")
    assert [request.expected for request in written] == [expected]
    assert find_wrong(written, lambda _: answer) == []


@pytest.mark.parametrize("answer", [b"\xff\xfe", b"nan", b'{"p": NaN}', b"1,nan\n"])
def test_refuses_an_answer_that_could_not_be_expected_again(answer: bytes) -> None:
    recording = record([question("a")], lambda _: answer)

    assert recording.requests == []
    assert [each.id for each in recording.unanswered] == ["a"]


def test_goes_on_after_a_request_that_is_not_answered() -> None:
    def send(request: GoldenRequest) -> bytes:
        if request.id == "bad":
            raise UnansweredError("status 400: \x1b[2Jno row")
        return b"1"

    recording = record([question("bad"), question("good")], send)

    assert [request.id for request in recording.requests] == ["good"]
    assert [(each.id, each.reason) for each in recording.unanswered] == [("bad", r"status 400: \x1b[2Jno row")]


def test_sends_a_header_before_each_row() -> None:
    content = b'\xef\xbb\xbfname,size\n"a, b",1\n\nc,2\n'

    first, second = read_questions(Path("my rows.csv"), content, tolerance=0.2)

    assert (first.id, first.body, first.tolerance) == ("my-rows-1", b'name,size\n"a, b",1\n', 0.2)
    assert (second.id, second.body, second.accept) == ("my-rows-2", b"name,size\nc,2\n", "text/csv")


def test_sends_rows_of_a_file_without_a_header() -> None:
    asked = read_questions(Path("rows.csv"), b"a,1\nc,2\n", tolerance=0, has_header=False)

    assert [request.body for request in asked] == [b"a,1\n", b"c,2\n"]


def test_sends_a_photograph_as_it_is() -> None:
    (asked,) = read_questions(Path("a/my cat.jpg"), b"\xff\xd8\xff", tolerance=0.1)

    assert (asked.id, asked.content_type, asked.accept) == ("my-cat", "image/jpeg", "application/json")
    assert asked.body == b"\xff\xd8\xff"


def test_a_request_keeps_the_tolerance_that_it_has() -> None:
    own = LINE.replace(b"}", b', "tolerance": 3, "expected": "old"}')

    asked = read_questions(Path("q.jsonl"), LINE.replace(b"juice", b"other") + b"\n" + own, tolerance=0.5)

    assert [request.tolerance for request in asked] == [0.5, 3]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("rows.csv", b"only,a,header\n", "rows.csv: has no rows below its header"),
        ("rows.csv", b"\xff", "rows.csv: is not CSV in UTF-8"),
        ("big.png", b"1" * (6 * 2**20 + 1), "big.png: 6291457 bytes; an endpoint takes at most 6291456"),
        ("q.jsonl", b'{"id": "a", "content_type": "text/csv"}', "q.jsonl, line 1: give either body"),
        ("q.jsonl", b"", "q.jsonl: has no requests"),
    ],
)
def test_says_what_cannot_be_asked(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(GoldenRequestError, match=reason):
        read_questions(Path(name), content, tolerance=0)


def test_names_the_places_where_an_answer_is_different() -> None:
    expected = {"predictions": [{"label": "cat", "p": 0.9}, 1], "more": True}
    found = {"predictions": [{"label": "dog", "p": 0.95}], "extra": None}

    differences = list(list_differences(expected, found, 0.1))

    assert [(each.where, each.expected, each.found) for each in differences] == [
        ("predictions[0].label", '"cat"', '"dog"'),
        ("predictions[1]", "1", "nothing"),
        ("more", "true", "nothing"),
        ("extra", "nothing", "null"),
    ]


@given(JSON_VALUES, JSON_VALUES)
def test_values_without_a_difference_are_alike_and_no_others(one: object, other: object) -> None:
    assert is_like(one, other, 0.1) == (not list(list_differences(one, other, 0.1)))
    assert list(list_differences(one, one, 0)) == []
