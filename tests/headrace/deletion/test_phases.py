"""A teardown that AWS answers no more for a while: it goes on, and says what it could not see."""

import json
from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import replace

import pytest

from headrace.cli import teardown
from headrace.deletion import phases, stacks
from headrace.deletion.ledger import Entry, Ledger
from headrace.deletion.phases import tear_down
from headrace.deletion.planning import Plan
from headrace.deletion.standing import Resource, StandingStack
from headrace.inventory import Item, Maker
from tests.headrace.deletion.accounts import refuse

MODEL = Item(kind="AWS::SageMaker::Model", name="m", maker=Maker.RUN)
PLAN = Plan(environment="dev", stacks=(), items=(), made=(MODEL,), kept=())
EMPTY = replace(PLAN, made=())
THROTTLED = refuse("ThrottlingException", "slow down")


@pytest.fixture(autouse=True)
def only_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deletes nothing of an account, and notes it."""

    def delete(items: Collection[Item], ledger: Ledger) -> None:
        ledger.deleted.extend(Entry(item.kind, item.name) for item in items)

    monkeypatch.setattr(phases, "delete_made", delete)


def look(monkeypatch: pytest.MonkeyPatch, *answers: Callable[..., Plan]) -> None:
    """Have each look at the environment answered by the next of these."""
    following = iter(answers)
    monkeypatch.setattr(phases, "make_plan", lambda *given: next(following)(*given))


def test_deletes_what_it_saw_at_first_when_it_cannot_look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    look(monkeypatch, THROTTLED, lambda *_: EMPTY)

    outcome = tear_down(PLAN, lambda _: nullcontext())

    assert outcome.ledger == Ledger(deleted=[Entry(MODEL.kind, "m")])
    assert outcome.left == EMPTY


def test_reports_what_it_has_done_without_knowing_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    look(monkeypatch, lambda *_: PLAN, THROTTLED)

    outcome = tear_down(PLAN, lambda _: nullcontext())
    code = teardown._report(PLAN, outcome, as_json=True)

    output = capsys.readouterr()
    receipt = json.loads(output.out)
    assert code == 1
    assert [entry["name"] for entry in receipt["deleted"]] == ["m"]
    assert receipt["standing"] is None
    assert "whether anything is left could not be seen" in output.err
    assert "slow down" in output.err
    assert "these stand" not in output.err


def test_says_that_it_does_not_know_when_a_key_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Resource("Key", "AWS::KMS::Key", "1234")
    stack = StandingStack(
        name="encryption",
        id="arn:encryption",
        is_protected=False,
        outputs={},
        exports=frozenset(),
        template={"Resources": {"Key": {"Type": key.kind}}},
        resources=(key,),
    )
    monkeypatch.setattr(stacks, "delete_stack", lambda _: None)
    monkeypatch.setattr(stacks, "find_pending", refuse("ThrottlingException", "slow down"))
    ledger = Ledger()

    stacks.delete_stacks([stack], {}, ledger, lambda _: nullcontext())

    assert [entry.name for entry in ledger.deleted] == ["encryption"]
    assert [(entry.kind, entry.name) for entry in ledger.failed] == [(key.kind, "1234")]
