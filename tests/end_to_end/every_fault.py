"""The whole fault matrix: each task of the state machines and each fault that it can meet, and how executions end.

What becomes of errors of a call are the rules of `tests/stacks/pipeline/fault_rules.py`, which a task without a family
fails. So a new task gets its rows when it gets its family. Tasks that an endpoint is started by, too, meet their faults
there as well.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from headrace.contract import EndpointAction
from tests.end_to_end.fault_ways import START, STOP, STOP_UNSEEN, Way, find_way
from tests.end_to_end.tiny_programs import Behaviour
from tests.stacks.pipeline.fault_rules import FAMILIES, FAMILY_OF, Family, find_rule
from tests.stacks.pipeline.fault_rules import Fault as Error
from tests.stacks.pipeline.faults import ENDS

# As often as a task may call.
ALWAYS: Final = 10_000


class Fault(StrEnum):
    """What goes wrong."""

    TWICE = "throttled twice"
    THROTTLED = "throttled without end"
    SLOW = "takes too long"
    LOST = "answer lost"
    DENIED = "access denied"
    INVALID = "validation"
    INTERNAL = "internal failure"
    QUOTA = "quota used up twice"
    CAPACITY = "no capacity"
    FAILS = "job fails"
    LATE = "job exceeds its time"
    CRASHES = "container crashes"
    UNHEALTHY = "endpoint never healthy"
    UNHEALTHY_LATER = "endpoint unhealthy after the switch"
    GOLDEN = "golden request wrong"
    STOPPED = "stopped by hand"
    TAKEN = "name taken"
    SMALL_ROLE = "role too small"


@dataclass(frozen=True, kw_only=True)
class End:
    """How an execution ends.

    Args:
        status: Its status.
        error: The beginning of its error.
        states: The states of which the notice names one.
        left: What it leaves that costs or belongs to that, by its kind: what serves.
        gone: What of that was there before and is not then: what is being stopped.
        stays: What of that stays beside what the redriven execution makes.
        then: What a redriven execution comes to, where that is not what its way comes to.
        again: The error that its first redrive ends with; it is redriven twice then.
        has_answered: Whether what it makes may have answered before it is removed.
    """

    status: str = "FAILED"
    error: str = ""
    states: tuple[str, ...] = ()
    left: Mapping[str, int] = field(default_factory=dict)
    gone: Mapping[str, int] = field(default_factory=dict)
    stays: Mapping[str, int] = field(default_factory=dict)
    then: str = ""
    again: str = ""
    has_answered: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A fault of a task.

    Args:
        state: The task.
        fault: What goes wrong.
        action: Whether the execution is one that starts or stops the endpoint, though others have that task, too.
    """

    state: str
    fault: Fault
    action: EndpointAction | None = None

    @property
    def task(self) -> str:
        """The task, and in which executions."""
        return f"{self.state} To {self.action.capitalize()}" if self.action else self.state

    @property
    def name(self) -> str:
        """What it is called among the tests."""
        return f"{self.task}: {self.fault}"

    @property
    def way(self) -> Way:
        """How the execution comes there."""
        if self.action:
            return {EndpointAction.START: START, EndpointAction.STOP: STOP}[self.action]
        if (self.state, self.fault) == ("Look At Deletion", Fault.STOPPED):
            return STOP_UNSEEN
        return find_way("Create Endpoint" if self.fault is Fault.GOLDEN and self.state == _ASKED_LAST else self.state)

    @property
    def end(self) -> End:
        """How it ends before it is redriven."""
        return _expect(self)

    @property
    def behaviour(self) -> Behaviour:
        """What the programs do until it is redriven."""
        return _BEHAVIOURS.get((self.state, self.fault), self.way.behaviour)


