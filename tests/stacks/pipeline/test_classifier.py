"""A classifier trained, and documents classified with an endpoint that is deleted whatever happens."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headrace.local.engine.asl.failures import StateFailedError
from headrace.local.engine.asl.surroundings import TaskCall
from headrace.local.sagemaker.validation import load_service_model, validate_request
from lambdas.documents.surveying import Limits
from tests.stacks.pipeline.faults import Walker
from tests.stacks.pipeline.test_document_faults import VARIABLES, list_declared, split
from tests.stacks.pipeline.test_documents import (
    ROLE,
    STARTED,
    Services,
    execute,
    make_documents,
    read_lines,
    read_machine,
    read_report,
)

CLASSIFYING: Mapping[str, Any] = {"insights": [], "classifier": {"least_f1": 0.7}}
KEEPING: Mapping[str, Any] = {"insights": [], "classifier": {"least_f1": 0.7, "keep_versions": 2}}
LABELLING: Mapping[str, Any] = {"insights": [], "classifier": {"mode": "multi_label", "inference_units": 3}}
ACCOUNT = "eu-west-1:123456789012"
PREFIX = f"arn:aws:comprehend:{ACCOUNT}:document-classifier/headrace-dev-documents/version/"
CLASSIFIER = f"{PREFIX}noted"
NOTE = "documents/classifier.json"
LIMITS = Limits(documents=9, pages=9, page_usd=0.5, execution_usd=0.45, characters=9_000)
TRAINING = {"Training": "classifiers/letters.csv"}
NAME = "headrace-dev-documents"
KEPT: Mapping[str, Any] = {"Status": "TRAINED_WITH_WARNING", "Mode": "MULTI_CLASS"}


class Classifying(Services):
    """Comprehend with endpoints and classifiers.

    Args:
        documents: As ever.
        faults: As ever.
        statuses: What each look at an endpoint or a classifier finds; the last of them for ever.
        f1: How good the classifier becomes.
        noted: Whether a classifier was trained before.
        kept: What is known of that; an error's name if nothing can be.
    """

    def __init__(
        self,
        documents: Mapping[str, bytes],
        faults: Sequence[tuple[str, str, StateFailedError]] = (),
        statuses: Sequence[str] = ("CREATING", "IN_SERVICE"),
        f1: float = 0.9,
        noted: bool = True,
        kept: str | Mapping[str, Any] = KEPT,
    ) -> None:
        super().__init__(documents, faults, limits=LIMITS)
        self._statuses, self._f1 = list(statuses), f1
        self._kept = kept
        self.classifiers: list[Mapping[str, Any]] = []
        self.standing: set[str] = set()
        self.made = 0
        self.is_reading = noted
        if noted:
            self.s3.put("filled", NOTE, {"Arn": CLASSIFIER, "F1": 0.9})

    async def run(self, call: TaskCall) -> Any:
        if ":comprehend:" not in call.resource:
            return await super().run(call)
        await asyncio.sleep(0)
        operation = call.resource.rpartition(":")[2]
        self.requests.append((f"comprehend:{operation}", call.arguments))
        # An endpoint is there even if the answer to its creation is lost.
        answer = getattr(self, f"_{operation}")(call.arguments)
        for fault in self._faults:
            if fault[0] == call.state and fault[1] in json.dumps(call.arguments):
                self._faults.remove(fault)
                raise fault[2]
        return answer

    def _createEndpoint(self, request: Mapping[str, Any]) -> Any:  # noqa: N802 (the operation's name)
        self.standing.add(request["EndpointName"])
        self.made += 1
        return {"EndpointArn": "arn"}

    def _describeEndpoint(self, _request: Mapping[str, Any]) -> Any:  # noqa: N802
        return {"EndpointProperties": {"Status": self._look(), "Message": "no capacity"}}

    def _deleteEndpoint(self, request: Mapping[str, Any]) -> Any:  # noqa: N802
        name = request["EndpointArn"].rpartition("/")[2]
        if name not in self.standing:
            raise StateFailedError("Comprehend.ResourceNotFoundException", "there is none")
        self.standing.remove(name)
        return {}

    def _classifyDocument(self, request: Mapping[str, Any]) -> Any:  # noqa: N802
        assert request["EndpointArn"].rpartition("/")[2] in self.standing
        found = [{"Name": "INVOICE", "Score": 0.9}, {"Name": "LETTER", "Score": 0.1}]
        return {"Classes": found, "Labels": found[:1]}

    def _createDocumentClassifier(self, _request: Mapping[str, Any]) -> Any:  # noqa: N802
        return {"DocumentClassifierArn": CLASSIFIER}

    def _listDocumentClassifiers(self, request: Mapping[str, Any]) -> Any:  # noqa: N802
        assert request["Filter"] == {"DocumentClassifierName": NAME}
        return {"DocumentClassifierPropertiesList": self.classifiers}

    def _deleteDocumentClassifier(self, request: Mapping[str, Any]) -> Any:  # noqa: N802
        gone = request["DocumentClassifierArn"]
        self.classifiers = [each for each in self.classifiers if each["DocumentClassifierArn"] != gone]
        return {}

    def _describeDocumentClassifier(self, _request: Mapping[str, Any]) -> Any:  # noqa: N802
        if self.is_reading:
            if isinstance(self._kept, str):
                raise StateFailedError(self._kept, "no")
            return {"DocumentClassifierProperties": self._kept}
        status = self._look()
        metadata = {"ClassifierMetadata": {"EvaluationMetrics": {"F1Score": self._f1}}} if status == "TRAINED" else {}
        return {"DocumentClassifierProperties": {"Status": status, "Message": "too few texts", **metadata}}

    def _look(self) -> str:
        return self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]


def classify(services: Services, settings: Mapping[str, Any] = CLASSIFYING, started: datetime = STARTED) -> Any:
    # The test's two buckets are one, and the note is in it, too.
    return execute(services, {"Prefix": "documents/0"}, settings, started)


def train(services: Services, given: Any = None, settings: Mapping[str, Any] = CLASSIFYING) -> Any:
    return execute(services, given or TRAINING, settings, called="ClassifierStateMachine")


def test_classifies_every_document_and_deletes_its_endpoint() -> None:
    services = Classifying(make_documents(3) | {"documents/0-empty.pdf": b""})

    execution = classify(services)

    assert execution.status == "SUCCEEDED", execution.cause
    assert (execution.output["Read"], execution.output["PartlyRead"], execution.output["NotRead"]) == (3, 0, 1)
    assert execution.output["EstimatedUsd"] == 3 * 0.5 + 0.45
    found = Counter(
        (each["name"], each["score"]) for line in read_lines(services) for each in line["findings"] if not each["value"]
    )
    assert found == {("INVOICE", 0.9): 3, ("LETTER", 0.1): 3}
    assert (services.made, services.standing) == (1, set())


def test_keeps_labels_where_a_document_may_have_several() -> None:
    services = Classifying(make_documents(1), kept={"Status": "TRAINED", "Mode": "MULTI_LABEL"})

    classify(services, LABELLING)

    assert [each["name"] for each in read_lines(services)[0]["findings"] if each["kind"] == "class"] == ["INVOICE"]
    assert services.standing == set()


DENIED = StateFailedError("Comprehend.ComprehendException", "not authorized")
BROKEN = StateFailedError("Comprehend.InvalidRequestException", "no")


@pytest.mark.parametrize(
    ("faults", "statuses", "reason"),
    [
        ([("Create Endpoint", "", BROKEN)], ["IN_SERVICE"], "Create Endpoint: Comprehend.InvalidRequestException: no"),
        ([("See Endpoint", "", BROKEN)], ["IN_SERVICE"], "See Endpoint: Comprehend.InvalidRequestException: no"),
        ([], ["FAILED"], "the endpoint is FAILED: no capacity"),
        ([], ["CREATING"], "the endpoint is not in service after 60 minutes"),
        ([("Classify Text", "", BROKEN)] * 2, ["IN_SERVICE"], "Classify Text: Comprehend.InvalidRequestException: no"),
        ([("Read Text", "", BROKEN)] * 2, ["IN_SERVICE"], "Read Text: Comprehend.InvalidRequestException: no"),
        ([("Keep Classes", "", BROKEN)] * 2, ["IN_SERVICE"], "its execution has left no result"),
    ],
)
def test_deletes_the_endpoint_and_keeps_what_was_read_when_classifying_fails(
    faults: list[Any], statuses: list[str], reason: str
) -> None:
    services = Classifying(make_documents(2), faults, statuses)

    execution = classify(services)

    assert (execution.status, execution.output["PartlyRead"]) == ("SUCCEEDED", 2), execution.cause
    assert services.standing == set()
    assert read_report(services)["Reasons"] == dict.fromkeys(
        make_documents(2), f"NotClassified: not classified: {reason}"
    )


class LostTexts(Classifying):
    """The list of texts cannot be read."""

    async def read_items(self, source: Any) -> list[Any]:
        if source.arguments["Key"].endswith("texts.json"):
            raise StateFailedError("States.ItemReaderFailed", "denied")
        return await super().read_items(source)


def test_deletes_the_endpoint_when_the_texts_cannot_be_listed() -> None:
    services = LostTexts(make_documents(1))

    execution = classify(services)

    assert (execution.output["PartlyRead"], services.standing) == (1, set())


def test_fails_where_the_endpoint_cannot_be_deleted_so_that_the_function_tries_and_tells_it() -> None:
    execution = classify(Classifying(make_documents(1), [("Delete Endpoint", "", BROKEN)]))

    assert (execution.status, execution.error) == ("FAILED", "DeleteEndpointFailed")


def test_makes_no_endpoint_where_there_is_no_text() -> None:
    services = Classifying({"documents/0-empty.pdf": b""})

    execution = classify(services)

    assert (execution.status, services.made) == ("SUCCEEDED", 0)


def test_reads_nothing_where_the_time_is_too_short_to_classify_it() -> None:
    services = Classifying(make_documents(4))

    execution = classify(services)

    assert (execution.status, execution.error, services.requests) == ("FAILED", "SurveyFailed", [])
    assert "about 12,000 characters of the documents below documents/0" in str(execution.cause)
    assert "does 9,000 within documents.timeout_hours; raise documents.classifier.inference_units" in str(
        execution.cause
    )


def test_reads_nothing_where_no_classifier_was_trained() -> None:
    services = Classifying(make_documents(1), noted=False)

    execution = classify(services)

    assert (execution.status, execution.error, services.requests) == ("FAILED", "SurveyFailed", [])
    assert "there is no classifier yet; train one" in str(execution.cause)


@pytest.mark.parametrize(
    ("kept", "error", "reason"),
    [
        ("Comprehend.ResourceNotFoundException", "ClassifierUnusable", f"the classifier {CLASSIFIER} is there no more"),
        ({"Status": "DELETING", "Mode": "MULTI_CLASS"}, "ClassifierUnusable", f"{CLASSIFIER} is DELETING; train anoth"),
        (
            {"Status": "TRAINED", "Mode": "MULTI_LABEL"},
            "ClassifierUnusable",
            "was trained in the mode multi_label, and documents.classifier.mode is multi_class; train another one",
        ),
        ("Comprehend.InvalidRequestException", "SeeNotedClassifierFailed", "no"),
    ],
)
def test_reads_nothing_where_the_classifier_is_of_no_use(kept: Any, error: str, reason: str) -> None:
    services = Classifying(make_documents(1), kept=kept)

    execution = classify(services)

    assert (execution.status, execution.error) == ("FAILED", error)
    assert reason in str(execution.cause)
    assert [name for name, _ in services.requests] == ["comprehend:describeDocumentClassifier"]


def test_trains_a_classifier_and_notes_it() -> None:
    services = Classifying({}, statuses=["SUBMITTED", "TRAINING", "TRAINED"], noted=False)

    execution = train(services)

    assert (execution.status, execution.output["Arn"], execution.output["F1"]) == ("SUCCEEDED", CLASSIFIER, 0.9)
    assert services.s3.read("filled", NOTE) == {"Arn": CLASSIFIER, "F1": 0.9, "Execution": "run-1"}


def list_versions(*, as_numbers: bool = False) -> list[Mapping[str, Any]]:
    """Versions of which each was submitted an hour before it ended; one was used until lately, another trains."""
    ends = {"five": 23, "one": -300, "four": 20, "two": -200, "three": -100, "training": None}
    versions = list[Mapping[str, Any]]()
    for name, hour in ends.items():
        begun = STARTED + timedelta(hours=hour - 1 if hour is not None else -250)
        times = {"SubmitTime": begun} | ({} if hour is None else {"EndTime": begun + timedelta(hours=1)})
        spelt = {
            key: when.timestamp() if as_numbers else f"{when:%Y-%m-%dT%H:%M:%S.000Z}" for key, when in times.items()
        }
        status = "TRAINED" if hour is not None else "TRAINING"
        versions.append({"DocumentClassifierArn": f"{PREFIX}{name}", "Status": status, **spelt})
    return versions


@pytest.mark.parametrize("as_numbers", [False, True])
def test_keeps_the_last_versions_and_those_that_may_be_in_use(as_numbers: bool) -> None:
    services = Classifying({}, statuses=["TRAINED"], noted=False)
    services.classifiers = list_versions(as_numbers=as_numbers)

    execution = train(services, settings=KEEPING)

    # Three was used until four came, and that was less than a day ago.
    gone = [f"{PREFIX}{name}" for name in ("two", "one")]
    assert execution.output["Tidied"] == {"Deleted": gone, "Left": ""}, execution.cause
    left = [each["DocumentClassifierArn"].removeprefix(PREFIX) for each in services.classifiers]
    assert left == ["five", "four", "three", "training"]


def test_uses_the_new_version_whatever_becomes_of_the_old_ones() -> None:
    services = Classifying({}, [("Delete Old Classifier", "two", BROKEN)], statuses=["TRAINED"], noted=False)
    services.classifiers = list_versions()

    execution = train(services, settings=KEEPING)

    assert execution.status == "SUCCEEDED", execution.cause
    assert execution.output["Tidied"] == {"Deleted": [f"{PREFIX}one"], "Left": f"{PREFIX}two: no"}


@pytest.mark.parametrize("found", [[], [{"DocumentClassifierArn": CLASSIFIER, "SubmitTime": "2026-01-01T00:00:00Z"}]])
def test_deletes_nothing_where_there_are_no_more(found: list[Mapping[str, Any]]) -> None:
    services = Classifying({}, statuses=["TRAINED"], noted=False)
    services.classifiers = found

    assert train(services, settings=KEEPING).output["Tidied"] == {"Deleted": [], "Left": ""}
    assert "Tidied" not in train(Classifying({}, statuses=["TRAINED"], noted=False)).output


@pytest.mark.parametrize(
    ("statuses", "f1", "error", "reason"),
    [
        (["TRAINED"], 0.6, "ClassifierTooWeak", "its F1 score is 0.6, and documents.classifier.least_f1 wants 0.7"),
        (["IN_ERROR"], 0.9, "ClassifierFailed", "the training is IN_ERROR: too few texts"),
        (["TRAINING"], 0.9, "ClassifierFailed", "the training has not ended within 12 hours"),
    ],
)
def test_notes_no_classifier_that_is_not_good_enough(statuses: list[str], f1: float, error: str, reason: str) -> None:
    services = Classifying({}, statuses=statuses, f1=f1, noted=False)

    execution = train(services)

    assert (execution.status, execution.error, execution.cause) == ("FAILED", error, reason)
    assert ("filled", NOTE) not in services.s3.objects


@pytest.mark.parametrize(
    "given",
    [{"Training": "documents/a.csv"}, {}, {"Training": 1}, {**TRAINING, "Attribute": "a b"}, {**TRAINING, "X": 1}],
)
def test_refuses_training_data_of_another_place_and_keys_that_it_does_not_know(given: Any) -> None:
    services = Classifying({})

    execution = execute(services, given, CLASSIFYING, called="ClassifierStateMachine")

    assert (execution.status, execution.error, services.requests) == ("FAILED", "InvalidInput", [])


def list_requests() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for services, given, settings in (
        (Classifying({}, statuses=["TRAINED"], noted=False), TRAINING, KEEPING),
        (Classifying({}, statuses=["TRAINED"], noted=False), {**TRAINING, "Attribute": "label-1"}, LABELLING),
    ):
        services.classifiers = list_versions()
        train(services, given, settings)
        yield from services.requests
    services = Classifying(make_documents(1), kept={"Status": "TRAINED", "Mode": "MULTI_LABEL"})
    classify(services, LABELLING)
    yield from services.requests


def test_every_request_is_one_that_the_api_allows() -> None:
    asked = Counter[str]()
    for name, request in list_requests():
        service, _, operation = name.partition(":")
        if service == "comprehend":
            shape = load_service_model(service).operation_model(operation[:1].upper() + operation[1:]).input_shape
            text = json.dumps(request).replace('"DataAccessRoleArn": "filled"', f'"DataAccessRoleArn": "{ROLE}"')
            text = text.replace("arn:filled:comprehend:filled:filled:", f"arn:aws:comprehend:{ACCOUNT}:")
            validate_request(shape, json.loads(text))
            asked[operation] += 1
    assert asked == {
        "createDocumentClassifier": 2,
        "describeDocumentClassifier": 3,
        "listDocumentClassifiers": 1,
        "deleteDocumentClassifier": 2,
        "createEndpoint": 1,
        "describeEndpoint": 2,
        "classifyDocument": 1,
        "deleteEndpoint": 1,
    }


def test_names_versions_and_endpoints_as_no_other_execution_does() -> None:
    named = list[tuple[str, str]]()
    for started in (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)):
        services = Classifying(make_documents(1), statuses=["IN_SERVICE"])
        classify(services, started=started)
        trained = Classifying({}, statuses=["TRAINED"])
        execute(trained, TRAINING, CLASSIFYING, started, called="ClassifierStateMachine")
        (endpoint,) = (asked["EndpointName"] for name, asked in services.requests if name.endswith("createEndpoint"))
        (version,) = (
            asked["VersionName"]
            for name, asked in trained.requests
            if name.endswith("DocumentClassifier") and "VersionName" in asked
        )
        named.append((endpoint, version))

    assert len({*named[0], *named[1]}) == 4
    assert all(endpoint.startswith("headrace-dev-") and version.startswith("run-1-") for endpoint, version in named)


FURTHER: Mapping[str, Any] = {
    "texts": {"Count": 1, "List": "texts.json"},
    "endpoint_name": "headrace-dev-0123456789ab",
    "endpoint_polls": 0,
    "execution": "run-1",
    "classified": {"Fault": ""},
    "place": "documents/run-1/classes/0.json",
    "endpoint": "arn",
    "kept": {"Classes": []},
    "request": TRAINING,
    "version": "run-1-01234567",
    "same": "0" * 64,
    "classifier": CLASSIFIER,
    "polls": 0,
    "seen": {"Status": "TRAINED", "Reason": "", "F1": 0.9},
    "survey": {"Documents": 1, "EstimatedUsd": 0.07, "List": "documents/run-1/list.json", "Classifier": CLASSIFIER},
    "noted": KEPT,
    "old": [CLASSIFIER],
    "tidied": {"Deleted": [], "Left": ""},
}
# Where each task's failures lead.
ENDS = {
    "List Texts": "Failed",
    "Create Endpoint": "Delete Endpoint",
    "See Endpoint": "Delete Endpoint",
    "Delete Endpoint": "Failed",
    "Read Text": "Keep Classes",
    "Classify Text": "Keep Classes",
    "Keep Classes": "Classes Not Kept",
    "Create Classifier": "Failed",
    "See Classifier": "Failed",
    "Note Classifier": "Failed",
    "See Noted Classifier": "Failed",
    "List Classifiers": "Done",
    "Delete Old Classifier": "Any Old Classifier",
}


def list_tasks() -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    machine, training = read_machine(CLASSIFYING), read_machine(KEEPING, "ClassifierStateMachine")
    texts = {**machine["States"]["Classify Texts"]["ItemProcessor"], "QueryLanguage": "JSONata"}
    for definition in (machine, texts, training):
        yield from ((name, definition["States"][name], definition) for name in ENDS if name in definition["States"])


TASKS = {name: (state, definition) for name, state, definition in list_tasks()}
BUSY = {"InternalServerException", "ResourceUnavailableException", "TooManyRequestsException"}


def test_looks_at_every_new_task() -> None:
    assert TASKS.keys() == ENDS.keys()


@pytest.mark.parametrize("name", ENDS)
def test_tries_again_what_passes_and_deletes_the_endpoint_for_everything_else(name: str) -> None:
    state, definition = TASKS[name]
    _, operation = split(state)
    given = {"Text": "t", "Classes": "c", "Endpoint": "e", **TRAINING}
    for error in (*list_declared(state), "States.Timeout", "States.TaskFailed"):
        found = Walker(definition, given, {**VARIABLES, **FURTHER}).walk(name, [StateFailedError(error, "no")], {})
        said = error.partition(".")[2]
        if name == "Delete Endpoint" and said == "ResourceNotFoundException":
            assert (found.tries, found.way) == (1, "Gather")
        else:
            again = said in BUSY or (name == "Delete Endpoint" and said == "ResourceInUseException")
            assert (error, found.tries, found.way) == (error, 41 if again else 1, ENDS[name]), operation
