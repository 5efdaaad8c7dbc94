"""Documents read by the state machine, executed by the engine's interpreter with the functions' own code."""

import asyncio
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import polars
import pytest
from aws_cdk.assertions import Template

from headrace.doctor.tasks import list_services
from headrace.errors import HeadraceError
from headrace.local.engine.asl.callbacks import Callbacks
from headrace.local.engine.asl.definition.checker import check_definition
from headrace.local.engine.asl.execution import Execution, Identity
from headrace.local.engine.asl.failures import StateFailedError
from headrace.local.engine.asl.surroundings import ItemSource, TaskCall
from headrace.local.sagemaker.validation import load_service_model, validate_request
from lambdas.documents.classes import list_texts
from lambdas.documents.gathering import gather
from lambdas.documents.store import Store
from lambdas.documents.surveying import Limits, survey
from lambdas.documents.unpacking import Sizes, unpack
from tests.document_services import COMPREHEND, PDF, MemoryS3, make_answer, make_blocks
from tests.headrace.local.engine.asl.virtual import VirtualClock, run_virtually
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import list_stacks, parse_definition
from tests.stacks.executions import EXECUTIONS, fill_tokens

EVERYTHING: Mapping[str, Any] = {
    "features": ["tables", "forms", "queries"],
    "questions": ["What is the total?"],
    "insights": ["entities", "key_phrases", "sentiment", "syntax"],
}
TEXT_ALONE: Mapping[str, Any] = {"insights": []}
BUSY = StateFailedError("Textract.ThrottlingException", "Rate exceeded")
BAD = StateFailedError("Textract.BadDocumentException", "Textract cannot read the document")
LINES = ("Any Company sent the invoice", "Total: 12.50")


@cache
def _make(settings: str) -> Template:
    return template_with("Documents", "dev", {"documents": json.loads(settings)})


def make(settings: Mapping[str, Any] = EVERYTHING) -> Template:
    return _make(json.dumps(settings))


def read_machine(settings: Mapping[str, Any] = EVERYTHING, called: str = "StateMachine") -> dict[str, Any]:
    machines = make(settings).find_resources("AWS::StepFunctions::StateMachine")
    (machine,) = (machine for name, machine in machines.items() if name.startswith(called))
    return fill_tokens(parse_definition(machine))


