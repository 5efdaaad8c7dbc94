"""The record of calls."""

from pathlib import Path

import pytest

from headrace.local.engine.access import calls
from headrace.local.engine.access.calls import Call, CallLog, read_calls

CALL = Call(
    principal="arn:aws:iam::000000000000:role/path/ml",
    action="s3:ListBucket",
    resource="arn:aws:s3:::raw",
    context={"s3:prefix": "a/"},
    is_allowed=True,
)


def test_keeps_each_different_call_once(tmp_path: Path) -> None:
    log = CallLog(tmp_path)
    denied = Call(principal=CALL.principal, action=CALL.action, resource=CALL.resource, is_allowed=False)

    for call in (CALL, denied, CALL):
        log.note(call)

    assert list(read_calls(tmp_path)) == [CALL, denied]


def test_names_the_role_of_a_call_and_none_for_a_user() -> None:
    user = Call(principal="arn:aws:iam::000000000000:user/ana", action="a:B", resource="*", is_allowed=True)

    assert (CALL.role, user.role) == ("ml", "")


def test_keeps_no_more_than_so_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MOST_CALLS", 2)
    log = CallLog(tmp_path)

    for number in range(5):
        log.note(Call(principal="p", action=f"a:{number}", resource="*", is_allowed=True))

    assert [call.action for call in read_calls(tmp_path)] == ["a:0", "a:1"]


def test_forgets_what_an_earlier_cloud_has_noted(tmp_path: Path) -> None:
    CallLog(tmp_path).note(CALL)

    CallLog(tmp_path)

    assert list(read_calls(tmp_path)) == []


def test_knows_no_calls_where_no_cloud_has_been(tmp_path: Path) -> None:
    assert list(read_calls(tmp_path)) == []
