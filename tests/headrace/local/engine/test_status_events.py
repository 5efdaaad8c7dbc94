"""What the event says that Step Functions publishes when an execution has another status."""

from typing import Any

from headrace.local.engine.ministack.status_events import describe_change

RECORD: dict[str, Any] = {
    "executionArn": "arn:aws:states:us-east-1:000000000000:execution:machine:one",
    "stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:machine",
    "name": "one",
    "status": "FAILED",
    "startDate": "2026-01-01T00:00:00.000Z",
    "stopDate": "2026-01-01T00:00:01.500Z",
    "input": "{}",
    "output": None,
    "error": "E",
    "cause": "c",
    "events": [],
}


def test_describes_an_execution_that_failed() -> None:
    detail = describe_change(RECORD, {"redriveCount": 0, "redriveStatus": "REDRIVABLE"})

    assert (detail["startDate"], detail["stopDate"], detail["redriveDate"]) == (1767225600000, 1767225601500, None)
    assert (detail["status"], detail["error"], detail["cause"]) == ("FAILED", "E", "c")
    assert (detail["output"], detail["outputDetails"], detail["inputDetails"]) == (None, None, {"included": True})
    assert (detail["redriveStatus"], detail["redriveStatusReason"]) == ("REDRIVABLE", None)
    assert "events" not in detail


def test_leaves_out_what_is_too_large_for_an_event() -> None:
    detail = describe_change({**RECORD, "input": "é" * 130_000}, {})

    assert (detail["input"], detail["inputDetails"]) == (None, {"included": False})
