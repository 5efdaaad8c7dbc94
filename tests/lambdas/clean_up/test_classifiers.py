"""What an execution has made in Comprehend goes with it: its endpoint always, a classifier if it is not used."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.clean_up import handler
from lambdas.clean_up.classifiers import clean_classifiers, is_comprehends
from lambdas.clean_up.executions import History, Request
from lambdas.clean_up.sagemaker import Aftermath
from tests.lambdas.clean_up.account import EXECUTION, Account

COMPREHEND = "aws-sdk:comprehend"
BEFORE, ENDED, AFTER = (datetime(2026, 11, 28, hour, tzinfo=UTC) for hour in (11, 12, 13))
ENDPOINT = "arn:aws:comprehend:eu-west-1:123456789012:document-classifier-endpoint/headrace-dev-0123"
CLASSIFIER = "arn:aws:comprehend:eu-west-1:123456789012:document-classifier/headrace-dev-documents/version/one"


def ask(
    operation: str, arguments: Any = None, result: Any = None, service: str = COMPREHEND, *, is_answered: bool = True
) -> Request:
    return Request(
        operation=operation, arguments=arguments or {}, result=result or {}, service=service, is_answered=is_answered
    )


CREATED = ask("createEndpoint", {"EndpointName": "headrace-dev-0123"}, {"EndpointArn": ENDPOINT})
# Its answer was lost, and it was to be deleted for that.
LOST = [ask("createEndpoint", CREATED.arguments), ask("deleteEndpoint", {"EndpointArn": ENDPOINT})]
TRAINED = ask("createDocumentClassifier", {}, {"DocumentClassifierArn": CLASSIFIER})
# The execution was stopped before they were answered.
ASKED = ask("createEndpoint", {"EndpointName": "headrace-dev-0123"}, is_answered=False)
BEGUN = ask(
    "createDocumentClassifier",
    {"DocumentClassifierName": "headrace-dev-documents", "VersionName": "one"},
    is_answered=False,
)
NOTED = ask("putObject", {"Key": "documents/classifier.json", "Body": {"Arn": CLASSIFIER}}, service="aws-sdk:s3")


class Comprehend:
    """One endpoint and one classifier.

    Args:
        endpoint: The status of the endpoint; none if there is none.
        classifier: What each look at the classifier finds; the last of them for ever.
        refusals: The errors that requests to delete end with, one after the other.
        absences: How many looks find nothing at first.
    """

    def __init__(
        self, endpoint: str = "", classifier: str = "TRAINED", refusals: tuple[str, ...] = (), absences: int = 0
    ) -> None:
        self._endpoint, self._classifier = endpoint, classifier.split()
        self._refusals = list(refusals)
        self._absences = absences
        self.looks = 0
        self.done: list[str] = []

    def describe_endpoint(self, *, EndpointArn: str) -> Any:  # noqa: N803
        self._look(EndpointArn, is_there=bool(self._endpoint))
        return {"EndpointProperties": {"Status": self._endpoint}}

    def _look(self, arn: str, *, is_there: bool) -> None:
        self.looks += 1
        if not is_there or self.looks <= self._absences:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": arn}}, "Describe")

    def delete_endpoint(self, *, EndpointArn: str) -> None:  # noqa: N803
        self._delete(EndpointArn)

    def describe_document_classifier(self, *, DocumentClassifierArn: str) -> Any:  # noqa: N803
        assert DocumentClassifierArn == CLASSIFIER
        self._look(DocumentClassifierArn, is_there=True)
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
    clean_classifiers(
        client,
        execution=EXECUTION,
        requests=requests,
        found=found,
        give_up=lambda: next(left, True),
        is_over=is_over,
    )
    return found


@pytest.mark.parametrize("requests", [[CREATED], LOST, [ASKED]])
@pytest.mark.parametrize("is_over", [True, False])
def test_deletes_the_endpoint_of_an_execution_however_that_ends(requests: list[Request], is_over: bool) -> None:
    client = Comprehend("IN_SERVICE")

    found = clean(client, *requests, is_over=is_over)

    assert client.done == [f"delete {ENDPOINT}"]
    assert (found.removed, found.left) == ([f"endpoint {ENDPOINT}"], [])


@pytest.mark.parametrize(("asked", "arn"), [(ASKED, ENDPOINT), (BEGUN, CLASSIFIER)])
def test_looks_again_for_what_was_asked_for_when_the_execution_was_stopped(asked: Request, arn: str) -> None:
    client = Comprehend("IN_SERVICE", absences=2)

    clean(client, asked, patience=9)

    assert client.done == [f"delete {arn}"]


@pytest.mark.parametrize(("request_", "looks"), [(ASKED, 7), (ask("createEndpoint", ASKED.arguments), 1)])
def test_looks_for_a_minute_where_a_request_has_no_answer(request_: Request, looks: int) -> None:
    client = Comprehend()

    assert clean(client, request_, patience=99) == Aftermath()
    assert client.looks == looks


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
    # What is only made yet can be removed later.
    assert found.is_early == (refusal == "ResourceInUseException")


def test_stops_a_training_and_deletes_its_classifier() -> None:
    client = Comprehend(classifier="TRAINING STOP_REQUESTED STOP_REQUESTED STOPPED")

    assert clean(client, TRAINED).removed == [f"classifier {CLASSIFIER}"]
    assert client.done == [f"stop {CLASSIFIER}", f"delete {CLASSIFIER}"]


def test_deletes_a_classifier_that_is_not_good_enough_and_keeps_one_that_is() -> None:
    assert clean(Comprehend(), TRAINED).removed == [f"classifier {CLASSIFIER}"]
    assert clean(Comprehend(), TRAINED, NOTED).removed == []
    assert clean(Comprehend(), TRAINED, is_over=True).removed == []


@pytest.mark.parametrize(("redriven", "done"), [(BEFORE, [f"delete {ENDPOINT}"]), (AFTER, [])])
def test_leaves_an_endpoint_to_the_end_of_an_execution_that_was_redriven(
    redriven: datetime, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    account, client = Account(), Comprehend("IN_SERVICE")
    account.request("createEndpoint", CREATED.arguments, CREATED.result, service=COMPREHEND)
    account.redriven = redriven
    monkeypatch.setattr(handler, "_client", lambda name: client if name == "comprehend" else account.client(name))

    detail = {"executionArn": EXECUTION, "status": "ABORTED", "stopDate": ENDED.timestamp() * 1000}
    handler.handle({"detail": detail}, SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000))

    assert client.done == done


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
    assert not request.is_answered


@pytest.mark.parametrize("kind", ["TaskSucceeded", "TaskFailed", "TaskTimedOut"])
def test_knows_which_requests_were_answered(kind: str) -> None:
    scheduled = {"id": 2, "type": "TaskScheduled", "taskScheduledEventDetails": {"resource": "createEndpoint"}}
    events = [scheduled, {"id": 3, "previousEventId": 2, "type": "TaskStarted"}]

    (request,) = History([*events, {"id": 4, "previousEventId": 3, "type": kind}]).list_requests()

    # What took too long may still have been done.
    assert request.is_answered == (kind != "TaskTimedOut")
