"""State machines at a point, each of which can be gone on with: an execution, a branch, an iteration, a Map run."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from headrace.local.engine.asl.documents import write_json, write_timestamp
from headrace.local.engine.asl.failures import StateFailedError
from headrace.local.engine.asl.history import Trail
from headrace.local.engine.asl.tolerance import Tolerance


@dataclass(kw_only=True)
class Flow:
    """A state machine at a point.

    Attributes:
        machine: Its StartAt and States.
        trail: Its events.
        input: The input of the state that it is at; once it has ended, its output.
        context: What its context object has besides the execution's.
        outer: Variables that it reads and cannot assign.
        variables: Its own variables.
        state: Where it is; nothing once it has ended.
        children: The branches or iterations of the state that it is at, if these have begun.
        map_run: The run of the distributed Map state that it is at, if that has begun.
    """

    machine: Mapping[str, Any]
    trail: Trail
    input: Any
    context: Mapping[str, Any] = field(default_factory=dict)
    outer: Mapping[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    state: str | None = field(init=False)
    children: "list[Flow] | None" = None
    map_run: "MapRun | None" = None

    def __post_init__(self) -> None:
        self.state = self.machine["StartAt"]

    @property
    def is_at_end(self) -> bool:
        """Whether it has ended with an output."""
        return self.state is None

    @property
    def readable(self) -> dict[str, Any]:
        """All variables that its states can read."""
        return {**self.outer, **self.variables}

    def move_on(self, state: str | None, output: Any, assigned: Mapping[str, Any]) -> None:
        """Leave the state that it is at."""
        self.variables |= assigned
        self.state, self.input = state, output
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what the state that it is at has begun."""
        self.children, self.map_run = None, None


class RunStatus(StrEnum):
    """How a Map run, or an execution that it starts, stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"


@dataclass(kw_only=True)
class Child:
    """An execution that a Map run starts.

    Attributes:
        name: Its name.
        arn: Its ARN.
        machine_arn: The ARN of the state machine inside the Map state.
        flow: Where it is.
        given: Its input.
        items: How many items it was given.
        status: How it stands.
        started: When it was started, if it was.
        stopped: When it ended, if it has.
        failure: How it failed, if it did.
    """

    name: str
    arn: str
    machine_arn: str
    flow: Flow
    given: Any
    items: int = 1
    status: RunStatus = RunStatus.PENDING
    started: datetime | None = None
    stopped: datetime | None = None
    failure: StateFailedError | None = None

    def begin(self, now: datetime) -> None:
        """Start it, or go on with it."""
        self.status, self.stopped, self.failure = RunStatus.RUNNING, None, None
        if self.started is None:
            self.started = now
            self.flow.trail.add("ExecutionStarted", input=write_json(self.given))

    def end(self, status: RunStatus, now: datetime, failure: StateFailedError | None = None) -> None:
        """Note how it ended."""
        self.status, self.stopped, self.failure = status, now, failure
        error, cause = (failure.error, failure.cause) if failure else (None, None)
        output = write_json(self.flow.input) if status is RunStatus.SUCCEEDED else None
        self.flow.trail.add(f"Execution{status.capitalize()}", output=output, error=error, cause=cause)

    def describe(self) -> dict[str, Any]:
        """What is answered about it, and what a file of results says of it."""
        described: dict[str, Any] = {
            "executionArn": self.arn,
            "stateMachineArn": self.machine_arn,
            "name": self.name,
            "status": self.status.value,
            "startDate": write_timestamp(self.started) if self.started else None,
            "stopDate": write_timestamp(self.stopped) if self.stopped else None,
            "input": write_json(self.given),
            "inputDetails": {"included": True},
        }
        if self.status is RunStatus.SUCCEEDED:
            described |= {"output": write_json(self.flow.input), "outputDetails": {"included": True}}
        if self.failure:
            described |= {"error": self.failure.error, "cause": self.failure.cause}
        return described


@dataclass(kw_only=True)
class MapRun:
    """A run of a distributed Map state.

    Attributes:
        arn: Its ARN.
        execution_arn: The execution whose state it is.
        machine_arn: The ARN of the state machine inside the state.
        most: How many executions run at once.
        tolerance: How many of them may fail.
        children: Those executions.
        started: When it was started.
        stopped: When it ended, if it has.
        status: How it stands.
        redrives: How often it was gone on with.
        written: How many results are in files.
    """

    arn: str
    execution_arn: str
    machine_arn: str
    most: int
    tolerance: Tolerance
    children: list[Child] = field(default_factory=list)
    started: datetime
    stopped: datetime | None = None
    status: RunStatus = RunStatus.RUNNING
    redrives: int = 0
    written: int = 0

    @property
    def id(self) -> str:
        """Its own part of its ARN, after which the folder of its results is called."""
        return self.arn.rpartition(":")[2]

    def end(self, status: RunStatus, now: datetime) -> None:
        """Note how it ended."""
        self.status, self.stopped = status, now

    def go_on(self) -> None:
        """Take up what has not succeeded."""
        self.status, self.stopped, self.redrives = RunStatus.RUNNING, None, self.redrives + 1
        self.tolerance.failed, self.tolerance.is_exceeded = 0, False

    def list_by_status(self, *statuses: RunStatus) -> list[Child]:
        """Its executions that stand so."""
        return [child for child in self.children if child.status in statuses]

    def describe(self) -> dict[str, Any]:
        """What DescribeMapRun answers."""
        stop = {"stopDate": write_timestamp(self.stopped)} if self.stopped else {}
        return {
            "mapRunArn": self.arn,
            "executionArn": self.execution_arn,
            "status": self.status.value,
            "startDate": write_timestamp(self.started),
            **stop,
            "maxConcurrency": self.most,
            "toleratedFailurePercentage": self.tolerance.most_percent or 0,
            "toleratedFailureCount": int(self.tolerance.most or 0),
            "itemCounts": self._count((child.status, child.items) for child in self.children),
            "executionCounts": self._count((child.status, 1) for child in self.children),
            "redriveCount": self.redrives,
        }

    def _count(self, found: Iterable[tuple[RunStatus, int]]) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for status, size in found:
            counts[status] += size
        named = {status.lower(): counts[status] for status in RunStatus}
        return {**named, "timedOut": 0, "total": counts.total(), "resultsWritten": self.written}