# Of calls: the fault of the local cloud, for how many calls it is, and the error by the rules.
CALLS: Final[Mapping[Fault, tuple[str, int, Error]]] = {
    Fault.TWICE: ("throttle", 2, Error.THROTTLED),
    Fault.THROTTLED: ("throttle", ALWAYS, Error.THROTTLED),
    Fault.DENIED: ("denied", ALWAYS, Error.DENIED),
    Fault.INVALID: ("validation", ALWAYS, Error.INVALID),
    Fault.INTERNAL: ("internal", ALWAYS, Error.INTERNAL),
    Fault.SLOW: ("timeout", ALWAYS, Error.TIMEOUT),
    Fault.LOST: ("lost", 1, Error.INTERNAL),
    Fault.QUOTA: ("limit", 2, Error.NO_CAPACITY),
}
# Of what a call makes: the fault of the local cloud.
MADE: Final[Mapping[Fault, str]] = {
    Fault.CAPACITY: "capacity",
    Fault.FAILS: "job-fails",
    Fault.LATE: "job-hangs",
    Fault.CRASHES: "container-crashes",
    Fault.UNHEALTHY: "unhealthy",
    Fault.UNHEALTHY_LATER: "unhealthy-later",
}
_OF_CALLS: Final = (Fault.TWICE, Fault.THROTTLED, Fault.DENIED, Fault.INVALID, Fault.INTERNAL)
_OF_FAMILIES: Final[Mapping[Family, tuple[Fault, ...]]] = {
    Family.JOB: (
        Fault.QUOTA,
        Fault.CAPACITY,
        Fault.FAILS,
        Fault.LATE,
        Fault.CRASHES,
        Fault.STOPPED,
        Fault.TAKEN,
        Fault.SMALL_ROLE,
    ),
    Family.CHANGING: (Fault.QUOTA, Fault.CAPACITY, Fault.UNHEALTHY, Fault.TAKEN),
}
_ASKED_LAST: Final = "Ask Serving Model"
_TO_START: Final = ("Look For Endpoint", "Create Endpoint", "Describe Endpoint", _ASKED_LAST)
_TO_STOP: Final = ("Find Serving Endpoint",)
_OF_STATES: Final[Mapping[str, tuple[Fault, ...]]] = {
    # SageMaker looks whether the role of the model may read its data.
    "Save Model": (Fault.TAKEN, Fault.SMALL_ROLE),
    "Create Endpoint Config": (Fault.TAKEN,),
    "Update Endpoint": (Fault.UNHEALTHY_LATER, Fault.STOPPED),
    "See File System": (Fault.STOPPED,),
    "Rehearse": (Fault.GOLDEN,),
    _ASKED_LAST: (Fault.GOLDEN,),
    "Note Stopped Endpoint": (Fault.SLOW,),
    "Release To Stop": (Fault.SLOW, Fault.LOST),
    "Delete Endpoint": (Fault.SLOW, Fault.LOST),
    "Look At Deletion": (Fault.SLOW, Fault.STOPPED),
    "Find Served Note": (Fault.SLOW,),
    "Read Served Note": (Fault.SLOW,),
    "Note Served": (Fault.SLOW,),
}
_OF_STARTS: Final[Mapping[str, tuple[Fault, ...]]] = {"Create Endpoint": (Fault.LOST, Fault.STOPPED)}
# What cannot happen, and what other tests try; and why.
IMPOSSIBLE: Final[Mapping[tuple[str, Fault], str]] = {
    ("Transform", Fault.CRASHES): "a serving program that crashes is started again",
}
TRIED_ELSEWHERE: Final[Mapping[tuple[str, Fault], str]] = {
    ("Normalize", Fault.SMALL_ROLE): "its program reads S3 itself, and `tests/containers/normalizer` tries that",
}
_BEHAVIOURS: Final[Mapping[tuple[str, Fault], Behaviour]] = {
    ("Rehearse", Fault.GOLDEN): Behaviour.REHEARSED_BADLY,
    (_ASKED_LAST, Fault.GOLDEN): Behaviour.SERVED_BADLY,
    ("Train", Fault.STOPPED): Behaviour.HOLD_TRAINING,
    ("Transform", Fault.STOPPED): Behaviour.HOLD_TRANSFORM,
    **{(state, Fault.STOPPED): Behaviour.HOLD_SERVING for state in ("Create Endpoint", "Update Endpoint")},
    **{
        (state, Fault.STOPPED): Behaviour.HOLD_PROCESSING
        for state in ("Preprocess", "Rehearse", "Normalize", "Check For Drift")
    },
}
# What the names of Lambda's errors begin with.
_LAMBDA: Final = "Lambda."
_SERVES: Final = {"model": 1, "config": 1}
_ENDPOINT: Final = {"endpoint": 1}
_WATCHED: Final = ("Wait For Endpoint", "Describe Endpoint", "Endpoint In Service")
# Ends that no rule about errors of calls says.
_ENDS: Final[Mapping[tuple[str, Fault], End]] = {
    **{
        ("Create Endpoint", fault): End(error="EndpointFailed", states=("Endpoint In Service",))
        for fault in (Fault.CAPACITY, Fault.UNHEALTHY)
    },
    **{
        ("Update Endpoint", fault): End(error="EndpointRolledBack", states=("Endpoint In Service",))
        for fault in (Fault.CAPACITY, Fault.UNHEALTHY, Fault.UNHEALTHY_LATER)
    },
    # What was made under the turn that it has given back is gone.
    ("Rehearse", Fault.STOPPED): End(status="ABORTED", states=("Rehearse",), again="CreateEndpointConfigFailed"),
    ("Transform", Fault.STOPPED): End(status="ABORTED", states=("Transform",), again="TransformFailed"),
    # An update that has begun goes on.
    ("Update Endpoint", Fault.STOPPED): End(status="ABORTED", states=_WATCHED, left=_SERVES),
    # A start looks again for what was deleted when it was stopped.
    ("Create Endpoint", Fault.STOPPED): End(status="ABORTED", states=_WATCHED, again="DescribeEndpointFailed"),
    ("Look At Deletion", Fault.STOPPED): End(
        status="ABORTED", states=("Look At Deletion", "Endpoint Is Gone", "Wait For Deletion"), gone=_ENDPOINT
    ),
    **{
        ("Delete Endpoint", fault): End(error="EndpointNotDeleted", states=("Deletion Has Begun",))
        for fault in (*_OF_CALLS[1:], Fault.SLOW)
    },
    ("See File System", Fault.STOPPED): End(
        status="ABORTED", states=("Wait For File System", "See File System", "File System Ready")
    ),
    # A new endpoint was in service when it was asked.
    (_ASKED_LAST, Fault.GOLDEN): End(
        error="GoldenRequestsFailed",
        states=("Golden Requests Passed",),
        left={**_SERVES, "endpoint": 1},
        stays=_SERVES,
    ),
}
# The states that notices name for errors which are kept by another state than the task.
_KEEPERS: Final[Mapping[str, tuple[str, ...]]] = {
    "FindServingFailed": ("Nothing To Compare With",),
    "LookForEndpointFailed": ("No Endpoint Found",),
    "LookAtDeletionFailed": ("Endpoint Is Gone",),
    "TakeTurnFailed": ("Turn Not Seen", "Whose Turn", "Owner Runs"),
}


