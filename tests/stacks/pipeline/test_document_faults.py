"""Every error that the services declare, in every state of the documents' machine, tried out as TestState does."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from headrace.local.engine.asl.failures import StateFailedError
from headrace.local.sagemaker.validation import load_service_model
from stacks.pipeline.failure import FAILED
from tests.stacks.pipeline.faults import Walk, Walker
from tests.stacks.pipeline.test_documents import read_machine

NOT_READ, PARTLY_READ = "Not Read", "Partly Read"
# What passes by itself, of the errors that the operations declare; everything else would come again.
PASSING = {
    "textract": {
        "InternalServerErrorException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
    },
    "comprehend": {"InternalServerException", "ResourceUnavailableException"},
    "s3": set[str](),
}
TRIES = {"textract": 9, "comprehend": 41, "s3": 5, "lambda": 6}
NAMES = {"textract": "Textract", "comprehend": "Comprehend", "s3": "S3"}
FUNCTION_BUSY = ("Lambda.ServiceException", "Lambda.TooManyRequestsException", "Lambda.SdkClientException")
VARIABLES: Mapping[str, Any] = {
    "document": {"Number": 1, "Key": "documents/a.pdf", "VersionId": "1", "Pages": 1},
    "name": "run-1",
    "folder": "documents/run-1/1/",
    "tokens": "documents/run-1/tokens/",
    "same": "0" * 64,
    "language": "en",
    "note": "",
    "job": "job-1",
    "notice": {"Status": "SUCCEEDED"},
    "why": "blurred",
    "unpacked": {"Pages": 1, "Characters": 40, "Sample": "a text of more than twenty characters", "Pieces": []},
    "piece": "documents/run-1/1/pieces/0",
    "text": "a text",
    "found_Entities": [],
    "found_KeyPhrases": [],
    "found_Sentiment": "NEUTRAL",
    "found_SentimentScore": {},
    "found_SyntaxTokens": [],
    "faults": [],
    "wrong": [],
    "looks": 0,
    "job_name": "run-1",
    "prefix": "documents/",
    "survey": {"Documents": 1, "EstimatedUsd": 0.07, "List": "documents/run-1/list.json"},
    "map_results": {},
}
RESULTS: Mapping[str, Any] = {
    "startDocumentAnalysis": {"JobId": "job-1"},
    "getDocumentAnalysis": {"JobStatus": "FAILED", "StatusMessage": "blurred"},
    "putObject": {"Status": "SUCCEEDED"},
    "getObject": {"Body": "a text"},
    "invoke": {
        "Payload": VARIABLES["unpacked"]
        | {"Documents": 0, "Read": 0, "PartlyRead": 0, "NotRead": 0, "Report": "report.json"}
    },
    "detectDominantLanguage": {"Languages": [{"LanguageCode": "en", "Score": 1}]},
    "detectEntities": {"Entities": []},
    "detectKeyPhrases": {"KeyPhrases": []},
    "detectSentiment": {"Sentiment": "NEUTRAL", "SentimentScore": {}},
    "detectSyntax": {"SyntaxTokens": []},
}


def list_tasks() -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]:
    """Each task's name, where its failures lead, the task and the definition that it is in."""
    machine = read_machine()
    document = machine["States"]["Read Documents"]["ItemProcessor"]
    piece = document["States"]["Understand"]["ItemProcessor"]
    for definition, end in ((machine, FAILED), (document, NOT_READ), (piece, "")):
        for name, state in definition["States"].items():
            if state["Type"] == "Task" and name != FAILED:
                further = {"Find Language": PARTLY_READ, "Read Piece": "Piece Done"}.get(name, end or state["Next"])
                yield name, further, state, {**definition, "QueryLanguage": machine["QueryLanguage"]}


TASKS = {name: (end, state, definition) for name, end, state, definition in list_tasks()}


def split(state: Mapping[str, Any]) -> tuple[str, str]:
    """The service and the operation that a task calls."""
    service, operation = state["Resource"].removesuffix(".waitForTaskToken").split(":")[-2:]
    return service, operation


def list_declared(state: Mapping[str, Any]) -> Iterator[str]:
    """The errors that a task's operation declares, as Step Functions names them."""
    service, operation = split(state)
    if service == "lambda":
        yield from ("AnswerError", "Lambda.Unknown")
        return
    model = load_service_model(service).operation_model(operation[:1].upper() + operation[1:])
    for shape in model.error_shapes:
        yield f"{NAMES[service]}.{shape.name.removesuffix('Exception')}Exception"


def walk(name: str, *answers: Any) -> Walk:
    _, _, definition = TASKS[name]
    return Walker(definition, {"Piece": VARIABLES["piece"]}, VARIABLES).walk(name, answers, {})


def test_looks_at_every_task() -> None:
    assert list(TASKS) == [
        "Survey",
        "Gather",
        "Start Reading",
        "Wait For Notice",
        "Ask Textract",
        "Unpack",
        "Find Language",
        "Read Piece",
        "Find Entities",
        "Find Key Phrases",
        "Find Sentiment",
        "Find Syntax",
        "Keep Piece",
    ]


@pytest.mark.parametrize("name", TASKS)
def test_tries_again_what_passes_and_lists_the_document_for_everything_else(name: str) -> None:
    end, state, _ = TASKS[name]
    service, _ = split(state)
    timeout = [] if name == "Wait For Notice" else ["States.Timeout"]

    for error in (*list_declared(state), *timeout, "States.TaskFailed"):
        passes = error.partition(".")[2] in PASSING.get(service, set())
        found = walk(name, StateFailedError(error, "refused"))
        assert (error, found.tries, found.way) == (error, TRIES[service] if passes else 1, end)


@pytest.mark.parametrize("name", TASKS)
def test_goes_on_after_errors_that_no_operation_declares(name: str) -> None:
    _, state, _ = TASKS[name]
    service, operation = split(state)
    unnamed = ("{0}.{0}Exception", "{0}.ThrottlingException", "{0}.SdkClientException")
    errors = FUNCTION_BUSY if service == "lambda" else [error.format(NAMES[service]) for error in unnamed]

    for error in errors:
        failure = StateFailedError(error, "Rate exceeded")
        found = walk(name, failure, failure, RESULTS[operation])
        assert (error, found.tries, found.way) == (error, 3, state["Next"])


def test_asks_textract_itself_when_a_notice_is_late() -> None:
    found = walk("Wait For Notice", StateFailedError("States.Timeout", ""))

    assert (found.tries, found.way) == (1, "Ask Textract")


def test_waits_for_comprehend_for_most_of_an_hour_when_all_of_the_account_asks_it() -> None:
    found = walk("Find Sentiment", StateFailedError("Comprehend.ThrottlingException", "Rate exceeded"))

    assert 2700 < found.seconds < 3600


@pytest.mark.parametrize("name", ["Survey", "Gather"])
def test_ends_with_the_name_of_the_state_that_failed(name: str) -> None:
    found = walk(name, StateFailedError("StoreError", '{"errorMessage": "the list is not there"}'))

    assert (found.tries, found.way, found.error) == (1, FAILED, f"{name}Failed")


def test_every_task_has_a_time_limit_a_retrier_and_a_catcher_for_everything() -> None:
    for name, (_, state, _) in TASKS.items():
        assert state["TimeoutSeconds"] > 0, name
        assert state["Retry"], name
        assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
