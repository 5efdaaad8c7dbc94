"""The record of calls."""

from dataclasses import replace
from pathlib import Path

import pytest

from headrace.local import calls
from headrace.local.calls import Call, CallLog, read_calls
from headrace.local.clock import Clock

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


def test_counts_calls_and_knows_when_each_was_made_last(tmp_path: Path) -> None:
    clock = Clock(iter([10.0, 20.0, 30.0]).__next__)
    log = CallLog(tmp_path, clock)
    other = Call(principal=CALL.principal, action="s3:GetObject", resource=CALL.resource, is_allowed=True)

    for call in (CALL, other, CALL):
        log.note(call)

    assert [(made.call, made.count, made.last.timestamp()) for made in log.list_counts()] == [
        (CALL, 2, 30),
        (other, 1, 20),
    ]


def test_names_the_role_of_a_call_and_none_for_a_user() -> None:
    user = Call(principal="arn:aws:iam::000000000000:user/ana", action="a:B", resource="*", is_allowed=True)

    assert (CALL.role, user.role) == ("ml", "")


def test_counts_by_folders_what_comes_after_so_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MOST_CALLS", 2)
    log = CallLog(tmp_path)
    objects = "arn:aws:s3:::raw/photographs/cat"
    seen = [
        call_object(f"{objects}/1.jpg"),
        call_object(f"{objects}/2.jpg"),
        call_object(f"{objects}/3.jpg", **{"aws:sourceip": "10.0.0.1"}),
        call_object(f"{objects}/4.jpg", **{"aws:sourceip": "10.0.0.2"}),
        call_object(f"{objects}/1.jpg"),
        replace(call_object(f"{objects}/5.jpg"), is_allowed=False),
        call_object("arn:aws:s3:::raw/Train.csv"),
        replace(CALL, action="iam:PassRole", resource="arn:aws:iam::000000000000:role/service/ml"),
    ]

    for call in seen:
        log.note(call)

    assert [
        (made.call.resource.rpartition(":")[2], made.count, made.call.is_allowed) for made in log.list_counts()
    ] == [
        ("raw/photographs/cat/1.jpg", 2, True),
        ("raw/photographs/cat/2.jpg", 1, True),
        ("raw/photographs/cat/*", 2, True),
        ("raw/photographs/cat/*", 1, False),
        ("raw/*", 1, True),
        ("role/service/ml", 1, True),
    ]
    assert list(read_calls(tmp_path)) == [made.call for made in log.list_counts()]


def call_object(resource: str, **context: str) -> Call:
    return Call(principal=CALL.principal, action="s3:GetObject", resource=resource, context=context, is_allowed=True)


def test_forgets_what_an_earlier_cloud_has_noted(tmp_path: Path) -> None:
    CallLog(tmp_path).note(CALL)

    CallLog(tmp_path)

    assert list(read_calls(tmp_path)) == []


def test_knows_no_calls_where_no_cloud_has_been(tmp_path: Path) -> None:
    assert list(read_calls(tmp_path)) == []
