"""Tears an environment down, phase by phase; interrupted, it resumes with what stands."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum

from headrace.deletion.data import HOLDERS, KEY, MODEL_PACKAGE
from headrace.deletion.ledger import FAILURES, Ledger
from headrace.deletion.planning import Plan, make_plan
from headrace.deletion.serving import MODEL, delete_made, stop_executions, stop_starts
from headrace.deletion.stacks import delete_stacks
from headrace.deletion.standing import StandingStack
from headrace.errors import HeadraceError
from headrace.inventory import Item

Progress = Callable[[str], AbstractContextManager[None]]


class Phase(StrEnum):
    """What is done one after the other."""

    STOP = "stop executions and what starts them"
    SERVING = "delete endpoints, models and jobs"
    VERSIONS = "delete versions of models"
    STACKS = "delete stacks"
    DATA = "delete data that outlived its stack"
    LOOK = "look again"


class KeyInUseError(HeadraceError):
    """A key is needed for data that stays."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a teardown has ended.

    Args:
        ledger: What it has done.
        left: What stands of the environment now; None if AWS did not say, and
        unseen: why it did not.
    """

    ledger: Ledger
    left: Plan | None
    unseen: str = ""


def tear_down(plan: Plan, progress: Progress) -> Outcome:
    """Delete what a plan says; what fails is noted, and the rest goes on, apart from what the former still needs.

    Args:
        plan: What to delete.
        progress: Shows what is being done.
    """
    ledger = Ledger()
    with progress(Phase.STOP):
        stop_starts(plan.stacks, ledger)
        stop_executions(plan.stacks, ledger)
    with progress(Phase.SERVING):
        # Executions may have made more since the plan, and the function that ends them may have deleted some.
        doomed = _list_doomed(plan)
        delete_made([item for item in doomed if item.kind != MODEL_PACKAGE], ledger)
    with progress(Phase.VERSIONS):
        delete_made([item for item in doomed if item.kind == MODEL_PACKAGE], ledger)
    held = _find_users(plan.stacks, doomed, ledger)
    delete_stacks(plan.stacks, held, ledger, lambda name: progress(f"{Phase.STACKS}: {name}"))
    with progress(Phase.DATA):
        _delete_retained(plan, ledger)
    with progress(Phase.LOOK):
        return _look_again(plan, ledger)


def _list_doomed(plan: Plan) -> list[Item]:
    """What was made at run time and stands now; without an answer, what stood before."""
    try:
        return make_plan(plan.environment, plan.named).list_doomed()
    except FAILURES:
        return plan.list_doomed()


def _look_again(plan: Plan, ledger: Ledger) -> Outcome:
    try:
        return Outcome(ledger=ledger, left=make_plan(plan.environment))
    except FAILURES as error:
        return Outcome(ledger=ledger, left=None, unseen=str(error))


def _find_users(stacks: Sequence[StandingStack], doomed: Sequence[Item], ledger: Ledger) -> dict[str, str]:
    """What could not be deleted, by the stack that it still needs: the one that it is in, or that of its role."""
    owners = {resource.id: stack.name for stack in stacks for resource in stack.resources if resource.id}
    made = {(item.kind, item.name): item for item in doomed}
    found = {_find_stack((entry.kind, entry.name), made, owners): entry.name for entry in ledger.failed}
    return {stack: name for stack, name in found.items() if stack}


def _find_stack(thing: tuple[str, str], made: Mapping[tuple[str, str], Item], owners: Mapping[str, str]) -> str:
    _, name = thing
    if name in owners:
        return owners[name]
    properties = made[thing].properties if thing in made else {}
    role = properties.get("ExecutionRoleArn") or properties.get("RoleArn") or ""
    if role:
        return owners.get(role.rpartition("/")[2], "")
    models = [variant.get("ModelName", "") for variant in properties.get("ProductionVariants", ())]
    group = name.replace(":model-package/", ":model-package-group/").rpartition("/")[0]
    return next(
        (found for model in models if (found := _find_stack((MODEL, model), made, owners))), owners.get(group, "")
    )


def _delete_retained(plan: Plan, ledger: Ledger) -> None:
    """Delete data that is named and outlived its stack; what its stack still has is left to that."""
    staying = {entry.name for entry in ledger.failed}
    retained = plan.list_retained()
    for item in retained:
        if not plan.is_named(item) or item.stack in staying:
            continue
        due = None
        with ledger.deleting(item.kind, item.name):
            if item.kind == KEY:
                _check_unused(retained, ledger)
            due = HOLDERS[item.kind].delete(item.name)
        if due:
            ledger.defer(item.kind, item.name, due)


def _check_unused(retained: Sequence[Item], ledger: Ledger) -> None:
    """Raises KeyInUseError where data stays that could perhaps not be read without a key."""
    deleted = {entry.name for entry in ledger.deleted}
    if staying := [item.name for item in retained if item.kind != KEY and item.name not in deleted]:
        raise KeyInUseError(f"{', '.join(staying)} may be encrypted with it, and stay{'s' * (len(staying) == 1)}")
