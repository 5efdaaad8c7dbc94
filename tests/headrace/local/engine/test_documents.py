"""The local cloud's Textract and Comprehend answer what they are given, and say how to give it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.local.engine.access.needs import Need
from headrace.local.engine.documents import (
    Answers,
    Comprehend,
    Textract,
    list_textract_needs,
    name_text,
)
from headrace.local.engine.refusals import ServiceRefusedError
from tests.document_services import COMPREHEND, MemoryS3, make_answer, make_blocks
from tests.patience import wait_until

KEY = "documents/2026/a b.pdf"
ROLE, TOPIC = "arn:aws:iam::000000000000:role/publisher", "arn:aws:sns:us-east-1:000000000000:notices"
START: Mapping[str, Any] = {
    "DocumentLocation": {"S3Object": {"Bucket": "raw", "Name": KEY}},
    "FeatureTypes": ["TABLES"],
    "ClientRequestToken": "one",
    "JobTag": "run-1",
    "NotificationChannel": {"SNSTopicArn": TOPIC, "RoleArn": ROLE},
    "OutputConfig": {"S3Bucket": "work", "S3Prefix": "out"},
}


class HeadS3(MemoryS3):
    def head_object(self, *, Bucket: str, Key: str, **_: str) -> None:  # noqa: N803 (boto3's names)
        if (Bucket, Key) not in self.objects:
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadObject")


class Cloud:
    """Textract over a folder of answers.

    Args:
        folder: The folder.
        answer: The answer about the document; none if it is not given.
    """

    def __init__(self, folder: Path, answer: Any = None) -> None:
        self.s3, self.notices = HeadS3({("raw", KEY): b"%PDF"}), list[tuple[str, ...]]()
        self.textract = Textract(Answers(folder), self.s3, lambda *notice: self.notices.append(notice))
        self.path = folder / "textract" / f"{KEY}.json"
        if answer is not None:
            self.path.parent.mkdir(parents=True)
            self.path.write_text(answer if isinstance(answer, str) else json.dumps(answer))

    def start(self, **changes: Any) -> str:
        return str(self.textract.answer("StartDocumentAnalysis", {**START, **changes})["JobId"])

    def refuse(self, operation: str = "StartDocumentAnalysis", **changes: Any) -> tuple[str, str]:
        with pytest.raises(ServiceRefusedError) as refused:
            self.textract.answer(operation, {**START, **changes} if operation.startswith("Start") else changes)
        return refused.value.code, str(refused.value)


def test_writes_the_answer_in_parts_and_publishes_a_notice_as_the_role_that_it_is_given(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, make_answer(make_blocks(*map(str, range(1500)))))

    job = cloud.start()

    parts = [cloud.s3.read("work", f"out/{job}/{number}")["Blocks"] for number in (1, 2)]
    assert [len(part) for part in parts] == [1000, 501]
    ((role, topic, notice),) = wait_until(lambda: cloud.notices, "a notice")
    assert (role, topic) == (ROLE, TOPIC)
    said = json.loads(notice)
    assert (said["JobId"], said["Status"], said["JobTag"]) == (job, "SUCCEEDED", "run-1")
    assert said["API"] == "StartDocumentAnalysis"


def test_answers_page_by_page(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, make_answer(make_blocks("one", "two")))
    asked = {"JobId": cloud.start(), "MaxResults": 2}

    first = cloud.textract.answer("GetDocumentAnalysis", asked)
    last = cloud.textract.answer("GetDocumentAnalysis", {**asked, "NextToken": first["NextToken"]})

    assert [len(first["Blocks"]), len(last["Blocks"])] == [2, 1]
    assert "NextToken" not in last


def test_starts_one_job_for_a_token_and_refuses_it_for_other_parameters(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, make_answer([]))

    assert cloud.start() == cloud.start()
    assert cloud.refuse(JobTag="run-2")[0] == "IdempotentParameterMismatchException"


def test_tells_of_a_job_that_is_to_fail_and_writes_nothing(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, make_answer([], status="FAILED"))

    cloud.start()

    ((_, _, notice),) = wait_until(lambda: cloud.notices, "a notice")
    assert json.loads(notice)["Status"] == "FAILED"
    assert list(cloud.s3.objects) == [("raw", KEY)]


def test_says_which_file_an_answer_must_be_saved_as(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path)

    code, message = cloud.refuse()

    assert code == "InvalidParameterException"
    assert message.startswith(f"The local cloud reads no documents. For an answer about {KEY}, ")
    assert message.endswith(f"save one of GetDocumentAnalysis as {cloud.path}.")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("{", "it is not JSON"),
        ({"Blocks": [{"BlockType": "PICTURE"}]}, "it is no answer of GetDocumentAnalysis: Value"),
    ],
)
def test_refuses_an_answer_that_is_none(tmp_path: Path, answer: Any, reason: str) -> None:
    assert reason in Cloud(tmp_path, answer).refuse()[1]


def test_refuses_what_textract_refuses(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, make_answer([]))

    missing = {"S3Object": {"Bucket": "raw", "Name": "gone.pdf"}}
    assert cloud.refuse(DocumentLocation=missing)[0] == "InvalidS3ObjectException"
    assert cloud.refuse(JobTag="with spaces")[0] == "InvalidParameterException"
    assert cloud.refuse("GetDocumentAnalysis", JobId="0" * 64)[0] == "InvalidJobIdException"
    assert cloud.refuse("StartExpenseAnalysis")[0] == "UnknownOperationException"


def test_leads_out_of_the_folder_of_answers_by_no_key(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text(json.dumps(make_answer([])))
    cloud = Cloud(tmp_path / "answers")

    for key in ("../../secret", f"/{tmp_path}/secret"):
        cloud.s3.put("raw", key, b"")
        assert cloud.refuse(DocumentLocation={"S3Object": {"Bucket": "raw", "Name": key}})[1].startswith(
            "The local cloud reads no documents."
        )


def test_finds_the_answer_about_a_key_that_begins_with_a_slash(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, make_answer([]))
    cloud.s3.put("raw", f"/{KEY}", b"")

    assert cloud.start(DocumentLocation={"S3Object": {"Bucket": "raw", "Name": f"/{KEY}"}})


def test_answers_about_a_text_that_an_answer_is_given_for(tmp_path: Path) -> None:
    path = tmp_path / "comprehend" / "DetectSentiment" / f"{name_text('fine')}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(COMPREHEND["DetectSentiment"]))
    comprehend = Comprehend(Answers(tmp_path))

    given = {"Text": "fine", "LanguageCode": "en"}
    assert comprehend.answer("DetectSentiment", given) == COMPREHEND["DetectSentiment"]
    with pytest.raises(
        ServiceRefusedError, match=r"save one of DetectSentiment as .*/comprehend/DetectSentiment/[0-9a-f]{16}"
    ):
        comprehend.answer("DetectSentiment", {**given, "Text": "bad"})


@pytest.mark.parametrize(("operation", "most"), [("DetectSentiment", 5_000), ("DetectEntities", 100_000)])
def test_refuses_texts_that_are_too_long(tmp_path: Path, operation: str, most: int) -> None:
    with pytest.raises(ServiceRefusedError) as refused:
        Comprehend(Answers(tmp_path)).answer(operation, {"Text": "ä" * (most // 2 + 1), "LanguageCode": "en"})
    assert refused.value.code == "TextSizeLimitExceededException"


def test_refuses_operations_that_are_closed_to_new_customers(tmp_path: Path) -> None:
    with pytest.raises(ServiceRefusedError, match="has no StartTopicsDetectionJob"):
        Comprehend(Answers(tmp_path)).answer("StartTopicsDetectionJob", {})


def test_needs_the_callers_own_permissions_for_buckets_and_to_pass_the_role() -> None:
    ours = {"s3:ResourceAccount": "000000000000"}

    assert list(list_textract_needs("StartDocumentAnalysis", START)) == [
        Need(action="textract:StartDocumentAnalysis"),
        Need(action="s3:GetObject", resource=f"arn:aws:s3:::raw/{KEY}", context=ours),
        Need(action="s3:PutObject", resource="arn:aws:s3:::work/out/new/1", context=ours),
        Need(action="iam:PassRole", resource=ROLE, context={"iam:PassedToService": "textract.amazonaws.com"}),
    ]
