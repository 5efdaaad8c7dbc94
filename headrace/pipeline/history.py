"""What an execution has done, read from the events of its history.

Each event names the one before it, which is how branches and iterations that run at the same time are told apart.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from headrace.pipeline.causes import read_cause

Event = Mapping[str, Any]

_ENTERED: Final = "StateEntered"
_EXITED: Final = "StateExited"
_TRIES: Final = ("Scheduled", "MapStateStarted", "ParallelStateStarted")
_FAILURES: Final = ("Failed", "TimedOut")
_ENDS: Final = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")
_HOLDERS: Final = ("Map", "Parallel")


class Status(StrEnum):
    """How a visit to a state has gone."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CAUGHT = "caught"
    RUNNING = "running"
    ABORTED = "aborted"


# Of the visits of several iterations, the first of these says how the state is.
_WORST_FIRST: Final = (Status.RUNNING, Status.FAILED, Status.ABORTED, Status.CAUGHT, Status.SUCCEEDED)


@dataclass(frozen=True, kw_only=True)
class Execution:
    """An execution as a whole.

    Args:
        arn: Its ARN.
        name: Its name.
        machine_arn: What it executes.
        status: How it is, as Step Functions says it.
        started: When it began.
        stopped: When it ended.
        output: Its output, in JSON; empty as long as it has none.
        error: The name of the error that ended it.
        cause: What is said about that.
    """

    arn: str
    name: str
    machine_arn: str
    status: str
    started: datetime
    stopped: datetime | None = None
    output: str = ""
    error: str = ""
    cause: str = ""

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.status == "RUNNING"

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it goes on."""
        return (self.stopped - self.started).total_seconds() if self.stopped else None


@dataclass(eq=False, kw_only=True)
class Visit:
    """One visit of an execution to a state.

    Args:
        name: The state's name.
        kind: Its type, such as `Task`.
        entered: When the visit began.
        parent: The visit to the Map or Parallel state that this one is inside of.
        after: The visit that led to it.
        iteration: Which item of a Map state it is for, from 0 on.
        left: When it ended.
        ending: How it ended.
        tries: How often its work has been tried; 0 where it has not come to that.
        error: The name of the last error, also where it was caught or is being retried.
        cause: What is said about that.
    """

    name: str
    kind: str
    entered: datetime
    parent: "Visit | None" = None
    after: "Visit | None" = None
    iteration: int | None = None
    left: datetime | None = None
    ending: Status | None = None
    tries: int = 0
    error: str = ""
    cause: str = ""
    has_failed: bool = False

    @property
    def status(self) -> Status:
        """How it has gone so far."""
        return self.ending or Status.RUNNING

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it goes on."""
        return (self.left - self.entered).total_seconds() if self.left else None

    @property
    def depth(self) -> int:
        """In how many other visits it is."""
        return self.parent.depth + 1 if self.parent else 0

    def end(self, status: Status, when: datetime) -> None:
        """Note that it has ended."""
        self.ending, self.left = status, when

    def try_again(self) -> None:
        """Note that its work is tried once more, which a redrive does with visits that had ended."""
        self.tries += 1
        self.has_failed, self.ending, self.left = False, None, None


