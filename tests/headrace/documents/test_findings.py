"""Blocks and answers of the APIs become rows; what does not have the API's shape is refused."""

from typing import Any

import pytest

from headrace.documents.findings import AnswerError, Finding, list_found_by_comprehend, list_found_by_textract
from tests.document_services import COMPREHEND, make_blocks


def word(block: str, text: str) -> dict[str, Any]:
    return {"BlockType": "WORD", "Id": block, "Text": text, "Confidence": 99.0, "Page": 1}


def relate(kind: str, *ids: str) -> dict[str, Any]:
    return {"Type": kind, "Ids": list(ids)}


def test_finds_lines_with_their_page_and_score() -> None:
    (found,) = list_found_by_textract(make_blocks("Total: 12.50"))

    assert found == Finding(kind="line", place="page 1", name="", value="Total: 12.50", score=0.995)


def test_finds_fields_by_their_names_with_texts_and_ticks() -> None:
    key = {"BlockType": "KEY_VALUE_SET", "EntityTypes": ["KEY"], "Confidence": 90.0, "Page": 2}
    blocks: list[dict[str, Any]] = [
        {**key, "Id": "k1", "Relationships": [relate("VALUE", "v1"), relate("CHILD", "w1", "w2")]},
        {**key, "Id": "k2", "Relationships": [relate("VALUE", "v2"), relate("CHILD", "w3")]},
        {**key, "Id": "v1", "EntityTypes": ["VALUE"], "Relationships": [relate("CHILD", "w4")]},
        {**key, "Id": "v2", "EntityTypes": ["VALUE"], "Relationships": [relate("CHILD", "s1")]},
        {"BlockType": "SELECTION_ELEMENT", "Id": "s1", "SelectionStatus": "NOT_SELECTED"},
        *(word(f"w{at}", text) for at, text in enumerate(["Full", "name:", "Paid", "Jane"], start=1)),
    ]

    found = [(each.kind, each.place, each.name, each.value) for each in list_found_by_textract(blocks)]

    assert found == [("field", "page 2", "Full name:", "Jane"), ("field", "page 2", "Paid", "no")]


def test_finds_cells_by_their_table_row_and_column_and_leaves_empty_ones_out() -> None:
    cell = {"BlockType": "CELL", "Page": 1, "Confidence": 80.0, "RowIndex": 2}
    blocks: list[dict[str, Any]] = [
        {"BlockType": "TABLE", "Id": "t", "Page": 1, "Relationships": [relate("CHILD", "c1", "c2")]},
        {**cell, "Id": "c1", "ColumnIndex": 1, "Relationships": [relate("CHILD", "w1")]},
        {**cell, "Id": "c2", "ColumnIndex": 2},
        word("w1", "12.50"),
    ]

    (found,) = list_found_by_textract(blocks)

    assert (found.kind, found.place, found.value) == ("cell", "page 1, table 1, row 2, column 1", "12.50")


def test_finds_answers_by_their_questions() -> None:
    blocks = [
        {
            "BlockType": "QUERY",
            "Id": "q",
            "Page": 1,
            "Query": {"Text": "What is the total?"},
            "Relationships": [relate("ANSWER", "a")],
        },
        {"BlockType": "QUERY_RESULT", "Id": "a", "Page": 1, "Text": "12.50", "Confidence": 97.0},
        {"BlockType": "QUERY", "Id": "n", "Page": 1, "Query": {"Text": "Who has signed?"}},
    ]

    (found,) = list_found_by_textract(blocks)

    assert (found.kind, found.name, found.value, found.score) == ("answer", "What is the total?", "12.50", 0.97)


def test_finds_what_comprehend_says_of_a_piece() -> None:
    answers = {name: value for answer in COMPREHEND.values() for name, value in answer.items()}

    found = [(each.kind, each.place, each.name, each.value) for each in list_found_by_comprehend(3, answers, [])]

    assert found == [
        ("entity", "piece 3", "ORGANIZATION", "Any Company"),
        ("key_phrase", "piece 3", "", "the invoice"),
        ("sentiment", "piece 3", "NEUTRAL", ""),
        ("token", "piece 3", "NOUN", "invoice"),
    ]


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ([{"BlockType": "LINE", "Id": "l"}], "a block without 'Text'"),
        ([{"BlockType": "TABLE", "Id": "t", "Relationships": [relate("CHILD", "gone")]}], "refers to block gone"),
    ],
)
def test_refuses_blocks_that_are_not_as_the_api_says(blocks: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(AnswerError, match=reason):
        list(list_found_by_textract(blocks))


def test_names_what_is_not_as_comprehends_api_says_and_keeps_the_rest() -> None:
    right, faults = {"Type": "DATE", "Text": "today", "Score": 1}, list[str]()
    answers = {
        "Entities": [{"Type": "DATE", "Text": "today"}, right, None],
        "KeyPhrases": None,
        "Sentiment": "MIXED",
        "SyntaxTokens": 1,
    }

    found = list(list_found_by_comprehend(0, answers, faults))

    assert [each.kind for each in found] == ["entity", "sentiment"]
    assert [fault.partition(": ")[0] for fault in faults] == ["piece 0, Entities"] * 2 + ["piece 0, SyntaxTokens"]
    assert "lacks 'Score'" in faults[0]
