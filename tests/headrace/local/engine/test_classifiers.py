"""The local Comprehend learns nothing: classifiers and endpoints are what given answers say, as their role may read."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.local.engine.access.needs import Need
from headrace.local.engine.classifiers import list_needs
from headrace.local.engine.documents import Answers, Comprehend, name_text
from headrace.local.engine.refusals import ServiceRefusedError
from tests.document_services import MemoryS3

KEY = "classifiers/letters.csv"
ROLE = "arn:aws:iam::000000000000:role/classifier"
PREFIX = "arn:aws:comprehend:us-east-1:000000000000:"
CLASSIFIER = f"{PREFIX}document-classifier/headrace-dev-documents/version/one"
ENDPOINT = f"{PREFIX}document-classifier-endpoint/headrace-dev-0123"
TRAIN: Mapping[str, Any] = {
    "DocumentClassifierName": "headrace-dev-documents",
    "VersionName": "one",
    "DataAccessRoleArn": ROLE,
    "LanguageCode": "en",
    "InputDataConfig": {"S3Uri": f"s3://raw-bucket/{KEY}"},
    "ClientRequestToken": "token",
    "Tags": [{"Key": "environment", "Value": "dev"}],
}
CREATE = {"EndpointName": "headrace-dev-0123", "ModelArn": CLASSIFIER, "DesiredInferenceUnits": 2}


class HeadS3(MemoryS3):
    def head_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803 (boto3's names)
        if (Bucket, Key) not in self.objects:
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadObject")


class Cloud:
    """Comprehend over a folder of answers, with training data in place."""

    def __init__(self, folder: Path, **answers: Any) -> None:
        self.needs: list[tuple[str, Need]] = []
        self._comprehend = Comprehend(Answers(folder), HeadS3({("raw-bucket", KEY): b"A,text"}), self._check_role)
        for name, answer in answers.items():
            operation, key = {
                "training": ("DescribeDocumentClassifier", KEY),
                "classes": ("ClassifyDocument", name_text("a letter")),
            }[name]
            path = folder / "comprehend" / operation / f"{key}.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(answer))

    def _check_role(self, role: str, needs: Iterable[Need]) -> None:
        self.needs += ((role, need) for need in needs)

    def ask(self, operation: str, **request: Any) -> Any:
        return self._comprehend.answer(operation, request)

    def refuse(self, operation: str, **request: Any) -> tuple[str, str]:
        with pytest.raises(ServiceRefusedError) as refused:
            self.ask(operation, **request)
        return refused.value.code, str(refused.value)


def describe(status: str = "TRAINED") -> Any:
    return {"DocumentClassifierProperties": {"Status": status}}


CLASSES = {"Classes": [{"Name": "LETTER", "Score": 0.9}]}


def test_says_what_it_is_given_about_a_training_and_a_text(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, training=describe(), classes=CLASSES)

    assert cloud.ask("CreateDocumentClassifier", **TRAIN) == {"DocumentClassifierArn": CLASSIFIER}
    assert cloud.ask("CreateDocumentClassifier", **TRAIN) == {"DocumentClassifierArn": CLASSIFIER}
    found = cloud.ask("DescribeDocumentClassifier", DocumentClassifierArn=CLASSIFIER)["DocumentClassifierProperties"]
    assert (found["Status"], found["LanguageCode"]) == ("TRAINED", "en")
    assert cloud.ask("CreateEndpoint", **CREATE)["EndpointArn"] == ENDPOINT
    assert cloud.ask("DescribeEndpoint", EndpointArn=ENDPOINT)["EndpointProperties"]["Status"] == "IN_SERVICE"
    assert cloud.ask("ClassifyDocument", EndpointArn=ENDPOINT, Text="a letter") == CLASSES
    assert cloud.ask("ListTagsForResource", ResourceArn=CLASSIFIER)["Tags"] == TRAIN["Tags"]
    ((role, need),) = cloud.needs[:1]
    assert (role, need.action, need.resource) == (ROLE, "s3:GetObject", f"arn:aws:s3:::raw-bucket/{KEY}")


def test_lists_what_there_is_until_it_is_deleted(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, training=describe())
    cloud.ask("CreateDocumentClassifier", **TRAIN)
    cloud.ask("CreateEndpoint", **CREATE)

    assert cloud.refuse("DeleteDocumentClassifier", DocumentClassifierArn=CLASSIFIER)[0] == "ResourceInUseException"
    assert [each["EndpointArn"] for each in cloud.ask("ListEndpoints")["EndpointPropertiesList"]] == [ENDPOINT]
    cloud.ask("DeleteEndpoint", EndpointArn=ENDPOINT)
    cloud.ask("DeleteDocumentClassifier", DocumentClassifierArn=CLASSIFIER)

    assert cloud.ask("ListEndpoints")["EndpointPropertiesList"] == []
    assert cloud.ask("ListDocumentClassifiers")["DocumentClassifierPropertiesList"] == []
    assert cloud.refuse("DeleteEndpoint", EndpointArn=ENDPOINT)[0] == "ResourceNotFoundException"
    assert cloud.refuse("ListTagsForResource", ResourceArn=ENDPOINT)[0] == "ResourceNotFoundException"


@pytest.mark.parametrize("training", [{}, {"DocumentClassifierProperties": {}}])
def test_refuses_an_answer_that_does_not_say_what_became_of_the_training(tmp_path: Path, training: Any) -> None:
    code, message = Cloud(tmp_path, training=training).refuse("CreateDocumentClassifier", **TRAIN)

    assert code == "InvalidRequestException"
    assert message.endswith(f"{KEY}.json: it has no DocumentClassifierProperties with a Status.")


def test_never_pretends_to_learn_or_to_classify(tmp_path: Path) -> None:
    code, message = Cloud(tmp_path).refuse("CreateDocumentClassifier", **TRAIN)
    assert code == "InvalidRequestException"
    assert message.startswith(
        "The local cloud trains no classifiers. For one that is trained on classifiers/letters.csv"
    )
    assert message.endswith(f"{tmp_path}/comprehend/DescribeDocumentClassifier/classifiers/letters.csv.json.")

    cloud = Cloud(tmp_path, training=describe())
    cloud.ask("CreateDocumentClassifier", **TRAIN)
    assert "no endpoint" in cloud.refuse("ClassifyDocument", EndpointArn=ENDPOINT, Text="a letter")[1]
    cloud.ask("CreateEndpoint", **CREATE)
    assert "save one of ClassifyDocument" in cloud.refuse("ClassifyDocument", EndpointArn=ENDPOINT, Text="a letter")[1]


def test_refuses_what_comprehend_refuses(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, training=describe("IN_ERROR"))
    cloud.ask("CreateDocumentClassifier", **TRAIN)

    again = {**TRAIN, "ClientRequestToken": "other"}
    gone = {**TRAIN, "VersionName": "two", "InputDataConfig": {"S3Uri": "s3://raw-bucket/classifiers/gone.csv"}}
    assert cloud.refuse("CreateDocumentClassifier", **again)[0] == "ResourceInUseException"
    assert "cannot be read" in cloud.refuse("CreateDocumentClassifier", **gone)[1]
    assert cloud.refuse("CreateEndpoint", **CREATE)[0] == "ResourceUnavailableException"
    assert cloud.refuse("CreateEndpoint", EndpointName="a b", DesiredInferenceUnits=1)[0] == "InvalidRequestException"
    long = cloud.refuse("ClassifyDocument", EndpointArn=ENDPOINT, Text="ä" * 5_001)
    assert long[0] == "TextSizeLimitExceededException"


def test_stops_a_training(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, training=describe("TRAINING"))
    cloud.ask("CreateDocumentClassifier", **TRAIN)

    cloud.ask("StopTrainingDocumentClassifier", DocumentClassifierArn=CLASSIFIER)

    found = cloud.ask("DescribeDocumentClassifier", DocumentClassifierArn=CLASSIFIER)
    assert found["DocumentClassifierProperties"]["Status"] == "STOPPED"


def test_needs_permissions_on_the_resources_that_iam_knows() -> None:
    passing = Need(action="iam:PassRole", resource=ROLE, context={"iam:PassedToService": "comprehend.amazonaws.com"})
    assert list(list_needs("CreateDocumentClassifier", TRAIN)) == [
        Need(action="comprehend:CreateDocumentClassifier", resource=CLASSIFIER),
        Need(action="comprehend:TagResource", resource=CLASSIFIER),
        passing,
    ]
    assert list(list_needs("CreateEndpoint", CREATE)) == [
        Need(action="comprehend:CreateEndpoint", resource=ENDPOINT),
        Need(action="comprehend:CreateEndpoint", resource=CLASSIFIER),
    ]
    assert list(list_needs("ClassifyDocument", {"EndpointArn": ENDPOINT})) == [
        Need(action="comprehend:ClassifyDocument", resource=ENDPOINT)
    ]
    assert list(list_needs("DetectEntities", {"Text": "a"})) == [Need(action="comprehend:DetectEntities")]