def _expect(row: Row) -> End:
    found = _ENDS.get((row.state, row.fault)) or _expect_by_rules(row)
    if row.action is not EndpointAction.START:
        return found
    # Only the endpoint is made; one that was in service when it was asked stays, and is what the redriven one finds.
    is_asked = row.state == _ASKED_LAST and found.status == "FAILED"
    return replace(
        found,
        left=_ENDPOINT if is_asked else {},
        stays={},
        then="STANDING" if is_asked else "",
        has_answered=row.state in ("Create Endpoint", "Describe Endpoint"),
    )


def _expect_by_rules(row: Row) -> End:
    state, fault, way = row.state, row.fault, row.way
    good = End(error=way.ends[0], states=(way.ends[1],)) if way.ends else End(status="SUCCEEDED")
    if fault is Fault.STOPPED:
        return End(status="ABORTED", states=(state,))
    is_passing = fault in (Fault.TWICE, Fault.QUOTA, Fault.LOST)
    if is_passing or (fault is Fault.TAKEN and FAMILY_OF[state] is not Family.JOB):
        return good
    if fault not in CALLS:
        return End(error=_name_failure(state), states=(state,))
    rule = find_rule(state, CALLS[fault][2])
    if rule.goes_on:
        return good
    if rule.end == ENDS:
        return End(error=_LAMBDA, states=good.states)
    error = rule.error or _name_failure(state)
    # The endpoint is being changed by then, and goes on with what it is changed to.
    stays = _SERVES if state in ("Describe Endpoint", _ASKED_LAST) else {}
    gone = _ENDPOINT if state == "Look At Deletion" else {}
    return End(error=error, states=_KEEPERS.get(error, (state,)), left=stays, stays=stays, gone=gone)


