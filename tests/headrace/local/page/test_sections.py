"""What the sections show of what the services say, however hostile that is."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.images.errors import NormalizedImageRefusedError
from headrace.local.calls import Call, CallCount
from headrace.local.page.answers import Answer, PageError
from headrace.local.page.forms import Form
from headrace.local.page.rendering import View
from headrace.local.page.requests import Request
from headrace.local.page.section import Section
from headrace.local.page.sections.bill import BillSection
from headrace.local.page.sections.calls import Calls
from headrace.local.page.sections.endpoints import Endpoints
from headrace.local.page.sections.executions import Executions
from headrace.local.page.sections.inventory import Inventory
from headrace.local.page.sections.jobs import Jobs, chart_metrics
from headrace.local.page.sections.overview import Facts, Overview
from headrace.local.page.sections.photographs import Photographs
from headrace.local.page.sections.registry import Registry
from headrace.local.page.sessions import Session
from tests.headrace.local.page.conftest import HOSTILE, Services, check_is_harmless, render

NOW = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:train"
EXECUTION = MACHINE.replace("stateMachine", "execution") + ":run"
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20
UNKNOWN = ClientError({"Error": {"Code": "UnknownOperationException", "Message": "not served"}}, "Operation")
# What Step Functions takes as a name, and what a program may say.
DEFINITION = '{"StartAt": "<b>\\"&", "States": {"<b>\\"&": {"Type": "Pass", "End": true}}}'


def make_execution(**changes: Any) -> dict[str, Any]:
    return {
        "executionArn": EXECUTION,
        "name": HOSTILE,
        "stateMachineArn": MACHINE,
        "status": "FAILED",
        "startDate": NOW,
        "stopDate": NOW + timedelta(seconds=61),
        "error": HOSTILE,
        "cause": HOSTILE,
        "input": f'["{HOSTILE[2:20]}"]',
        **changes,
    }


EVENTS = [
    {"id": 1, "previousEventId": 0, "type": "ExecutionStarted", "timestamp": NOW},
    {
        "id": 2,
        "previousEventId": 1,
        "type": "PassStateEntered",
        "timestamp": NOW,
        "stateEnteredEventDetails": {"name": HOSTILE},
    },
    {
        "id": 3,
        "previousEventId": 2,
        "type": "ExecutionFailed",
        "timestamp": NOW + timedelta(seconds=61),
        "executionFailedEventDetails": {"error": HOSTILE, "cause": HOSTILE},
    },
]
STREAM = {"logStreams": [{"logStreamName": "job/one"}]}
LINES = [
    {"timestamp": 1_795_000_000_000, "message": f"{HOSTILE} loss=0"},
    {"timestamp": 1_795_000_000_500, "message": f"{HOSTILE} loss=1"},
]
LOG = {
    "events": [
        {"timestamp": 1_795_000_000_000 + 500 * number, "message": f"{HOSTILE} loss={number}"} for number in (0, 1)
    ],
    "nextBackwardToken": "b/1",
    "nextForwardToken": "f/1",
}
TRAINING = {
    "TrainingJobName": HOSTILE,
    "TrainingJobStatus": "Failed",
    "FailureReason": HOSTILE,
    "CreationTime": NOW,
    "AlgorithmSpecification": {"MetricDefinitions": [{"Name": HOSTILE, "Regex": "loss=([0-9.]+)"}]},
    "FinalMetricDataList": [{"MetricName": HOSTILE, "Value": 1054.123456789, "Timestamp": NOW}],
    "HyperParameters": {HOSTILE: HOSTILE},
}
ENDPOINT = {
    "EndpointName": HOSTILE,
    "EndpointStatus": "Updating",
    "EndpointConfigName": HOSTILE,
    "FailureReason": HOSTILE,
    "CreationTime": NOW,
    "LastModifiedTime": NOW,
    "PendingDeploymentSummary": {"EndpointConfigName": HOSTILE},
}
CONFIG = {"ProductionVariants": [{"VariantName": HOSTILE, "ModelName": HOSTILE, "InstanceType": HOSTILE}]}
MODEL = {"PrimaryContainer": {"ModelPackageName": HOSTILE}}
VERSION = {
    "ModelPackageArn": HOSTILE,
    "ModelPackageVersion": 3,
    "ModelApprovalStatus": "PendingManualApproval",
    "CreationTime": NOW,
}
STACKS = {
    "Stacks": [
        {
            "StackName": "headrace-dev-storage",
            "StackStatus": HOSTILE,
            "Outputs": [
                {"OutputKey": "RawBucketName", "OutputValue": "raw"},
                {"OutputKey": "NormalizerUrl", "OutputValue": "http://127.0.0.1/x/"},
            ],
        }
    ]
}


USED = {
    "since": NOW.isoformat(),
    "until": (NOW + timedelta(days=1)).isoformat(),
    "uses": [{"price": HOSTILE, "thing": HOSTILE, "quantity": 2.0}],
}
CALLS = [
    CallCount(
        call=Call(principal="arn:aws:iam::000000000000:role/ml", action=HOSTILE, resource=HOSTILE, is_allowed=False),
        count=2,
        last=NOW,
    )
]


def list_of(name: str, key: str) -> dict[str, Any]:
    summary = {f"{name}Name": HOSTILE, f"{name}Status": "InProgress", "CreationTime": NOW, "LastModifiedTime": NOW}
    return {key: [summary], "ResponseMetadata": {}}


ANSWERS: Mapping[str, Any] = {
    "list_state_machines": {"stateMachines": [{"name": "train", "stateMachineArn": MACHINE}]},
    "list_executions": {"executions": [make_execution()]},
    "describe_execution": make_execution(),
    "get_execution_history": {"events": EVENTS},
    "describe_state_machine": {"definition": DEFINITION},
    "describe_state_machine_for_execution": {"definition": DEFINITION},
    "list_training_jobs": list_of("TrainingJob", "TrainingJobSummaries"),
    "list_processing_jobs": list_of("ProcessingJob", "ProcessingJobSummaries"),
    "list_transform_jobs": UNKNOWN,
    "describe_training_job": TRAINING,
    "describe_log_streams": STREAM,
    "get_log_events": LOG,
    "list_endpoints": list_of("Endpoint", "Endpoints"),
    "describe_endpoint": ENDPOINT,
    "describe_endpoint_config": CONFIG,
    "describe_model": MODEL,
    "describe_stacks": STACKS,
    "list_roles": {"Roles": [{"RoleName": HOSTILE}]},
    "list_objects_v2": {"Contents": [{"Key": f"{HOSTILE}.JPG"}, {"Key": "rows.csv"}]},
    "list_model_package_groups": {"ModelPackageGroupSummaryList": [{"ModelPackageGroupName": HOSTILE}]},
    "list_model_packages": {"ModelPackageSummaryList": [VERSION]},
    "describe_model_package": {
        **VERSION,
        "ApprovalDescription": HOSTILE,
        "CustomerMetadataProperties": {HOSTILE: HOSTILE, f"metric:{HOSTILE}": HOSTILE},
        "InferenceSpecification": {"Containers": [{"Image": HOSTILE, "ImageDigest": HOSTILE, "ModelDataUrl": HOSTILE}]},
    },
}


def make_sections(services: Services) -> dict[str, Section]:
    sections: list[Section] = [
        Overview(services, Facts(4566, True, "{}")),
        Executions(services),
        Jobs(services),
        Endpoints(services, iter(range(100)).__next__),
        Photographs(services, lambda *_: Normalizer()),
        Registry(services),
        Inventory(services),
        BillSection(lambda: USED),
        Calls(services, lambda: CALLS, lambda *_: [(HOSTILE, HOSTILE)]),
    ]
    return {section.name: section for section in sections}


class Normalizer:
    """Has one normalized image."""

    def read(self, key: str) -> bytes:
        if key != "a.jpg":
            raise NormalizedImageRefusedError(key, "NoSuchKey", HOSTILE)
        return JPEG


def ask(
    path: str, services: Services | None = None, form: Form | None = None, query: Mapping[str, str] | None = None
) -> Any:
    segments = tuple(path.split("/"))
    sections = make_sections(services or Services(ANSWERS))
    return sections[segments[0]].answer(Request(session=Session(), segments=segments, query=query or {}, form=form))


def show(path: str, services: Services | None = None, form: Form | None = None, **query: str) -> str:
    view = ask(path, services, form, query)
    assert isinstance(view, View)
    return check_is_harmless(render(view, *path.split("/"))).said


@pytest.mark.parametrize(
    "path",
    [
        "overview",
        "executions",
        "executions/train",
        "executions/train/run",
        "jobs",
        "jobs/training/job",
        "endpoints",
        "endpoints/shop",
        "photographs",
        "registry",
        "registry/sales/3",
        "bill",
        "calls",
        "calls/ml",
    ],
)
def test_shows_hostile_names_lines_and_causes_as_text(path: str) -> None:
    said = show(path)

    assert "onerror=alert(1)" in said
    assert "<script>alert(2)</script>" in said


@pytest.mark.parametrize(
    "path",
    [
        "overview/x",
        "executions/other",
        "executions/train/run/x",
        "jobs/other/x",
        "jobs/training",
        "endpoints/a/b",
        "photographs/other",
        "registry/sales",
        "registry/sales/9",
        "inventory/x",
        "bill/x",
        "calls/a/b",
    ],
)
def test_says_what_is_not_there(path: str) -> None:
    with pytest.raises(PageError) as refused:
        ask(path)

    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("path", "operation", "code"),
    [
        ("jobs/training/gone", "describe_training_job", "ValidationException"),
        ("jobs/processing/gone", "describe_processing_job", "ValidationException"),
        ("jobs/transform/gone", "describe_transform_job", "ResourceNotFound"),
        ("endpoints/gone", "describe_endpoint", "ValidationException"),
        ("executions/train/gone", "describe_execution", "ExecutionDoesNotExist"),
        ("registry/gone/3", "list_model_packages", "ValidationException"),
        ("registry/sales/3", "describe_model_package", "ValidationException"),
    ],
)
def test_says_what_the_services_do_not_find(path: str, operation: str, code: str) -> None:
    missing = ClientError({"Error": {"Code": code, "Message": HOSTILE}}, operation)

    with pytest.raises(PageError) as refused:
        ask(path, Services({**ANSWERS, operation: missing}))

    assert refused.value.status == 404


def test_leaves_other_answers_of_the_services_as_they_are() -> None:
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeTrainingJob")

    with pytest.raises(ClientError):
        ask("jobs/training/denied", Services({**ANSWERS, "describe_training_job": denied}))


def test_names_an_execution_that_is_not_there() -> None:
    gone = ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": ""}}, "DescribeExecution")

    with pytest.raises(PageError, match="train has no execution 'run'"):
        ask("executions/train/run", Services({**ANSWERS, "describe_execution": gone}))


def test_looks_again_while_an_execution_runs_and_no_longer() -> None:
    running = make_execution(status="RUNNING", stopDate=None, error="", cause="")

    assert ask("executions/train/run").refresh_seconds is None
    assert ask("executions/train/run", Services({**ANSWERS, "describe_execution": running})).refresh_seconds == 1


def test_says_why_a_definition_is_not_drawn() -> None:
    said = show("executions/train", Services({**ANSWERS, "describe_state_machine": {"definition": "<script>"}}))

    assert "not JSON" in said


def test_leaves_out_kinds_that_the_cloud_does_not_have() -> None:
    said = show("jobs")

    assert "Training jobs" in said
    assert "Transform jobs" not in said
    assert "no model registry" in show("registry", Services({**ANSWERS, "list_model_package_groups": UNKNOWN}))


def test_draws_metrics_of_one_quantity_together() -> None:
    definitions = [{"Name": name, "Regex": f"{name}=([^ ]+)"} for name in ("train:loss", "test:loss", "test:rmse")]
    lines = [(NOW + timedelta(seconds=n), f"train:loss={n} test:loss=nan test:rmse=1e999") for n in range(3)]
    lines.append((NOW + timedelta(seconds=4), "test:loss=0.5"))

    (chart,) = chart_metrics(definitions, lines)

    assert chart.title == "loss"
    assert [(one.name, list(one.points)) for one in chart.series] == [
        ("train:loss", [(0, 0), (1, 1), (2, 2)]),
        ("test:loss", [(4, 0.5)]),
    ]


def test_leads_to_older_lines_of_a_long_log() -> None:
    many = {**LOG, "events": LINES * 100}

    assert "Older lines" not in show("jobs/training/job")
    assert "Older lines" in show("jobs/training/job", Services({**ANSWERS, "get_log_events": many}))
    assert "Newer lines" in show("jobs/training/job", token="b/1")


ROWS = {"row": "1,2\r\n", "content_type": "text/csv", "accept": "application/json"}


def answer_with(body: bytes) -> Mapping[str, Any]:
    return {**ANSWERS, "invoke_endpoint": {"Body": BytesIO(body), "ContentType": "text/html", "ResponseMetadata": {}}}


def test_shows_an_answer_as_text_with_its_type_and_time() -> None:
    services = Services(answer_with(b"<h1>\xff</h1>"))
    said = show("endpoints/shop", services, Form(ROWS))

    assert "<h1>\\xff</h1>" in said
    assert "10 B of text/html" in said
    assert "Took 1.0 s" in said
    sent = next(request for operation, request in services.asked if operation == "invoke_endpoint")
    assert (sent["Body"], sent["ContentType"], sent["Accept"]) == (b"1,2\n", "text/csv", "application/json")


def test_sends_a_photograph_as_what_it_is() -> None:
    services = Services(answer_with(b"{}"))
    show("endpoints/shop", services, Form(ROWS, {"photograph": JPEG}))

    sent = next(request for operation, request in services.asked if operation == "invoke_endpoint")
    assert (sent["Body"], sent["ContentType"]) == (JPEG, "application/x-image")


def test_shows_why_there_is_no_answer() -> None:
    failed = ClientError({"Error": {"Code": "ModelError", "Message": HOSTILE}}, "InvokeEndpoint")

    assert "ModelError" in show("endpoints/shop", Services({**ANSWERS, "invoke_endpoint": failed}), Form(ROWS))


@pytest.mark.parametrize(
    "change",
    [
        lambda: Form({**ROWS, "row": " "}),
        lambda: Form({**ROWS, "content_type": "text/html\r\nx: y"}),
        lambda: Form({**ROWS, "accept": "text/html"}),
        lambda: Form(ROWS, {"photograph": b"<svg onload=alert(1)>"}),
        lambda: Form(),
    ],
    ids=["empty", "content type", "accept", "no photograph", "nothing"],
)
def test_sends_no_question_that_it_does_not_offer(change: Callable[[], Form]) -> None:
    with pytest.raises(PageError) as refused:
        ask("endpoints/shop", form=change())

    assert refused.value.status == 422


def fetch(part: str, content: bytes, key: str = "a.jpg") -> Answer:
    found = {"Body": BytesIO(content), "ContentLength": len(content), "ContentType": "text/html"}
    answer = ask(f"photographs/{part}", Services({**ANSWERS, "get_object": found}), query={"key": key})
    assert isinstance(answer, Answer)
    return answer


def test_sends_photographs_as_what_their_bytes_are() -> None:
    assert fetch("original", JPEG) == Answer(JPEG, "image/jpeg")
    assert fetch("normalized", b"") == Answer(JPEG, "image/jpeg")


@pytest.mark.parametrize("content", [b"<html><script>", b"<svg xmlns=x onload=y>", b"", b"II*\0" + b"\0" * 20])
def test_sends_nothing_else_than_photographs_that_browsers_show(content: bytes) -> None:
    with pytest.raises(PageError) as refused:
        fetch("original", content)

    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"width": "0"}, 422),
        ({"fit": "<script>"}, 422),
        ({"environment": "other"}, 404),
        ({"key": "missing.jpg"}, 422),
    ],
)
def test_says_why_there_is_no_normalized_image(query: dict[str, str], status: int) -> None:
    with pytest.raises(PageError) as refused:
        ask("photographs/normalized", query={"key": "a.jpg", **query})

    assert refused.value.status == status


def test_lists_photographs_page_by_page() -> None:
    keys = [{"Key": f"{number:02}.png"} for number in range(20)]
    services = Services({**ANSWERS, "list_objects_v2": {"Contents": keys}})

    assert "More photographs" in show("photographs", services)
    assert "More photographs" not in show("photographs")


@pytest.mark.parametrize(("decision", "status"), [("approve", "Approved"), ("reject", "Rejected")])
def test_decides_about_a_version(decision: str, status: str) -> None:
    services = Services({**ANSWERS, "update_model_package": {}})
    answer = ask("registry/sales/3", services, Form({"decision": decision, "reason": "because"}))

    assert isinstance(answer, Answer)
    assert answer.status == 303
    assert services.asked[-1] == (
        "update_model_package",
        {"ModelPackageArn": HOSTILE, "ModelApprovalStatus": status, "ApprovalDescription": "because"},
    )


@pytest.mark.parametrize("fields", [{}, {"decision": "delete"}, {"decision": "approve", "reason": "x" * 1_025}])
def test_decides_nothing_else(fields: dict[str, str]) -> None:
    with pytest.raises(PageError) as refused:
        ask("registry/sales/3", form=Form(fields))

    assert refused.value.status == 422
