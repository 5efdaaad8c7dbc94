"""What a teardown reports: what it would do, what it has done, and what is left, in words and for programs."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace.absence import is_absence
from headrace.deletion.data import HOLDERS
from headrace.deletion.ledger import Entry
from headrace.deletion.phases import Outcome
from headrace.deletion.planning import Fate, Line, Plan
from headrace.deletion.stacks import STACK
from headrace.deletion.verifying import Leftover, describe_cost, is_billable
from headrace.inventory import KINDS, Item, PriceList, price
from headrace.wording import counted

# What is of the whole account, and so of no environment.
SHARED: Final = (
    "left, of the whole account: what `cdk bootstrap` and `make deploy-account` made, SageMaker's log groups of jobs "
    "and its list of past jobs"
)
PLAN_HEADER: Final = ("becomes", "what", "name", "holds", "USD while it stands")
RECEIPT_HEADER: Final = ("became", "what", "name", "why")
LEFTOVER_HEADER: Final = ("what", "name", "where", "USD while it stands")
Row = tuple[str, ...]


def name_kind(kind: str) -> str:
    """What people call a type."""
    return KINDS[kind].word if kind in KINDS else kind.rpartition("::")[2]


def list_plan_rows(plan: Plan, prices: PriceList) -> list[Row]:
    """What a plan does with stacks, with what was made at run time, and with what in stacks holds data or costs."""
    lines = [line for line in plan.list_lines() if _matters(line)]
    return [
        (
            line.fate,
            name_kind(line.item.kind),
            line.item.name,
            _describe_content(plan, line),
            describe_cost(line.item, prices),
        )
        for line in lines
    ]


def write_plan(plan: Plan, prices: PriceList) -> dict[str, Any]:
    """The same for programs, with everything that is in the stacks."""
    return {
        "environment": plan.environment,
        "stacks": [stack.name for stack in plan.stacks],
        "protected": [stack.name for stack in plan.stacks if stack.is_protected],
        "items": [
            {**_write_item(line.item, prices), "fate": str(line.fate), "note": line.note} for line in plan.list_lines()
        ],
    }


def list_receipt_rows(plan: Plan, outcome: Outcome) -> list[Row]:
    """What has become of stacks, of what was made at run time, and of what holds data."""
    entries = outcome.ledger.deleted
    return [
        *(_write_row("deleted", each) for each in entries if not each.note or each.kind in HOLDERS),
        *(_write_row("pending", each) for each in outcome.ledger.pending),
        *(_write_row(line.fate, _enter(line)) for line in _list_staying(plan)),
        *(_write_row("FAILED", each) for each in outcome.ledger.failed),
    ]


def write_receipt(plan: Plan, outcome: Outcome, leftovers: Sequence[Leftover]) -> dict[str, Any]:
    """The same for programs, with everything that was in the stacks, and what is left that costs: null for unseen."""
    staying = list(_list_staying(plan))
    ledger = outcome.ledger
    return {
        "environment": plan.environment,
        "deleted": [_write_entry(each) for each in ledger.deleted],
        "pending": [_write_entry(each) for each in ledger.pending],
        "kept": [_write_entry(_enter(line)) for line in staying if line.fate is Fate.KEPT],
        "left": [_write_entry(_enter(line)) for line in staying if line.fate is Fate.LEFT],
        "failed": [_write_entry(each) for each in ledger.failed],
        "standing": write_leftovers(leftovers) if outcome.left else None,
    }


def list_leftover_rows(leftovers: Sequence[Leftover]) -> list[Row]:
    """What is left and costs."""
    return [(name_kind(each.item.kind), each.item.name, each.note, each.cost) for each in leftovers]


def write_leftovers(leftovers: Sequence[Leftover]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "type": each.item.kind,
            "name": each.item.name,
            "stack": each.item.stack,
            "monthly_usd": round(each.monthly, 2),
            "cost": each.cost,
            "note": each.note,
        }
        for each in leftovers
    ]


def _matters(line: Line) -> bool:
    item = line.item
    is_whole = item.kind == STACK or item.stack is None
    return is_whole or item.kind in HOLDERS or is_billable(item)


def _describe_content(plan: Plan, line: Line) -> str:
    item = line.item
    if item.kind == STACK:
        count = sum(each.stack == item.name for each in plan.items)
        return line.note or counted(count, "resource")
    if line.fate is Fate.LEFT:
        return line.note
    return _measure(item) if item.kind in HOLDERS else ""


def _measure(item: Item) -> str:
    """How much data there is; it may have been deleted by hand, or be hidden from the caller."""
    try:
        return str(HOLDERS[item.kind].measure(item.name))
    except ClientError as error:
        return "not there" if is_absence(error) else f"not known: {error.response['Error']['Code']}"


def _list_staying(plan: Plan) -> Iterator[Line]:
    return (line for line in plan.list_lines() if line.fate is not Fate.DELETED)


def _enter(line: Line) -> Entry:
    return Entry(line.item.kind, line.item.name, line.note)


def _write_row(fate: str, entry: Entry) -> Row:
    return (fate, name_kind(entry.kind), entry.name, entry.note)


def _write_entry(entry: Entry) -> dict[str, str]:
    return {"type": entry.kind, "name": entry.name, **({"note": entry.note} if entry.note else {})}


def _write_item(item: Item, prices: PriceList) -> dict[str, Any]:
    return {
        "type": item.kind,
        "name": item.name,
        "stack": item.stack,
        "holds_data": item.kind in HOLDERS and HOLDERS[item.kind].is_named,
        "monthly_usd": round(price(item, prices).monthly, 2),
        "cost": describe_cost(item, prices),
    }