def _name_failure(state: str) -> str:
    return f"{state.replace(' ', '')}Failed"


def _list_faults(state: str) -> Iterator[Fault]:
    for fault in (*_OF_CALLS, *_OF_FAMILIES.get(FAMILY_OF[state], ()), *_OF_STATES.get(state, ())):
        if (state, fault) not in IMPOSSIBLE and (state, fault) not in TRIED_ELSEWHERE:
            yield fault


def _list_rows() -> Iterator[Row]:
    for states in FAMILIES.values():
        yield from (Row(state=state, fault=fault) for state in states for fault in _list_faults(state))
    for state in _TO_STOP:
        yield from (Row(state=state, fault=fault, action=EndpointAction.STOP) for fault in _list_faults(state))
    for state in _TO_START:
        faults = (*_list_faults(state), *_OF_STARTS.get(state, ()))
        yield from (Row(state=state, fault=fault, action=EndpointAction.START) for fault in faults)


ROWS: Final[Mapping[str, Row]] = {row.name: row for row in _list_rows()}


def render() -> str:
    """The ends of all rows as the table of the page about faults: a line for tasks that end alike."""
    lines: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for task in dict.fromkeys(row.task for row in ROWS.values()):
        rows = {row.fault: row for row in ROWS.values() if row.task == task}
        ends = {fault: _render_end(row) for fault, row in rows.items()}
        (lasting,) = {ends[fault] for fault in _OF_CALLS[1:]}
        others: defaultdict[str, list[str]] = defaultdict(list)
        for fault, end in ends.items():
            if fault not in _OF_CALLS:
                others[end].append(fault)
        rendered = "; ".join(f"{end}: {', '.join(faults)}" for end, faults in others.items())
        lines[lasting, rendered].append(_render_task(next(iter(rows.values()))))
    heading = ["task", ", ".join(_OF_CALLS[1:]), "other faults"]
    body = [[", ".join(states), *cells] for cells, states in lines.items()]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in [heading, ["---"] * len(heading), *body])
    return f"{table}\n\n{_render_exceptions()}"


def _render_task(row: Row) -> str:
    return f"`{row.state}` of a {row.action.lower()}" if row.action else f"`{row.state}`"


def _render_exceptions() -> str:
    """The faults and the tasks that have no row."""
    kinds = {"Cannot happen": IMPOSSIBLE, "Tried elsewhere": TRIED_ELSEWHERE}
    return "".join(
        f"- {kind}: *{fault}* of `{state}`, because {reason}.\n"
        for kind, exceptions in kinds.items()
        for (state, fault), reason in exceptions.items()
    )


def _render_end(row: Row) -> str:
    end, own = row.end, _name_failure(row.state)
    if end.status == "ABORTED":
        return f"ends, and the first redrive with `{end.again}`" if end.again else "ends"
    if end.status == "SUCCEEDED" or (row.way.ends and end.error == row.way.ends[0]):
        return "goes on"
    return "`…Failed`" if end.error == own else "Lambda's error" if end.error == _LAMBDA else f"`{end.error}`"
