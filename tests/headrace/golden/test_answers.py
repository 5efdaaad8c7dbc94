"""Answers are the expected ones, up to the tolerance of numbers, whatever form they have."""

import json
from typing import Any

import pytest

from headrace.golden.answers import UnansweredError, describe, find_wrong
from headrace.golden.requests import GoldenRequest, parse_request


def make(expected: Any, tolerance: float = 0, name: str = "a") -> GoldenRequest:
    line = {"id": name, "content_type": "text/csv", "body": "", "expected": expected, "tolerance": tolerance}
    return parse_request(json.dumps(line).encode())


@pytest.mark.parametrize(
    ("expected", "tolerance", "answer"),
    [
        ("1743.06", 0, b"1743.06\n"),
        ("1743.06", 0.01, b"1750"),
        ("100\n200", 0.1, b"109\r\n181\r\n"),
        ("cat,0.9", 0.05, b"cat,0.86"),
        ({"label": "cat", "p": [0.0]}, 0.05, b'{"p": [0.04], "label": "cat"}'),
        ('{"score": 5}\n{"score": 6}', 0.2, b'{"score": 5.1}\n{"score": 6.1}\n'),
        (5, 0, b"5.0"),
        ("", 0, b""),
    ],
)
def test_takes_answers_that_are_alike(expected: Any, tolerance: float, answer: bytes) -> None:
    assert find_wrong([make(expected, tolerance)], lambda _: answer) == []


@pytest.mark.parametrize(
    ("expected", "tolerance", "answer"),
    [
        ("1743.06", 0.01, b"1770"),
        ("100\n200", 0.1, b"100"),
        ("cat", 9, b"dog"),
        ({"label": "cat"}, 0, b'{"label": "cat", "more": 1}'),
        ({"ok": True}, 9, b'{"ok": 1}'),
        (0, 0, b"NaN"),
        (1, 5, b"NaN"),
        (1, 0, b"[" * 100_000),
        ("a", 0, b"\xff"),
    ],
)
def test_finds_answers_that_are_not(expected: Any, tolerance: float, answer: bytes) -> None:
    (wrong,) = find_wrong([make(expected, tolerance)], lambda _: answer)

    assert wrong.reason.startswith("expected ")


def test_counts_a_request_without_a_prediction_as_wrong() -> None:
    def send(_: GoldenRequest) -> bytes:
        raise UnansweredError("status 500: \x1b[31mno model")

    (wrong,) = find_wrong([make(1)], send)

    assert wrong.reason == r"got no prediction: status 500: \x1b[31mno model"


def test_names_the_first_requests_and_counts_the_rest() -> None:
    wrong = find_wrong([make("x" * 500, name=f"r{number}") for number in range(9)], lambda _: b"y" * 500)

    said = describe(wrong, 12)

    assert said.startswith("9 of 12 golden requests are not answered as expected: r0 expected ")
    assert "r4" in said
    assert "r5" not in said
    assert said.endswith("and 4 more")
    assert len(said) < 1024
