"""Classifiers of documents go with their environment: endpoints first, and trainings stopped before."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.deletion import serving
from headrace.deletion.ledger import Ledger
from headrace.deletion.serving import delete_made
from headrace.inventory import Item, Maker
from headrace.inventory.classifiers import CLASSIFIER, CLASSIFIER_ENDPOINT


class Comprehend:
    """One endpoint and one classifier; each look finds the next status, until there is none."""

    def __init__(self, endpoint: str, classifier: str) -> None:
        self._statuses = {"endpoint": endpoint.split(), "classifier": classifier.split()}
        self.done: list[str] = []

    def describe_endpoint(self, *, EndpointArn: str) -> Any:  # noqa: N803 (boto3's names)
        return {"EndpointProperties": {"Status": self._look(EndpointArn)}}

    def delete_endpoint(self, *, EndpointArn: str) -> None:  # noqa: N803
        self.done.append(f"delete {EndpointArn}")

    def describe_document_classifier(self, *, DocumentClassifierArn: str) -> Any:  # noqa: N803
        return {"DocumentClassifierProperties": {"Status": self._look(DocumentClassifierArn)}}

    def stop_training_document_classifier(self, *, DocumentClassifierArn: str) -> None:  # noqa: N803
        self.done.append(f"stop {DocumentClassifierArn}")

    def delete_document_classifier(self, *, DocumentClassifierArn: str) -> None:  # noqa: N803
        self.done.append(f"delete {DocumentClassifierArn}")

    def _look(self, name: str) -> str:
        if not self._statuses[name]:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": name}}, "Describe")
        return self._statuses[name].pop(0)


@pytest.mark.parametrize(
    ("endpoint", "classifier", "done"),
    [
        ("IN_SERVICE IN_SERVICE DELETING", "TRAINED", ["delete endpoint", "delete classifier"]),
        ("CREATING IN_SERVICE IN_SERVICE", "TRAINED", ["delete endpoint", "delete classifier"]),
        ("DELETING DELETING DELETING", "TRAINED", ["delete classifier"]),
        ("", "TRAINING STOP_REQUESTED STOPPED", ["stop classifier", "delete classifier"]),
    ],
)
def test_deletes_an_endpoint_and_then_its_classifier(
    endpoint: str, classifier: str, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    comprehend, ledger = Comprehend(endpoint, classifier), Ledger()
    monkeypatch.setattr(serving, "make_client", lambda _: comprehend)
    monkeypatch.setattr("time.sleep", lambda _: None)
    kinds = {"classifier": CLASSIFIER, "endpoint": CLASSIFIER_ENDPOINT}

    delete_made([Item(kind=kind, name=name, maker=Maker.RUN) for name, kind in kinds.items()], ledger)

    assert comprehend.done == done
    assert ledger.failed == []
