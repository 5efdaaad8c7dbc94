"""What an execution that stops or starts the endpoint of the stage finds, and what is there again afterwards."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from headrace.contract import ENDPOINT_ACTION_INPUT, SERVED_PREFIX, EndpointAction, ServedNote, VersionFact
from tests.end_to_end.calling import GONE
from tests.end_to_end.fault_stage import BIG_MART, ENDPOINT, Stage

_NOTE: Final = f"{SERVED_PREFIX}{ENDPOINT}"


def give(action: EndpointAction, **also: Any) -> Mapping[str, Any]:
    """The input of an execution that stops or starts it."""
    return {ENDPOINT_ACTION_INPUT: action, **also}


@contextmanager
def started_again(stage: Stage, name: str) -> Iterator[None]:
    """Afterwards, have an execution start the endpoint again if it is gone: as it was before."""
    serves = stage.ask()
    try:
        yield
    finally:
        if stage.ask() == GONE:
            _run(stage, f"{name}-start", EndpointAction.START)
            assert stage.ask() == serves
            stage.drop_turns()


@contextmanager
def stopped(stage: Stage, name: str) -> Iterator[None]:
    """Have an execution stop it, and one start it afterwards."""
    with started_again(stage, name):
        _run(stage, f"{name}-stop", EndpointAction.STOP)
        assert stage.ask() == GONE
        yield


@contextmanager
def stopped_without_note(stage: Stage, name: str) -> Iterator[None]:
    """The same, but nothing is noted meanwhile of what it served."""
    s3 = stage.platform.client("s3")
    with stopped(stage, name):
        noted = _read_note(stage)
        s3.delete_object(Bucket=stage.work_bucket, Key=_NOTE)
        try:
            yield
        finally:
            s3.put_object(Bucket=stage.work_bucket, Key=_NOTE, Body=noted)


def find_noted_answer(stage: Stage) -> str:
    """What the endpoint answers with what is noted: the job that made the model of that version."""
    version = json.loads(_read_note(stage))[ServedNote.PACKAGE]
    facts = stage.sagemaker.describe_model_package(ModelPackageName=version)["CustomerMetadataProperties"]
    return str(facts[VersionFact.JOB])


def _read_note(stage: Stage) -> bytes:
    found = stage.platform.client("s3").get_object(Bucket=stage.work_bucket, Key=_NOTE)
    return bytes(found["Body"].read())


def _run(stage: Stage, name: str, action: EndpointAction) -> None:
    arn = stage.start(BIG_MART, name, give(action))
    end = stage.platform.wait(arn)
    assert end["status"] == "SUCCEEDED", end.get("cause")
    stage.notices.find(arn)
