"""What executions have made is deleted whatever is being done to it, and the rest goes on where something fails."""

from collections.abc import Iterator
from typing import Any

import pytest

from headrace.deletion import data, serving
from headrace.deletion.ledger import Entry, Ledger
from headrace.deletion.serving import CONFIGURATION, ENDPOINT, MODEL, delete_made, stop_starts
from headrace.deletion.standing import Resource, StandingStack
from headrace.inventory import Item, Maker
from tests.headrace.deletion.accounts import refuse


class SageMaker:
    """An endpoint that goes through these statuses, one at each look; it is there no more after them."""

    def __init__(self, *statuses: str) -> None:
        self._statuses: Iterator[str] = iter(statuses)
        self.calls: list[str] = []

    def describe_endpoint(self, **_request: str) -> dict[str, str]:
        status = next(self._statuses, "")
        if not status:
            refuse("ValidationException", "Could not find endpoint")()
        self.calls.append(status)
        return {"EndpointStatus": status}

    def delete_endpoint(self, **_request: str) -> None:
        self.calls.append("DELETED")

    def delete_model(self, *, ModelName: str) -> None:  # noqa: N803 (SageMaker's spelling)
        if ModelName == "denied":
            refuse("AccessDeniedException", "not yours")()
        self.calls.append(ModelName)


def make(kind: str, name: str, **properties: Any) -> Item:
    return Item(kind=kind, name=name, maker=Maker.RUN, properties=properties)


class Fsx:
    """A file system that is being deleted for two looks, and then is not there."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def describe_file_systems(self, *, FileSystemIds: list[str]) -> dict[str, Any]:  # noqa: N803 (FSx's spelling)
        self.calls.append("looked")
        if len(self.calls) > 3:
            refuse("FileSystemNotFound")()
        return {"FileSystems": [{"FileSystemId": FileSystemIds[0], "Lifecycle": "DELETING"}]}

    def delete_file_system(self, *, FileSystemId: str) -> None:  # noqa: N803
        self.calls.append(FileSystemId)


def test_waits_until_the_file_system_of_an_execution_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    fsx, ledger = Fsx(), Ledger()
    monkeypatch.setattr(data, "make_client", lambda _: fsx)
    monkeypatch.setattr("time.sleep", lambda _: None)

    delete_made([make(data.FSX, "fs-1")], ledger)

    assert fsx.calls == ["fs-1", *["looked"] * 3]
    assert [(entry.kind, entry.name) for entry in ledger.deleted] == [(data.FSX, "fs-1")]


@pytest.mark.parametrize(
    ("statuses", "calls"),
    [
        pytest.param(
            ["Creating", "InService", "InService", "Deleting"],
            ["Creating", "InService", "InService", "DELETED", "Deleting"],
            id="being made",
        ),
        pytest.param(
            ["Updating", "RollingBack", "InService", "InService"],
            ["Updating", "RollingBack", "InService", "InService", "DELETED"],
            id="being updated",
        ),
        pytest.param(["Failed", "Failed"], ["Failed", "Failed", "DELETED"], id="failed"),
        pytest.param(["Deleting", "Deleting"], ["Deleting", "Deleting"], id="being deleted"),
        pytest.param([], [], id="gone"),
    ],
)
def test_deletes_an_endpoint_once_nothing_is_being_done_to_it(
    monkeypatch: pytest.MonkeyPatch, statuses: list[str], calls: list[str]
) -> None:
    sagemaker, ledger = SageMaker(*statuses), Ledger()
    monkeypatch.setattr(serving, "make_client", lambda _: sagemaker)
    monkeypatch.setattr("time.sleep", lambda _: None)

    delete_made([make(ENDPOINT, "sales")], ledger)

    assert sagemaker.calls == calls
    assert ledger.deleted == [Entry(ENDPOINT, "sales")]


def test_goes_on_with_the_others_when_one_is_denied_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker, ledger = SageMaker(), Ledger()
    monkeypatch.setattr(serving, "make_client", lambda _: sagemaker)

    delete_made([make(MODEL, name) for name in ("first", "denied", "last")], ledger)

    assert sagemaker.calls == ["first", "last"]
    assert ledger.deleted == [Entry(MODEL, "first"), Entry(MODEL, "last")]
    ((kind, name, reason),) = [(entry.kind, entry.name, entry.note) for entry in ledger.failed]
    assert (kind, name) == (MODEL, "denied")
    assert "AccessDeniedException" in reason
    assert "not yours" in reason


def test_keeps_what_an_endpoint_is_made_of_that_could_not_be_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker, ledger = SageMaker("InService", "InService"), Ledger()
    monkeypatch.setattr(sagemaker, "delete_endpoint", refuse("AccessDeniedException"))
    monkeypatch.setattr(serving, "make_client", lambda _: sagemaker)
    serves = [{"ModelName": "m"}]
    endpoint = make(ENDPOINT, "sales", EndpointConfigName="c", ProductionVariants=serves)

    delete_made([endpoint, make(CONFIGURATION, "c", ProductionVariants=serves), make(MODEL, "m")], ledger)

    assert [(entry.kind, entry.name) for entry in ledger.failed] == [
        (ENDPOINT, "sales"),
        (CONFIGURATION, "c"),
        (MODEL, "m"),
    ]
    assert sagemaker.calls == ["InService", "InService"]


def test_disables_the_rules_that_start_executions_and_leaves_those_that_clean_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    targets = {"schedule": "arn:aws:states:::stateMachine:a:live", "ended": "arn:aws:lambda:::function:clean-up"}
    disabled: list[str] = []

    class Events:
        def list_targets_by_rule(self, *, Rule: str) -> dict[str, Any]:  # noqa: N803
            return {"Targets": [{"Arn": targets[Rule]}]}

        def disable_rule(self, *, Name: str) -> None:  # noqa: N803
            disabled.append(Name)

    monkeypatch.setattr(serving, "make_client", lambda _: Events())
    stack = StandingStack(
        name="headrace-dev-bigmart",
        id="arn",
        is_protected=False,
        outputs={},
        exports=frozenset(),
        template={},
        resources=tuple(Resource(name, serving.RULE, name) for name in targets),
    )

    stop_starts([stack], Ledger())

    assert disabled == ["schedule"]


def test_disables_the_schedules_that_start_executions_and_keeps_what_else_they_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    standing = {"Name": "night", "ScheduleExpression": "cron(0 19 * * ? *)", "ScheduleExpressionTimezone": "Asia/Tokyo"}
    updated: list[dict[str, Any]] = []

    class Scheduler:
        def get_schedule(self, *, Name: str) -> dict[str, Any]:  # noqa: N803
            return {**standing, "Name": Name, "State": "ENABLED", "Arn": "arn", "ResponseMetadata": {}}

        def update_schedule(self, **schedule: Any) -> None:
            updated.append(schedule)

    monkeypatch.setattr(serving, "make_client", lambda _: Scheduler())
    stack = StandingStack(
        name="headrace-dev-bigmart",
        id="arn",
        is_protected=False,
        outputs={},
        exports=frozenset(),
        template={},
        resources=(Resource("Stop", serving.SCHEDULE, "night"),),
    )

    stop_starts([stack], Ledger())

    assert updated == [{**standing, "State": "DISABLED"}]