class Services:
    """Everything that the state machine calls.

    Args:
        documents: The bytes of the documents, by their keys.
        faults: The failures that a state meets, one after the other, with the documents whose keys have this text.
        failing: The keys of the documents whose jobs fail.
        limits: What an execution may read.
    """

    def __init__(
        self,
        documents: Mapping[str, bytes],
        faults: Sequence[tuple[str, str, StateFailedError]] = (),
        failing: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> None:
        self.s3, self.callbacks = MemoryS3(), Callbacks()
        for key, content in documents.items():
            self.s3.put("filled", key, content)
        self._store = Store(self.s3, raw="filled", work="filled")
        self._limits = limits or Limits(documents=1000, pages=1000, page_usd=0.07)
        self._faults = list(faults)
        self._failing = failing
        self.requests: list[tuple[str, Mapping[str, Any]]] = []
        self.jobs: dict[str, str] = {}

    async def run(self, call: TaskCall) -> Any:
        # Tasks of several documents take turns.
        await asyncio.sleep(0)
        if call.resource.endswith("lambda:invoke"):
            return {"Payload": self._invoke(call.arguments["Payload"])}
        _, service, operation = call.resource.removesuffix(".waitForTaskToken").rsplit(":", 2)
        # Those of the Map state are Step Functions' own.
        if "/map/" not in str(call.arguments.get("Key")):
            self.requests.append((f"{service}:{operation}", call.arguments))
        for fault in self._faults:
            state, text, failure = fault
            if state == call.state and text in json.dumps(call.arguments):
                self._faults.remove(fault)
                raise failure
        if service == "s3":
            return self._use_s3(operation, call)
        if service == "comprehend":
            return COMPREHEND[operation[:1].upper() + operation[1:]]
        return self._read(operation, call.arguments)

    def _invoke(self, event: Mapping[str, Any]) -> Any:
        if "Failure" in event:
            raise StateFailedError(event["Failure"]["Error"], event["Failure"]["Cause"])
        try:
            match event["Action"]:
                case "survey":
                    return survey(self._store, self._limits, event["Prefix"], event["Name"], event["Started"])
                case "unpack":
                    sizes = Sizes(piece=event["PieceBytes"], text=event["TextBytes"])
                    return unpack(self._store, event["Folder"], event["JobId"], sizes)
                case "list_texts":
                    return list_texts(self._store, event["Name"])
                case _:
                    return gather(self._store, event["Name"], event["MapResults"], event.get("Classification"))
        except HeadraceError as error:
            said = {"errorMessage": str(error), "errorType": type(error).__name__}
            raise StateFailedError(type(error).__name__, json.dumps(said)) from None

    def _use_s3(self, operation: str, call: TaskCall) -> Any:
        place = call.arguments["Bucket"], call.arguments["Key"]
        if operation == "getObject":
            return {"Body": self.s3.objects[place].decode()}
        body = call.arguments["Body"]
        self.s3.put(*place, body.encode() if isinstance(body, str) else body)
        if call.token:
            assert body == {"Task": call.token}
            job = place[1].rpartition("/")[2]
            status = "FAILED" if self.jobs[job] in self._failing else "SUCCEEDED"
            self.callbacks.find(call.token).send({"Status": status})
        return {}

    def _read(self, operation: str, request: Mapping[str, Any]) -> Any:
        if operation.startswith("get"):
            return {"JobStatus": "FAILED", "StatusMessage": "the pages are blurred"}
        key = request["DocumentLocation"]["S3Object"]["Name"]
        job = request["ClientRequestToken"]
        self.jobs[job] = key
        folder = f"{request['OutputConfig']['S3Prefix']}/{job}/"
        self.s3.put("filled", f"{folder}.s3_access_check", b"")
        self.s3.put("filled", f"{folder}1", make_answer(make_blocks(*LINES)))
        return {"JobId": job}

    async def read_items(self, source: ItemSource) -> list[Any]:
        items: list[Any] = self.s3.read(source.arguments["Bucket"], source.arguments["Key"])
        return items

    async def begin_map_run(self, run: Any) -> None:
        """Nothing keeps records of it."""


STARTED = datetime(2026, 1, 1, tzinfo=UTC)


def execute(
    services: Services,
    given: Any = None,
    settings: Mapping[str, Any] = EVERYTHING,
    started: datetime = STARTED,
    called: str = "StateMachine",
) -> Execution:
    execution = Execution(
        check_definition(json.dumps(read_machine(settings, called))),
        given or {},
        identity=Identity(
            arn=f"{EXECUTIONS}:run-1",
            name="run-1",
            role_arn="role",
            machine_arn="machine",
            machine_name="machine",
            started=started,
        ),
        tasks=services,
        clock=VirtualClock(),
        callbacks=services.callbacks,
        events=[],
    )
    run_virtually(execution.run())
    return execution


def read_report(services: Services) -> dict[str, Any]:
    report: dict[str, Any] = services.s3.read("filled", "documents/run-1/results/report.json")
    return report


def read_lines(services: Services) -> list[dict[str, Any]]:
    text = services.s3.objects["filled", "documents/run-1/results/documents.jsonl"].decode()
    return [json.loads(line) for line in text.splitlines()]


def read_table(services: Services, name: str) -> polars.DataFrame:
    return polars.read_parquet(io.BytesIO(services.s3.objects["filled", f"documents/run-1/results/{name}.parquet"]))


def make_documents(count: int) -> dict[str, bytes]:
    return {f"documents/{number:03}.pdf": PDF for number in range(count)}


def test_is_not_there_unless_the_settings_ask_for_it() -> None:
    assert "Documents" not in (*list_stacks("dev"), *list_stacks("prod"))


def test_reads_every_document_and_accounts_for_those_that_it_cannot_read() -> None:
    documents = make_documents(9) | {"documents/empty.pdf": b"", "documents/": b""}
    throttled = [("Start Reading", "", BUSY)] * 12
    faults = [*throttled, ("Start Reading", "/003.pdf", BAD)]
    services = Services(documents, faults, failing=["documents/005.pdf"])

    execution = execute(services)

    assert execution.status == "SUCCEEDED", execution.cause
    told = {"Documents": 10, "Read": 7, "PartlyRead": 0, "NotRead": 3, "Pages": 9}
    assert {name: execution.output[name] for name in told} == told
    assert execution.output["EstimatedUsd"] == round(9 * 0.07, 2)
    report = read_report(services)
    assert report["Reasons"] == {
        "documents/003.pdf": "Textract.BadDocumentException: Textract cannot read the document",
        "documents/005.pdf": "TextractJobFailed: the pages are blurred",
        "documents/empty.pdf": "UnreadableDocumentError: the document is empty",
    }
    kinds = Counter(finding["kind"] for line in read_lines(services) for finding in line["findings"])
    assert kinds == {"line": 14, "entity": 7, "key_phrase": 7, "sentiment": 7, "token": 7}


def test_writes_the_same_results_as_lines_and_as_tables() -> None:
    services = Services(make_documents(2) | {"documents/a.txt": b"text"})

    execute(services)

    lines, table = read_lines(services), read_table(services, "documents")
    assert (
        table["document"].to_list() == [line["document"] for line in lines] == [*make_documents(2), "documents/a.txt"]
    )
    assert table["status"].to_list() == ["READ", "READ", "NOT_READ"]
    assert table["language"].to_list() == ["en", "en", ""]
    findings = [{"document": line["document"], **finding} for line in lines for finding in line["findings"]]
    assert read_table(services, "findings").to_dicts() == findings
    assert findings[1] == {
        "document": "documents/000.pdf",
        "kind": "line",
        "place": "page 1",
        "name": "",
        "value": "Total: 12.50",
        "score": 0.995,
    }


class NoList(Services):
    """The list of documents cannot be read."""

    async def read_items(self, source: ItemSource) -> list[Any]:
        raise StateFailedError("States.ItemReaderFailed", f"{source.arguments['Key']} is denied")


class NoResults(Services):
    """What becomes of the documents cannot be kept."""

    async def run(self, call: TaskCall) -> Any:
        if "/map/" in str(call.arguments.get("Key")):
            raise StateFailedError("S3.S3Exception", f"{call.arguments['Key']} is denied")
        return await super().run(call)


@pytest.mark.parametrize("services", [NoList, NoResults])
def test_fails_when_the_list_cannot_be_read_or_the_results_cannot_be_kept(services: type[Services]) -> None:
    execution = execute(services(make_documents(1)))

    assert (execution.status, execution.error) == ("FAILED", "ReadDocumentsFailed")
    assert "is denied" in str(execution.cause)


class OddAnswers(Services):
    """Comprehend answers one text as its API does not, and refuses another."""

    async def run(self, call: TaskCall) -> Any:
        answer = await super().run(call)
        if call.resource.endswith(":detectEntities"):
            return {"Entities": [{"Type": "DATE"}, *answer["Entities"]]}
        return {} if call.resource.endswith(":detectSyntax") else answer


def test_keeps_what_was_found_when_one_answer_of_comprehend_is_odd() -> None:
    refused = StateFailedError("Comprehend.TextSizeLimitExceededException", "Input text size exceeds limit")
    services = OddAnswers(make_documents(2), [("Find Sentiment", "", refused)])

    execution = execute(services)

    assert (execution.status, execution.output["PartlyRead"]) == ("SUCCEEDED", 2)
    first, second = read_lines(services)
    kinds = [Counter(finding["kind"] for finding in line["findings"]) for line in (first, second)]
    assert sorted(each["sentiment"] for each in kinds) == [0, 1]
    assert all(each["line"] == 2 and each["entity"] == 1 and each["key_phrase"] == 1 for each in kinds)
    assert first["status"] == second["status"] == "PARTLY_READ"
    reasons = read_report(services)["Reasons"]
    assert "3 questions" not in str(reasons)
    assert "TextSizeLimitExceededException: Input text size exceeds limit" in str(reasons)
    assert "piece 0, Entities: Comprehend's answer does not have its API's shape: it lacks 'Text'" in first["notes"]


class BrokenResults(Services):
    """What was unpacked of one document is gone when the results are put together, and of another it is no JSON."""

    def _invoke(self, event: Mapping[str, Any]) -> Any:
        if event.get("Action") == "gather":
            del self.s3.objects["filled", "documents/run-1/0/answer.json"]
            self.s3.put("filled", "documents/run-1/1/pieces/0.json", b"{")
        return super()._invoke(event)


def test_puts_the_results_of_others_together_when_those_of_one_cannot_be_read() -> None:
    services = BrokenResults(make_documents(3))

    execution = execute(services)

    assert execution.status == "SUCCEEDED", execution.cause
    assert [line["status"] for line in read_lines(services)] == ["NOT_READ", "PARTLY_READ", "READ"]
    assert "answer.json is not there" in read_report(services)["Reasons"]["documents/000.pdf"]


class LostNotices(Services):
    """No notice reaches the state machine; Textract needs a while, and says how its jobs stand when it is asked."""

    def __init__(self, documents: Mapping[str, bytes], answers: Sequence[str]) -> None:
        super().__init__(documents)
        self._answers = list(answers)

    async def run(self, call: TaskCall) -> Any:
        if call.token:
            self.requests.append(("s3:putObject", call.arguments))
            await asyncio.sleep(10**6)
        return await super().run(call)

    def _read(self, operation: str, request: Mapping[str, Any]) -> Any:
        if operation.startswith("get"):
            return {"JobStatus": self._answers.pop(0)}
        return super()._read(operation, request)


@pytest.mark.parametrize(
    ("answers", "read", "reason"),
    [
        (["SUCCEEDED"], 1, {}),
        (["IN_PROGRESS", "PARTIAL_SUCCESS"], 1, {}),
        (
            ["IN_PROGRESS"] * 8,
            0,
            {"documents/000.pdf": "TextractTookTooLong: its job has not ended within 120 minutes"},
        ),
        (["FAILED"], 0, {"documents/000.pdf": "TextractJobFailed: Textract gives no reason"}),
    ],
)
def test_reads_what_was_paid_for_when_its_notice_is_lost(answers: list[str], read: int, reason: Any) -> None:
    services = LostNotices(make_documents(1), answers)

    execution = execute(services)

    assert (execution.output["Read"], read_report(services)["Reasons"]) == (read, reason)
    assert sum(name == "textract:startDocumentAnalysis" for name, _ in services.requests) == 1
    assert sum(name == "textract:getDocumentAnalysis" for name, _ in services.requests) == len(answers)


class Throttled(Services):
    """Comprehend answers so many requests a second, and throttles all others.

    Args:
        documents: As ever.
        a_second: How many.
    """

    def __init__(self, documents: Mapping[str, bytes], a_second: int) -> None:
        super().__init__(documents)
        self._a_second = a_second
        self._second, self._asked, self.refused = -1, 0, 0

    async def run(self, call: TaskCall) -> Any:
        if ":comprehend:" in call.resource:
            await asyncio.sleep(0.2)
            second = int(asyncio.get_running_loop().time())
            self._asked = self._asked + 1 if second == self._second else 1
            self._second = second
            if self._asked > self._a_second:
                self.refused += 1
                raise StateFailedError("Comprehend.ThrottlingException", "Rate exceeded")
        return await super().run(call)


def test_leaves_nothing_out_when_comprehend_is_asked_more_than_it_answers() -> None:
    services = Throttled(make_documents(30), a_second=1)

    execution = execute(services, settings={**EVERYTHING, "language": "en", "concurrency": 30})

    assert services.refused > 30
    assert (execution.output["Read"], execution.output["PartlyRead"]) == (30, 0)


def test_refuses_a_name_whose_earlier_results_are_still_there() -> None:
    services = Services(make_documents(1))
    execute(services)

    again = execute(services, started=datetime(2026, 6, 1, tzinfo=UTC))

    assert (again.status, again.error) == ("FAILED", "SurveyFailed")
    assert "an earlier execution of this name has left documents/run-1/" in str(again.cause)
    assert execute(services).status == "SUCCEEDED"


def test_refuses_more_pages_than_allowed_before_anything_that_costs() -> None:
    services = Services(make_documents(3), limits=Limits(documents=9, pages=2, page_usd=0.5))

    execution = execute(services)

    assert (execution.status, execution.error, services.requests) == ("FAILED", "SurveyFailed", [])
    assert str(execution.cause).startswith(
        "the documents below documents/ have 3 pages, which cost about 1.50 USD, and documents.most_pages allows 2; "
    )


def test_refuses_more_documents_than_allowed_before_it_looks_into_them() -> None:
    execution = execute(Services(make_documents(3), limits=Limits(documents=2, pages=9, page_usd=1)))

    assert "there are more than 2 documents below documents/" in str(execution.cause)


@pytest.mark.parametrize("given", [{"Prefix": "secrets/"}, {"Prefix": 1}, {"Folder": "documents/"}])
def test_refuses_a_prefix_of_other_data_and_keys_that_it_does_not_know(given: Any) -> None:
    execution = execute(Services(make_documents(1)), given)

    assert (execution.status, execution.error) == ("FAILED", "InvalidInput")


def test_reads_the_documents_below_a_prefix_alone() -> None:
    services = Services(make_documents(1) | {"documents/2026/a.pdf": PDF})

    execution = execute(services, {"Prefix": "documents/2026/"})

    assert (execution.output["Documents"], execution.output["Prefix"]) == (1, "documents/2026/")


def test_writes_results_when_no_document_can_be_read() -> None:
    services = Services({"documents/empty.pdf": b""})

    execution = execute(services)

    assert (execution.status, execution.output["NotRead"]) == ("SUCCEEDED", 1)
    assert services.requests == []
    assert read_table(services, "findings").height == 0


def test_asks_comprehend_nothing_where_the_settings_want_nothing_from_it() -> None:
    services = Services(make_documents(1))

    execution = execute(services, settings=TEXT_ALONE)

    assert execution.output["Read"] == 1
    assert [name for name, _ in services.requests] == ["textract:startDocumentTextDetection", "s3:putObject"]


def test_calls_the_services_that_the_doctor_looks_for_in_the_region() -> None:
    assert list_services(read_machine()) == {"comprehend", "s3", "textract"}
    assert list_services(read_machine(TEXT_ALONE)) == {"s3", "textract"}


def test_every_request_is_one_that_the_api_allows() -> None:
    services = Services(make_documents(2), failing=["documents/001.pdf"])
    execute(services)

    asked = Counter[str]()
    for name, request in services.requests:
        service, _, operation = name.partition(":")
        model = load_service_model(service).operation_model(operation[:1].upper() + operation[1:])
        if service != "s3":
            text = json.dumps(request).replace('"SnsTopicArn": "filled"', f'"SNSTopicArn": "{ARN}"')
            validate_request(model.input_shape, json.loads(text.replace('"RoleArn": "filled"', f'"RoleArn": "{ROLE}"')))
        assert request.keys() <= model.input_shape.members.keys() | {"KmsKeyId"}
        asked[name] += 1
    assert asked == {
        "textract:startDocumentAnalysis": 2,
        "textract:getDocumentAnalysis": 1,
        "comprehend:detectDominantLanguage": 1,
        "comprehend:detectEntities": 1,
        "comprehend:detectKeyPhrases": 1,
        "comprehend:detectSentiment": 1,
        "comprehend:detectSyntax": 1,
        "s3:getObject": 1,
        "s3:putObject": 3,
    }


ARN = "arn:aws:sns:eu-west-1:123456789012:notices"
ROLE = "arn:aws:iam::123456789012:role/publisher"