@dataclass
class History:
    """What an execution has done so far.

    Args:
        visits: Its visits to states, in the order in which they began.
        last_id: The number of the last event that was read.
    """

    visits: list[Visit] = field(default_factory=list)
    last_id: int = 0
    # Which visit an event belongs to, and for which item of a Map state it is.
    _owners: dict[int, tuple[Visit | None, int | None]] = field(default_factory=dict)

    def read(self, events: Iterable[Event]) -> list[Visit]:
        """Take in the events that come next; the visits that they have begun or changed, once each, in order."""
        changed: dict[Visit, None] = {}
        for event in events:
            for visit in self._read_event(event):
                changed[visit] = None
            self.last_id = event["id"]
        return list(changed)

    def find_statuses(self) -> dict[str, Status]:
        """How each state that was visited is, by name: of visits one after the other the last one counts."""
        last: dict[tuple[Visit | None, int | None, str], Visit] = {}
        for visit in self.visits:
            last[visit.parent, visit.iteration, visit.name] = visit
        standing = set(last.values())
        found: dict[str, list[Status]] = {}
        for visit in last.values():
            if visit.parent is not None and visit.parent not in standing:
                continue
            found.setdefault(visit.name, []).append(visit.status)
        return {name: min(statuses, key=_WORST_FIRST.index) for name, statuses in found.items()}

    def _read_event(self, event: Event) -> Iterable[Visit]:
        kind: str = event["type"]
        previous = event.get("previousEventId") or event["id"] - 1
        owner, iteration = self._owners.get(previous, (None, None))
        if kind == "MapIterationStarted":
            iteration = _details(event).get("index")
        changed: Iterable[Visit] = ()
        if kind.endswith(_ENTERED):
            owner = self._enter(event, owner, iteration)
            changed = [owner]
        elif kind.endswith(_EXITED):
            owner = self._find_open(_details(event)["name"], owner) or owner
            changed = self._exit(owner, event) if owner else ()
        elif kind in _ENDS:
            changed = list(self._end(event, owner))
        else:
            owner = self._find_meant(kind, owner)
            changed = _note(owner, event)
        if owner and kind.endswith(_EXITED):
            iteration = owner.iteration
        self._owners[event["id"]] = (owner, iteration)
        return changed

    def _enter(self, event: Event, before: Visit | None, iteration: int | None) -> Visit:
        is_inside = before is not None and before.kind in _HOLDERS and before.ending is None
        parent = before if is_inside or before is None else before.parent
        visit = Visit(
            name=_details(event)["name"],
            kind=event["type"].removesuffix(_ENTERED),
            entered=event["timestamp"],
            parent=parent,
            after=None if is_inside else before,
            iteration=iteration if parent else None,
        )
        if before and before.name == visit.name and before.ending in (Status.FAILED, Status.ABORTED):
            self._replace(before, visit)
        self.visits.append(visit)
        return visit

    def _replace(self, stopped: Visit, again: Visit) -> None:
        """Let a visit take the place of one that failed: a redrive enters the state again, and keeps what was done."""
        again.after = stopped.after
        for visit in self.visits:
            if visit.parent is stopped:
                visit.parent = again

    def _find_open(self, name: str, near: Visit | None) -> Visit | None:
        """The visit to a state that goes on: the one that an event belongs to, or is inside of, before any other."""
        for visit in _list_with_parents(near):
            if visit.name == name and visit.ending is None:
                return visit
        return next((visit for visit in reversed(self.visits) if visit.name == name and visit.ending is None), None)

    def _find_meant(self, kind: str, near: Visit | None) -> Visit | None:
        """The visit that an event without a name is about."""
        holder = next((holder for holder in _HOLDERS if kind.startswith(f"{holder}State")), None)
        if holder:
            return next((visit for visit in _list_with_parents(near) if visit.kind == holder), near)
        if kind.endswith("Scheduled") and (near is None or near.ending is Status.SUCCEEDED):
            # Where a redriven execution goes on, the event before does not say.
            stopped = [visit for visit in self.visits if visit.ending in (Status.FAILED, Status.ABORTED)]
            return next((visit for visit in reversed(stopped) if visit.kind not in _HOLDERS), near)
        return near

    def _exit(self, visit: Visit, event: Event) -> list[Visit]:
        """Close a visit; what still goes on inside of it has failed, or was stopped because something else has."""
        others = self.visits if visit.kind in _HOLDERS else []
        inside = [other for other in others if other.ending is None and visit in _list_with_parents(other.parent)]
        for other in inside:
            other.end(Status.FAILED if other.has_failed else Status.ABORTED, event["timestamp"])
        visit.end(Status.CAUGHT if visit.has_failed else Status.SUCCEEDED, event["timestamp"])
        return [*inside, visit]

    def _end(self, event: Event, owner: Visit | None) -> Iterator[Visit]:
        """Close what goes on when an execution ends; what made it fail has failed, and all else is stopped."""
        details = _details(event)
        is_failure = event["type"] == "ExecutionFailed"
        culprits = list(_list_with_parents(owner)) if is_failure else []
        for visit in (visit for visit in self.visits if visit.ending is None):
            has_failed = is_failure and (visit in culprits or visit.has_failed)
            visit.end(Status.FAILED if has_failed else Status.ABORTED, event["timestamp"])
            if visit in culprits or event["type"] == "ExecutionTimedOut":
                visit.error = visit.error or details.get("error") or "States.Timeout"
                visit.cause = visit.cause or read_cause(details.get("cause") or "")
            yield visit


def read_history(events: Iterable[Event]) -> History:
    """The history that events make, the first of them first."""
    history = History()
    history.read(events)
    return history


def _note(visit: Visit | None, event: Event) -> list[Visit]:
    """Note tries, failures and stops of the visit that an event belongs to."""
    kind: str = event["type"]
    if visit is None:
        return []
    if kind.endswith(_TRIES):
        # A redrive goes on inside of what had ended with it.
        for outer in _list_with_parents(visit.parent):
            outer.has_failed, outer.ending, outer.left = False, None, None
        visit.try_again()
    elif kind.endswith("StateAborted"):
        visit.end(Status.ABORTED, event["timestamp"])
    elif kind.endswith(_FAILURES) and not kind.startswith(("MapIteration", "MapRun")):
        details = _details(event)
        visit.has_failed = True
        visit.error = details.get("error") or visit.error
        visit.cause = read_cause(details.get("cause") or "") or visit.cause
    else:
        return []
    return [visit]


def _list_with_parents(visit: Visit | None) -> Iterator[Visit]:
    while visit is not None:
        yield visit
        visit = visit.parent


def _details(event: Event) -> Mapping[str, Any]:
    """What an event says beside its type; the key for that differs from type to type."""
    found: Mapping[str, Any] = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
    return found
