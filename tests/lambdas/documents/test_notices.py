"""Textract's notices reach the tasks that wait for them, in whichever order the notice and the token come."""

import json
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.document_services import MemoryS3

NOTICE = {"JobId": "job-1", "Status": "SUCCEEDED", "API": "StartDocumentAnalysis", "JobTag": "run-1"}
PLACE = ("work", "documents/run-1/tokens/job-1")


@pytest.fixture
def notices(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, whose clients are made when it is imported."""
    for name, value in (
        ("DOCUMENTS_WORK_BUCKET", "work"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ):
        monkeypatch.setenv(name, value)
    from lambdas.documents import notices as module

    return module


class States:
    """As much of Step Functions' client as is used."""

    def __init__(self, error: str = "") -> None:
        self.sent: list[tuple[str, Any]] = []
        self._error = error

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803 (boto3's names)
        if self._error:
            raise ClientError({"Error": {"Code": self._error, "Message": "no"}}, "SendTaskSuccess")
        self.sent.append((taskToken, json.loads(output)))


class LateS3(MemoryS3):
    """Has the token only when it is looked for the third time."""

    looks = 0

    def list_objects_v2(self, **place: str) -> dict[str, Any]:
        self.looks += 1
        if self.looks == 3:
            self.put(*PLACE, {"Task": "token"})
        return super().list_objects_v2(**place)


def test_tells_the_task_how_the_job_has_ended_and_forgets_its_token(notices: ModuleType) -> None:
    s3, states = MemoryS3({PLACE: b'{"Task": "token"}'}), States()

    notices.pass_on(NOTICE, s3, states)

    assert states.sent == [("token", {"Status": "SUCCEEDED"})]
    assert s3.objects == {}


def test_takes_a_token_that_step_functions_has_written_as_a_text_in_json(notices: ModuleType) -> None:
    s3, states = MemoryS3({PLACE: json.dumps('{"Task": "token"}').encode()}), States()

    notices.pass_on(NOTICE, s3, states)

    assert [token for token, _ in states.sent] == ["token"]


def test_waits_a_little_for_a_token_that_comes_after_the_notice(notices: ModuleType) -> None:
    states = States()

    notices.pass_on(NOTICE, LateS3(), states, pause=0)

    assert len(states.sent) == 1


def test_fails_without_a_token_so_that_lambda_calls_it_again(notices: ModuleType) -> None:
    with pytest.raises(notices.NoTokenError, match="documents/run-1/tokens/job-1"):
        notices.pass_on(NOTICE, MemoryS3(), States(), pause=0)


@pytest.mark.parametrize("error", ["InvalidToken", "TaskDoesNotExist", "TaskTimedOut"])
def test_forgets_the_token_of_a_task_that_no_longer_waits(notices: ModuleType, error: str) -> None:
    s3 = MemoryS3({PLACE: b'{"Task": "token"}'})

    notices.pass_on(NOTICE, s3, States(error))

    assert s3.objects == {}


def test_keeps_the_token_when_step_functions_cannot_be_told(notices: ModuleType) -> None:
    s3 = MemoryS3({PLACE: b'{"Task": "token"}'})

    with pytest.raises(ClientError):
        notices.pass_on(NOTICE, s3, States("ThrottlingException"))
    assert list(s3.objects) == [PLACE]
