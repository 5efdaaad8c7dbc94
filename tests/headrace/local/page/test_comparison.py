"""Two versions side by side, however hostile what was recorded of them is."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.local.page.answers import PageError
from headrace.local.page.requests import Request
from headrace.local.page.sections.comparison import show_comparison
from headrace.local.page.sections.registry import Registry
from headrace.local.page.sessions import Session
from headrace.pipeline.comparison import (
    ChannelChange,
    ClassPair,
    Comparison,
    LabelChange,
    ListChange,
    MetricPair,
    Pair,
)
from headrace.pipeline.versions import Version
from headrace.workloads.evaluation import ClassResult
from tests.headrace.local.page.conftest import HOSTILE, Services, check_is_harmless, render

NOW = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
BEFORE, AFTER = (Version(arn=HOSTILE, number=number, status="Approved", created=NOW) for number in (6, 7))
HOSTILE_COMPARISON = Comparison(
    before=BEFORE,
    after=AFTER,
    facts={HOSTILE: Pair(before=HOSTILE, after=None)},
    hyperparameters={HOSTILE: Pair(before=None, after=HOSTILE)},
    metrics={HOSTILE: MetricPair(before=1054.5, after=1027.25, better="after")},
    channels={HOSTILE: ChannelChange(added=(HOSTILE,) * 12, gone=(HOSTILE,), changed=(), same=3)},
    lists={
        HOSTILE: ListChange(problem=HOSTILE),
        "list": ListChange(rows=(LabelChange(change="moved", label_before=HOSTILE, label_after="dog", rows=4),)),
    },
    classes={
        HOSTILE: ClassPair(
            before=ClassResult(label=HOSTILE, examples=10, recognized=7, taken_for={HOSTILE: 3}),
            after=ClassResult(label=HOSTILE, examples=10, recognized=9, taken_for={"dog": 1}),
        )
    },
    notes=(HOSTILE,),
)


def show(comparison: Comparison) -> str:
    return check_is_harmless(render(show_comparison(HOSTILE, comparison))).said


def test_shows_hostile_records_as_text() -> None:
    said = show(HOSTILE_COMPARISON)

    assert "<script>alert(2)</script>" in said
    assert "1,054.5 1,027.25 version 7" in said
    assert "+ and 2 more" in said
    assert "7 of 10" in said
    assert "9 of 10 dog (1) +20.0%" in said
    assert "moved" in said


def test_says_what_is_the_same_and_what_is_not_known() -> None:
    nothing = Comparison(before=BEFORE, after=AFTER, facts={}, hyperparameters={}, metrics={}, channels={})

    assert "Data They are the same." in show(nothing)
    assert "What was read is not recorded of both." in show(replace(nothing, channels=None))
    assert "Neither version has metrics." in show(nothing)


def test_shows_the_classes_that_have_changed_most_of_many() -> None:
    def recognize(count: int) -> ClassResult:
        return ClassResult(label="", examples=100, recognized=count, taken_for={})

    classes = {f"class-{n:02d}": ClassPair(before=recognize(0), after=recognize(n)) for n in range(60)}

    said = show(replace(HOSTILE_COMPARISON, classes=classes))

    assert "class-59" in said
    assert "class-09" not in said
    assert "and 10 more, which changed less" in said


def answer_version(request: dict[str, Any]) -> dict[str, Any]:
    number = int(request["ModelPackageName"])
    facts = {"metric:rmse": str(1000 + number), "headrace:record": f"s3://work/{number}/record/"}
    return {
        "ModelPackageArn": str(number),
        "ModelPackageVersion": number,
        "CreationTime": NOW,
        "CustomerMetadataProperties": facts,
    }


def answer_object(request: dict[str, Any]) -> dict[str, Any]:
    if request["Key"] == "7/record/inputs.json":
        return {"Body": BytesIO(b"no record")}
    raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject")


ANSWERS = {
    "list_model_packages": {
        "ModelPackageSummaryList": [{"ModelPackageArn": str(n), "ModelPackageVersion": n} for n in (7, 6, 5)]
    },
    "describe_model_package": answer_version,
    "get_object": answer_object,
    "list_objects_v2": {},
}


def ask(*path: str, **query: str) -> Any:
    request = Request(session=Session(), segments=("registry", "sales", *path), query=query)
    return Registry(Services(ANSWERS)).answer(request)


def test_compares_versions_by_their_numbers() -> None:
    said = check_is_harmless(render(ask("compare", before="5", after="6"))).said

    assert "rmse 1,005 1,006 version 5" in said


def test_offers_the_other_versions() -> None:
    page = check_is_harmless(render(ask("6")))

    options = [tag for tag, _ in page.found].count("option")
    assert options == 2
    assert "With version 7 5" in page.said


@pytest.mark.parametrize(
    ("before", "after", "status", "reason"),
    [
        ("5", "9", 404, "sales has no version '9'; it has: 5, 6, 7"),
        ("", "", 404, "sales has no version ''"),
        ("6", "7", 422, "inputs.json: not a record of inputs"),
    ],
)
def test_says_what_cannot_be_compared(before: str, after: str, status: int, reason: str) -> None:
    with pytest.raises(PageError, match=reason) as refused:
        ask("compare", before=before, after=after)

    assert refused.value.status == status
