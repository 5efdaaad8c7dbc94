import base64
import json
from typing import Any

import pytest

from headrace.drift.captured import read_captured
from headrace.drift.comparison import compare
from headrace.drift.profiles import Profile, make_profile
from headrace.drift.report import Check, render_page
from headrace.drift.truth import judge, read_truths

ROWS = [[str(price), city] for price in range(100, 200) for city in ("Bern", "Basel")]


@pytest.fixture(scope="module")
def profile() -> Profile:
    return make_profile(("price", "city"), ROWS)


def capture(data: str, answer: str = "", name: str = "", **side: Any) -> bytes:
    """A line as SageMaker writes it."""
    given = {"observedContentType": "text/csv", "mode": "INPUT", "data": data, "encoding": "CSV"} | side
    output = {"observedContentType": "text/csv", "mode": "OUTPUT", "data": answer, "encoding": "CSV"}
    line = {
        "captureData": {"endpointInput": given, **({"endpointOutput": output} if answer else {})},
        "eventMetadata": {"eventId": "1", "inferenceTime": "2026-11-29T08:00:00Z", "inferenceId": name},
        "eventVersion": "0",
    }
    return json.dumps(line).encode()


def test_reads_rows_and_what_they_were_answered(profile: Profile) -> None:
    (request,) = read_captured([capture("101,Bern\n102,Basel\n", "7.5\n8\n", "row-7")], profile).requests

    assert (request.time, request.id) == ("2026-11-29T08:00:00Z", "row-7")
    assert [*request.rows] == [["101", "Bern"], ["102", "Basel"]]
    assert request.answers == ["7.5", "8"]


@pytest.mark.parametrize(
    "line",
    [
        capture("price,city\n101,Bern"),
        capture('"101","Bern"'),
        capture(base64.b64encode(b"101,Bern").decode(), encoding="BASE64"),
        capture("101,Bern", observedContentType="text/csv; charset=utf-8"),
    ],
)
def test_reads_every_way_of_writing_a_row(profile: Profile, line: bytes) -> None:
    assert read_captured([line, b"\n"], profile).rows == [["101", "Bern"]]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", 'has no "captureData"'),
        (b'{"captureData": {"endpointInput": 3}}', 'has no "eventMetadata"'),
        (capture("1,2,3"), "has a row of 3 cells instead of 2"),
        (capture("{}", observedContentType="application/json"), "is not of rows in CSV"),
        (capture("§", encoding="BASE64"), "has data that is not base64 of text"),
        (capture('"101'), "is not of rows in CSV"),
    ],
)
def test_counts_what_it_cannot_read_and_reads_on(profile: Profile, line: bytes, reason: str) -> None:
    found = read_captured([line, capture("101,Bern")], profile)

    assert (found.unread, found.rows) == ({reason: 1}, [["101", "Bern"]])


@pytest.mark.parametrize(
    "answer",
    [
        {"observedContentType": "application/json", "data": "{}"},
        {"observedContentType": "text/csv", "data": "§", "encoding": "BASE64"},
        {"observedContentType": "text/csv", "data": None},
        "7.5",
    ],
)
def test_reads_rows_whose_answer_it_cannot_read(profile: Profile, answer: Any) -> None:
    line = json.loads(capture("101,Bern"))
    line["captureData"]["endpointOutput"] = answer

    found = read_captured([json.dumps(line).encode()], profile)

    assert (found.rows, found.unread) == ([["101", "Bern"]], {})
    assert [request.answers for request in found.requests] == [[]]


def test_joins_what_turned_out_to_be_true(profile: Profile) -> None:
    requests = read_captured([capture("101,Bern", "10", f"row-{n}") for n in range(40)], profile).requests
    lines = [json.dumps({"inferenceId": f"row-{n}", "truth": 13}).encode() for n in range(40)]

    quality = judge(requests, read_truths([*lines, b"{", b'{"inferenceId": "x", "truth": {}}']))

    assert (quality.measure, quality.value, quality.pairs) == ("rmse", 3.0, 40)


def test_reads_the_form_of_model_monitor(profile: Profile) -> None:
    truth = {
        "groundTruthData": {"data": "b", "encoding": "CSV"},
        "eventMetadata": {"eventId": "row-1"},
        "eventVersion": "0",
    }
    requests = read_captured([capture("101,Bern", "b", "row-1")], profile).requests

    quality = judge(requests, read_truths([json.dumps(truth).encode()]), min_pairs=1)

    assert (quality.measure, quality.value) == ("accuracy", 1.0)


def test_says_nothing_of_few_truths(profile: Profile) -> None:
    requests = read_captured([capture("101,Bern", "10", "row-1")], profile).requests

    assert judge(requests, read_truths([b'{"inferenceId": "row-1", "truth": 10}'])).value is None
    assert judge(requests, read_truths([])).pairs == 0


@pytest.mark.parametrize(("truth", "value"), [("1e200", 1e200), ("-1.7e308", None)])
def test_stays_within_the_numbers_of_json_where_a_truth_is_absurd(
    profile: Profile, truth: str, value: float | None
) -> None:
    requests = read_captured([capture("1,a", "1.7e308" if value is None else "1", "row-1")], profile).requests

    quality = judge(requests, read_truths([f'{{"inferenceId": "row-1", "truth": {truth}}}'.encode()]), min_pairs=1)

    assert quality.value == (value and pytest.approx(value))


def test_the_page_escapes_what_people_send() -> None:
    hostile = "<script>alert(1)</script>"
    profile = make_profile((hostile,), [[hostile]] * 300)
    changes = compare(profile, [['"><img onerror=x>']] * 300)
    check = Check(
        title=hostile,
        threshold=0.2,
        rows=300,
        baseline_rows=300,
        changes=changes,
        quality=None,
        unread={hostile: 2},
    )

    page = render_page(check)

    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert check.summarize().startswith("drifted: <script>")


def test_keeps_only_requests_that_count_and_the_truth_of_these(profile: Profile) -> None:
    lines = [capture("101,Bern", "10", "row-1"), capture("102,Basel", "11", "row-2"), b"broken"]
    truth = [json.dumps({"inferenceId": f"row-{n}", "truth": n}).encode() for n in (1, 2)]

    found = read_captured(lines, profile, lambda request: request.id == "row-2")
    truths = read_truths(truth, {request.id for request in found.requests})

    assert [request.id for request in found.requests] == ["row-2"]
    assert sum(found.unread.values()) == 1
    assert truths.values == {"row-2": ["2"]}
