"""A classifier is trained and classifies on the deployed platform; its endpoint goes whatever happens."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace.documents.contract import CLASSIFIER_MACHINE_OUTPUT, CLASSIFIER_NOTE, PIECE_BYTES
from headrace.documents.pieces import split_lines
from headrace.inventory.classifiers import CLASSIFIER
from headrace.inventory.run_time import read_run_time
from headrace.local.calls import read_calls
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.documents import name_text
from headrace.local.platform.faults import CloudFaults
from headrace.loopback import find_free_port
from tests.deploying import deploy
from tests.document_services import PDF, make_answer, make_blocks
from tests.end_to_end.conftest import configure_dev
from tests.end_to_end.test_documents import LINES, Reader, read_outputs
from tests.local_clouds import clients_of
from tests.patience import wait_until
from tests.stacks.conftest import set_path
from tests.stacks.synthesis import assemble

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SETTINGS = {"features": ["tables"], "insights": [], "classifier": {"least_f1": 0.8, "keep_versions": 1}}
GOOD, WEAK = "classifiers/good.csv", "classifiers/weak.csv"
KEYS = ("documents/a.pdf", "documents/b.pdf")


def give_answers(folder: Path) -> None:
    """Give what Textract says of the documents, and Comprehend of the trainings and of the text."""
    (text,) = split_lines(LINES, PIECE_BYTES)
    trained = {
        key: {"Status": "TRAINED", "ClassifierMetadata": {"EvaluationMetrics": {"F1Score": f1}}}
        for key, f1 in ((GOOD, 0.9), (WEAK, 0.3))
    }
    answers: dict[str, Any] = {
        **{f"textract/{key}": make_answer(make_blocks(*LINES)) for key in KEYS},
        **{
            f"comprehend/DescribeDocumentClassifier/{key}": {"DocumentClassifierProperties": found}
            for key, found in trained.items()
        },
        f"comprehend/ClassifyDocument/{name_text(text)}": {"Classes": [{"Name": "INVOICE", "Score": 0.9}]},
    }
    for name, answer in answers.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(answer))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """The buckets and both state machines of `dev`, with documents and training data in place."""
    folder = tmp_path_factory.mktemp("classifier")
    give_answers(folder / "answers")
    context = configure_dev()
    set_path(context["environments"]["dev"], "documents", SETTINGS)
    started = local_cloud.start(folder / "cloud", find_free_port(), stop_with_caller=True)
    try:
        with clients_of(started):
            deploy(assemble(context), "Storage", "Documents")
            outputs = read_outputs()
            for key in (*KEYS, GOOD, WEAK):
                content = PDF if key in KEYS else b"INVOICE,Total: 12.50\n"
                boto3.client("s3").put_object(Bucket=outputs["RawBucketName"], Key=key, Body=content)
            reader = Reader(started, outputs)
            status, trained = reader.wait(reader.start("train-1", {"Training": GOOD}, CLASSIFIER_MACHINE_OUTPUT))
            assert (status, trained["F1"]) == ("SUCCEEDED", 0.9), trained
            assert trained["Tidied"] == {"Deleted": [], "Left": ""}
            yield reader
    finally:
        started.stop()


def list_endpoints() -> list[Any]:
    comprehend: Any = boto3.client("comprehend")
    return list(comprehend.list_endpoints()["EndpointPropertiesList"])


def list_classifiers() -> list[str]:
    comprehend: Any = boto3.client("comprehend")
    found = comprehend.list_document_classifiers()["DocumentClassifierPropertiesList"]
    return [each["DocumentClassifierArn"] for each in found]


def test_classifies_documents_and_leaves_no_endpoint(reader: Reader) -> None:
    status, told = reader.read("run-1", "documents/")

    assert (status, told["Read"], told["PartlyRead"]) == ("SUCCEEDED", 2, 0), told
    lines = reader.get("documents/run-1/results/documents.jsonl").splitlines()
    found = [each for line in lines for each in json.loads(line)["findings"] if each["kind"] == "class"]
    assert [(each["name"], each["score"]) for each in found] == [("INVOICE", 0.9)] * 2
    assert list_endpoints() == []
    decided = list(read_calls(reader.cloud.root))
    assert [call for call in decided if not call.is_allowed] == []
    assert {"comprehend:CreateDocumentClassifier", "comprehend:CreateEndpoint", "comprehend:DeleteEndpoint"} <= {
        call.action for call in decided
    }


def test_deletes_the_endpoint_of_an_execution_that_is_stopped(reader: Reader) -> None:
    faults, states = CloudFaults(reader.cloud), boto3.client("stepfunctions")
    faults.add("throttle", "comprehend:ClassifyDocument", times=1000)
    arn = reader.start("run-2", {"Prefix": "documents/a"})
    wait_until(list_endpoints, "an endpoint")

    states.stop_execution(executionArn=arn)

    wait_until(lambda: not list_endpoints(), "its deletion")
    assert reader.wait(arn)[0] == "ABORTED"
    faults.clear()


def test_deletes_a_classifier_that_is_too_weak_and_goes_on_with_the_one_before(reader: Reader) -> None:
    status, cause = reader.wait(reader.start("train-2", {"Training": WEAK}, CLASSIFIER_MACHINE_OUTPUT))

    assert status == "FAILED"
    assert "its F1 score is 0.3" in cause
    (kept,) = list_classifiers()
    assert json.loads(reader.get(CLASSIFIER_NOTE))["Arn"] == kept
    assert "/version/train-1-" in kept
    assert [item.name for item in read_run_time(boto3.Session(), "dev", []) if item.kind == CLASSIFIER] == [kept]
