"""What people are told of ends of executions that have succeeded, and of which they are not."""

import json
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.lambdas.clean_up.account import EXECUTION, MACHINE, Account

DRIFTED = {
    "Verdict": "drifted",
    "Reason": "drifted: Item_MRP (among 500 rows, against 1500 of training)",
    "DriftedColumns": 1,
    "Columns": ["Item_MRP"],
    "Report": "s3://work/drift/bigmart/run-1/report.html",
    "Retraining": "arn:aws:states:eu-west-1:123456789012:execution:bigmart:drift-1",
}
STEADY = {**DRIFTED, "Verdict": "steady", "Reason": "steady: no column has drifted", "Columns": [], "Retraining": ""}
TOO_FEW = {**STEADY, "Verdict": "too few", "Reason": "no request was captured", "Report": None}
NOT_COMPARED = {**TOO_FEW, "Verdict": "not compared", "Reason": "nothing is known of what serves: no endpoint"}


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def handler(account: Account, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    from lambdas.clean_up import handler as module

    monkeypatch.setenv("ALARM_TOPIC_ARN", "arn:aws:sns:eu-west-1:123456789012:alarms")
    monkeypatch.setattr(module, "_client", account.client)
    return module


def succeed(handler: ModuleType, output: Any) -> None:
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)
    ended = {"executionArn": EXECUTION, "status": "SUCCEEDED", "stopDate": 0, "output": json.dumps(output)}
    handler.handle({"detail": ended}, context)


def test_tells_which_columns_have_drifted_where_the_report_is_and_what_was_started(
    account: Account, handler: ModuleType
) -> None:
    succeed(handler, DRIFTED)

    (message,), (notice,) = account.messages, account.notices
    assert message["Subject"] == f"Headrace: {MACHINE} drifted"
    assert message["Message"].splitlines()[:4] == [
        f"Execution run-1 of {MACHINE}: drifted",
        f"Why: {DRIFTED['Reason']}",
        f"Report: {DRIFTED['Report']}",
        f"Retraining: {DRIFTED['Retraining']}",
    ]
    assert (notice["Verdict"], notice["Columns"]) == ("drifted", ["Item_MRP"])


def test_tells_that_nothing_could_be_compared(account: Account, handler: ModuleType) -> None:
    succeed(handler, NOT_COMPARED)

    (message,) = account.messages
    assert message["Message"].splitlines()[:2] == [
        f"Execution run-1 of {MACHINE}: not compared",
        f"Why: {NOT_COMPARED['Reason']}",
    ]


@pytest.mark.parametrize("outcome", ["STOPPED", "STARTED", "STANDING", "NOT_IDLE", "SERVING"])
def test_tells_what_has_become_of_an_endpoint_and_why(account: Account, handler: ModuleType, outcome: str) -> None:
    succeed(handler, {"Outcome": outcome, "Reason": "by the hours of the settings"})

    (message,) = account.messages
    assert message["Subject"] == f"Headrace: {MACHINE} {outcome}"
    assert "Why: by the hours of the settings" in message["Message"]


@pytest.mark.parametrize(
    "output",
    [STEADY, TOO_FEW, {"Outcome": "NOTHING_TO_STOP", "Reason": "there is no endpoint shop"}],
    ids=["steady", "too few", "nothing to stop"],
)
def test_writes_to_nobody_when_nothing_has_happened_and_tells_the_bus(
    account: Account, handler: ModuleType, output: dict[str, Any]
) -> None:
    succeed(handler, output)

    assert account.messages == []
    assert account.notices[0]["Reason"] == output["Reason"]


def test_takes_no_verdict_for_one_where_there_is_no_check(account: Account, handler: ModuleType) -> None:
    succeed(handler, {"Columns": ["a"], "Report": "b"})

    assert account.messages[0]["Subject"] == f"Headrace: {MACHINE} SUCCEEDED"
    assert not {"Columns", "Report"} & account.notices[0].keys()
