"""Golden requests are read whole or refused by their line."""

import json
from typing import Any

import pytest

from headrace.golden.requests import MOST_BODY_BYTES, GoldenRequestError, parse_request, parse_requests

LINE: dict[str, Any] = {"id": "juice", "content_type": "text/csv", "body": "FDW58,20.75", "expected": "1743.06"}


def write(**changes: Any) -> bytes:
    line = {key: value for key, value in {**LINE, **changes}.items() if value is not ...}
    return json.dumps(line).encode()


def refusal(text: bytes) -> str:
    with pytest.raises(GoldenRequestError) as refused:
        parse_requests(text, "golden.jsonl")
    return str(refused.value)


def test_reads_text_and_bytes() -> None:
    juice, cat = parse_requests(write() + b"\n\n" + write(id="cat", body=..., body_base64="/9j/"), "golden.jsonl")

    assert (juice.body, juice.accept, juice.tolerance) == (b"FDW58,20.75", "*/*", 0)
    assert cat.body == b"\xff\xd8\xff"


@pytest.mark.parametrize(
    "changes", [{}, {"body": ..., "body_base64": "/9j/", "tolerance": 0.5}, {"expected": {"a": [1]}}]
)
def test_writes_what_it_reads(changes: dict[str, Any]) -> None:
    request = parse_request(write(**changes))

    assert parse_request(request.render().encode()) == request


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "no way"}, 'id: found "no way"; allowed: 1 to 64 letters, digits, dots, hyphens and underscores'),
        ({"id": 7}, "id: found 7"),
        ({"content_type": "text/csv\r\nX: y"}, "content_type: found"),
        ({"expected": ...}, "expected: missing"),
        ({"body": ...}, "give either body, which is text, or body_base64"),
        ({"body_base64": "/9j/"}, "give either body, which is text, or body_base64"),
        ({"body": ..., "body_base64": "?"}, "body_base64: "),
        ({"body": 5}, "body: is not text"),
        ({"body": "x" * (MOST_BODY_BYTES + 1)}, f"an endpoint takes at most {MOST_BODY_BYTES}"),
        ({"tolerance": -1}, "tolerance: found -1; give a number that is not negative"),
        ({"tolerance": True}, "tolerance: found true"),
        ({"tolerence": 1}, "tolerence: unknown key; allowed: accept, body, "),
    ],
)
def test_refuses_a_request_that_could_not_be_sent_or_judged(changes: dict[str, Any], reason: str) -> None:
    said = refusal(b"\n" + write(**changes))

    assert said.startswith("golden.jsonl, line 2: ")
    assert reason in said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "has no requests; docs/serving.md says how they look"),
        (b"[]", "line 1: is not a JSON object"),
        (b"{", "line 1: is not JSON"),
        (b'{"id": NaN}', "NaN is not a number in JSON"),
        (b"[" * 100_000, "line 1: is not JSON"),
        (b"\xff", "line 1: is not JSON"),
        (write() + b"\n" + write(), "'juice' occurs twice; give each request its own id"),
        (b"\n".join(write(id=f"a{number}") for number in range(101)), "101 requests; keep at most 100"),
    ],
)
def test_refuses_a_file_that_is_not_golden_requests(text: bytes, reason: str) -> None:
    assert reason in refusal(text)
