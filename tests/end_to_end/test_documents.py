"""Many documents through the deployed state machine: throttled, three of them broken, all accounted for."""

import io
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import polars
import pytest

from headrace.documents.contract import MACHINE_OUTPUT, PIECE_BYTES
from headrace.documents.pieces import split_lines
from headrace.local.calls import read_calls
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.documents import name_text
from headrace.local.platform.faults import CloudFaults
from headrace.loopback import find_free_port
from tests.deploying import deploy
from tests.document_services import COMPREHEND, PDF, make_answer, make_blocks
from tests.end_to_end.conftest import configure_dev
from tests.examples import IS_EXHAUSTIVE
from tests.local_clouds import clients_of
from tests.patience import wait_until
from tests.stacks.conftest import set_path
from tests.stacks.synthesis import assemble

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# More than are read at once.
DOCUMENTS = 200 if IS_EXHAUSTIVE else 50
LINES = ("Any Company sent the invoice", "Total: 12.50")
SETTINGS = {"features": ["tables"], "insights": ["sentiment"], "concurrency": 20, "language": "en", "most_pages": 300}
# What is empty, what Textract refuses, and what no answer is given for.
EMPTY, FAILED, UNANSWERED = "documents/all/007.pdf", "documents/all/017.pdf", "documents/all/037.pdf"


@dataclass(frozen=True)
class Reader:
    """The deployed state machine, and what tests do with it."""

    cloud: local_cloud.LocalCloud
    outputs: Mapping[str, str]

    def read(self, name: str, prefix: str) -> tuple[str, Any]:
        """Execute it; how that ends, and its output or the cause of its failure."""
        return self.wait(self.start(name, {"Prefix": prefix}))

    def start(self, name: str, given: Mapping[str, Any], output: str = MACHINE_OUTPUT) -> str:
        """Start an execution of a state machine that an output names; its ARN."""
        states: Any = boto3.client("stepfunctions")
        machine, text = self.outputs[output], json.dumps(given)
        return str(states.start_execution(stateMachineArn=machine, name=name, input=text)["executionArn"])

    def wait(self, arn: str) -> tuple[str, Any]:
        """How an execution ends, and its output or the cause of its failure."""
        states: Any = boto3.client("stepfunctions")

        def look() -> dict[str, Any]:
            found: dict[str, Any] = states.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else {}

        ended = wait_until(look, "the end")
        return ended["status"], json.loads(ended["output"]) if "output" in ended else ended.get("cause")

    def get(self, key: str) -> bytes:
        """An object of the work bucket."""
        return bytes(boto3.client("s3").get_object(Bucket=self.outputs["WorkBucketName"], Key=key)["Body"].read())


def give_answers(folder: Path) -> None:
    """Give what Textract says of each document but one, and what Comprehend says of their text."""
    for number in range(DOCUMENTS):
        path = folder / "textract" / f"documents/all/{number:03}.pdf.json"
        if UNANSWERED not in str(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            status = "FAILED" if FAILED in str(path) else "SUCCEEDED"
            answer = make_answer(make_blocks(*LINES), status=status)
            path.write_text(json.dumps({**answer, "StatusMessage": "the pages are blurred"}))
    (text,) = split_lines(LINES, PIECE_BYTES)
    path = folder / "comprehend" / "DetectSentiment" / f"{name_text(text)}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(COMPREHEND["DetectSentiment"]))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """The buckets and the state machine of `dev`, with all documents in place."""
    folder = tmp_path_factory.mktemp("documents")
    give_answers(folder / "answers")
    context = configure_dev()
    set_path(context["environments"]["dev"], "documents", SETTINGS)
    started = local_cloud.start(folder / "cloud", find_free_port(), stop_with_caller=True)
    try:
        with clients_of(started):
            deploy(assemble(context), "Storage", "Documents")
            outputs = read_outputs()
            put_documents(outputs["RawBucketName"])
            yield Reader(started, outputs)
    finally:
        started.stop()


def read_outputs() -> dict[str, str]:
    formation: Any = boto3.client("cloudformation")
    stacks = formation.describe_stacks()["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for stack in stacks for output in stack.get("Outputs", ())}


def put_documents(bucket: str) -> None:
    s3: Any = boto3.client("s3")

    def put(number: int) -> None:
        key = f"documents/all/{number:03}.pdf"
        s3.put_object(Bucket=bucket, Key=key, Body=b"" if key == EMPTY else PDF)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(put, range(DOCUMENTS)))


def test_accounts_for_every_document_while_it_is_throttled(reader: Reader) -> None:
    faults = CloudFaults(reader.cloud)
    for operation in ("textract:StartDocumentAnalysis", "comprehend:DetectSentiment"):
        faults.add("throttle", operation, times=6)

    status, told = reader.read("run-1", "documents/all/")

    assert status == "SUCCEEDED", told
    assert [fault["left"] for fault in faults.list()] == [0, 0]
    assert (told["Documents"], told["Read"], told["NotRead"]) == (DOCUMENTS, DOCUMENTS - 3, 3)
    # All but the empty one have a page.
    assert told["Pages"] == DOCUMENTS - 1
    # As the survey has estimated the pages: tables, thirty units of text, and transitions.
    assert told["EstimatedUsd"] == pytest.approx(told["Pages"] * (0.015 + 0.003 + 18 * 0.000025), abs=0.01)
    report = json.loads(reader.get("documents/run-1/results/report.json"))
    assert report["Reasons"].keys() == {EMPTY, FAILED, UNANSWERED}
    assert report["Reasons"][EMPTY] == "UnreadableDocumentError: the document is empty"
    assert report["Reasons"][FAILED] == "TextractJobFailed: the pages are blurred"
    assert "The local cloud reads no documents" in report["Reasons"][UNANSWERED]
    assert f"{UNANSWERED}.json" in report["Reasons"][UNANSWERED]

    findings = polars.read_parquet(io.BytesIO(reader.get("documents/run-1/results/findings.parquet")))
    counted = dict(findings.group_by("kind").len().iter_rows())
    assert counted == {"line": 2 * (DOCUMENTS - 3), "sentiment": DOCUMENTS - 3}
    lines = [json.loads(line) for line in reader.get("documents/run-1/results/documents.jsonl").splitlines()]
    assert [line["document"] for line in lines] == [f"documents/all/{number:03}.pdf" for number in range(DOCUMENTS)]
    assert sum(len(line["findings"]) for line in lines) == report["Findings"] == findings.height

    # No token is left that could tell a task anything.
    listed = boto3.client("s3").list_objects_v2(
        Bucket=reader.outputs["WorkBucketName"], Prefix="documents/run-1/tokens/"
    )
    assert listed["KeyCount"] == 0
    decided = list(read_calls(reader.cloud.root))
    assert [call for call in decided if not call.is_allowed] == []
    assert {"textract:StartDocumentAnalysis", "comprehend:DetectSentiment", "sns:Publish"} <= {
        call.action for call in decided
    }


def test_refuses_before_it_reads_what_is_more_than_the_settings_allow(reader: Reader) -> None:
    s3: Any = boto3.client("s3")
    large = PDF + b"3 0 obj <</Type /Page>> endobj\n" * 300
    s3.put_object(Bucket=reader.outputs["RawBucketName"], Key="documents/large/1.pdf", Body=large)

    status, cause = reader.read("run-2", "documents/large/")

    assert status == "FAILED"
    assert "have 301 pages" in cause
    assert "documents.most_pages allows 300" in cause
