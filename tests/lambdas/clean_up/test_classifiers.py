"""What an execution has made in Comprehend goes with it: its endpoint always, a classifier if it is not used."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.clean_up.classifiers import clean_classifiers, is_comprehends
from lambdas.clean_up.executions import History, Request
from lambdas.clean_up.sagemaker import Aftermath

COMPREHEND = "aws-sdk:comprehend"
ENDPOINT = "arn:aws:comprehend:eu-west-1:123456789012:document-classifier-endpoint/headrace-dev-0123"
CLASSIFIER = "arn:aws:comprehend:eu-west-1:123456789012:document-classifier/headrace-dev-documents/version/one"


def ask(operation: str, arguments: Any = None, result: Any = None, service: str = COMPREHEND) -> Request:
    return Request(operation=operation, arguments=arguments or {}, result=result or {}, service=service)


CREATED = ask("createEndpoint", {"EndpointName": "headrace-dev-0123"}, {"EndpointArn": ENDPOINT})
# Its answer was lost, and it was to be deleted for that.
LOST = [ask("createEndpoint"), ask("deleteEndpoint", {"EndpointArn": ENDPOINT})]
TRAINED = ask("createDocumentClassifier", {}, {"DocumentClassifierArn": CLASSIFIER})
NOTED = ask("putObject", {"Key": "documents/classifier.json", "Body": {"Arn": CLASSIFIER}}, service="aws-sdk:s3")


class Comprehend:
    """One endpoint and one classifier.

    Args:
        endpoint: The status of the endpoint; none if there is none.
        classifier: What each look at the classifier finds; the last of them for ever.
        refusals: The errors that requests to delete end with, one after the other.
    """

    def __init__(self, endpoint: str = "", classifier: str = "TRAINED", refusals: tuple[str, ...] = ()) -> None:
        self._endpoint, self._classifier = endpoint, classifier.split()
        self._refusals = list(refusals)
        self.done: list[str] = []

    def describe_endpoint(self, *, EndpointArn: str) -> Any:  # noqa: N803
        if not self._endpoint:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": EndpointArn}}, "Describe")
        return {"EndpointProperties": {"Status": self._endpoint}}

    def delete_endpoint(self, *, EndpointArn: str) -> None:  # noqa: N803
        self._delete(EndpointArn)

    def describe_document_classifier(self, *, DocumentClassifierArn: str) -> Any:  # noqa: N803
        assert DocumentClassifierArn == CLASSIFIER
        status = self._classifier.pop(0) if len(self._classifier) > 1 else self._classifier[0]
        return {"DocumentClassifierProperties": {"Status": status}}

    def stop_training_document_classifier(self, *, DocumentClassifierArn: str) -> None:  # noqa: N803
        self.done.append(f"stop {DocumentClassifierArn}")

    def delete_document_classifier(self, *, DocumentClassifierArn: str) -> None:  # noqa: N803
        self._delete(DocumentClassifierArn)

    def _delete(self, arn: str) -> None:
        if self._refusals:
            raise ClientError({"Error": {"Code": self._refusals.pop(0), "Message": "no"}}, "Delete")
        self.done.append(f"delete {arn}")


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


def clean(client: Comprehend, *requests: Request, is_over: bool = False, patience: int = 5) -> Aftermath:
    found, left = Aftermath(), iter([*[False] * patience, True])
    clean_classifiers(client, requests=requests, found=found, give_up=lambda: next(left, True), is_over=is_over)
    return found


@pytest.mark.parametrize("requests", [[CREATED], LOST])
@pytest.mark.parametrize("is_over", [True, False])
def test_deletes_the_endpoint_of_an_execution_however_that_ends(requests: list[Request], is_over: bool) -> None:
    client = Comprehend("IN_SERVICE")

    found = clean(client, *requests, is_over=is_over)

    assert client.done == [f"delete {ENDPOINT}"]
    assert (found.removed, found.left) == ([f"endpoint {ENDPOINT}"], [])


def test_waits_for_an_endpoint_that_is_being_made() -> None:
    client = Comprehend("CREATING", refusals=("ResourceInUseException", "ResourceInUseException"))

    assert clean(client, CREATED).removed == [f"endpoint {ENDPOINT}"]


@pytest.mark.parametrize("status", ["", "DELETING"])
def test_leaves_an_endpoint_that_is_gone_or_going(status: str) -> None:
    client = Comprehend(status)

    assert clean(client, CREATED) == Aftermath()
    assert client.done == []


@pytest.mark.parametrize(("refusal", "times"), [("InternalServerException", 1), ("ResourceInUseException", 9)])
def test_tells_of_an_endpoint_that_cannot_be_deleted(refusal: str, times: int) -> None:
    found = clean(Comprehend("IN_SERVICE", refusals=(refusal,) * times), CREATED)

    assert (found.removed, len(found.left)) == ([], 1)
    assert found.left[0].startswith(f"endpoint {ENDPOINT}: ")


def test_stops_a_training_and_deletes_its_classifier() -> None:
    client = Comprehend(classifier="TRAINING STOP_REQUESTED STOP_REQUESTED STOPPED")

    assert clean(client, TRAINED).removed == [f"classifier {CLASSIFIER}"]
    assert client.done == [f"stop {CLASSIFIER}", f"delete {CLASSIFIER}"]


def test_deletes_a_classifier_that_is_not_good_enough_and_keeps_one_that_is() -> None:
    assert clean(Comprehend(), TRAINED).removed == [f"classifier {CLASSIFIER}"]
    assert clean(Comprehend(), TRAINED, NOTED).removed == []
    assert clean(Comprehend(), TRAINED, is_over=True).removed == []


def test_takes_no_endpoint_of_sagemaker_for_one_of_comprehend() -> None:
    client = Comprehend("IN_SERVICE")
    sagemakers = ask("createEndpoint", {"EndpointName": "bigmart"}, {"EndpointArn": ENDPOINT}, service="sagemaker")

    assert clean(client, sagemakers).removed == []
    assert not is_comprehends(sagemakers)


def test_reads_the_service_from_the_history() -> None:
    event = {
        "id": 2,
        "type": "TaskScheduled",
        "taskScheduledEventDetails": {"resourceType": COMPREHEND, "resource": "createEndpoint", "parameters": "{}"},
    }

    (request,) = History([event]).list_requests()

    assert is_comprehends(request)
