"""An execution of a state machine: it runs, is stopped, runs out of time, and is gone on with after it failed."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from headrace.local.engine.asl.callbacks import Callbacks
from headrace.local.engine.asl.documents import write_json, write_timestamp
from headrace.local.engine.asl.failures import RUNTIME, TIMEOUT, StateFailedError
from headrace.local.engine.asl.flows import Flow
from headrace.local.engine.asl.history import Trail
from headrace.local.engine.asl.languages import JSONPATH
from headrace.local.engine.asl.runner import StateRunner
from headrace.local.engine.asl.surroundings import Clock, Tasks

# https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
MOST_EVENTS_OF_REDRIVEN: Final = 24_999
MOST_REDRIVES: Final = 1_000
REDRIVABLE_PERIOD: Final = timedelta(days=14)

logger = logging.getLogger(__name__)


class Status(StrEnum):
    """How an execution stands."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


class NotRedrivableError(Exception):
    """An execution that cannot be gone on with."""


def find_redrive_refusal(status: str, *, events: int, redrives: int, rested: timedelta) -> str | None:
    """Why an execution cannot be gone on with, if it cannot, in the words of DescribeExecution.

    Args:
        status: How it stands.
        events: How many events its history has.
        redrives: How often it was gone on with.
        rested: How long ago it has ended.
    """
    if status in (Status.RUNNING, Status.SUCCEEDED):
        return f"Execution is {status} and cannot be redriven"
    if events >= MOST_EVENTS_OF_REDRIVEN:
        return "Execution history event limit exceeded"
    if rested > REDRIVABLE_PERIOD:
        return "Execution redrivable period exceeded"
    if redrives >= MOST_REDRIVES:
        return f"Execution has been redriven {MOST_REDRIVES} times and cannot be redriven"
    return None


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What the context object says of an execution that does not change.

    Attributes:
        arn: The execution's ARN.
        name: Its name.
        role_arn: The role that it works as.
        machine_arn: The state machine's ARN.
        machine_name: The state machine's name.
        started: When it was started.
    """

    arn: str
    name: str
    role_arn: str
    machine_arn: str
    machine_name: str
    started: datetime


class Execution:
    """An execution of a state machine.

    Args:
        definition: A definition that `check_definition` has found nothing wrong with.
        given: Its input.
        identity: What it is called.
        tasks: Does what its states ask for.
        clock: The time.
        callbacks: Where its tasks wait for answers.
        events: Where its history is written.
    """

    def __init__(
        self,
        definition: Mapping[str, Any],
        given: Any,
        *,
        identity: Identity,
        tasks: Tasks,
        clock: Clock,
        callbacks: Callbacks,
        events: list[dict[str, Any]],
    ) -> None:
        self.status = Status.RUNNING
        self.output: Any = None
        self.error: str | None = None
        self.cause: str | None = None
        self.redrive_count = 0
        self.redriven: datetime | None = None
        self._ended: datetime | None = None
        self.events = events
        self._input = given
        self._identity = identity
        self._clock = clock
        self._limit = definition.get("TimeoutSeconds")
        self._trail = Trail(events, clock.now)
        self._flow = Flow(machine=definition, trail=self._trail, input=given)
        self._runner = StateRunner(
            tasks=tasks,
            clock=clock,
            callbacks=callbacks,
            language=definition.get("QueryLanguage", JSONPATH),
            describe=self._describe,
        )
        self._stopped: tuple[str | None, str | None] | None = None
        self._work: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None
        self._trail.add("ExecutionStarted", input=write_json(given), roleArn=identity.role_arn)

    async def run(self) -> None:
        """Run it from where it is to its end; then its status says how it ended."""
        if self.status != Status.RUNNING:
            return
        work = asyncio.ensure_future(self._run_in_time())
        self._work = (asyncio.get_running_loop(), work)
        if self._stopped:
            work.cancel()
        try:
            self.output = await work
            self._end(Status.SUCCEEDED, "ExecutionSucceeded")
        except StateFailedError as failure:
            self._end(Status.FAILED, "ExecutionFailed", failure.error, failure.cause)
        except TimeoutError:
            self._end(Status.TIMED_OUT, "ExecutionTimedOut", TIMEOUT)
        except asyncio.CancelledError:
            # Another cancellation than that by `stop` is the caller's.
            if not self._stopped:
                raise
            self._end(Status.ABORTED, "ExecutionAborted", *self._stopped)
        except Exception as error:
            logger.exception("execution_broke arn=%s", self._identity.arn)
            self._end(Status.FAILED, "ExecutionFailed", RUNTIME, str(error))
        finally:
            self._work = None

    def stop(self, error: str | None = None, cause: str | None = None) -> None:
        """Abort it, from any thread; one that has ended is left as it is."""
        if self.status != Status.RUNNING:
            return
        self._stopped = (error, cause)
        if self._work:
            loop, work = self._work
            loop.call_soon_threadsafe(work.cancel)

    def redrive(self) -> None:
        """Make it ready to run on from the state at which it ended.

        Raises:
            NotRedrivableError: If it runs or has succeeded, ended too long ago, was redriven too often, or its history
                is too long.
        """
        now = self._clock.now()
        rested = now - (self._ended or now)
        redrives, events = self.redrive_count, len(self.events)
        if reason := find_redrive_refusal(self.status, events=events, redrives=redrives, rested=rested):
            raise NotRedrivableError(reason)
        self.redrive_count += 1
        self.redriven = now
        self.status, self.error, self.cause, self._stopped = Status.RUNNING, None, None, None
        self._trail.add("ExecutionRedriven", redriveCount=self.redrive_count)

    async def _run_in_time(self) -> Any:
        async with self._clock.limit(self._limit):
            return await self._runner.run_flow(self._flow)

    def _end(self, status: Status, event: str, error: str | None = None, cause: str | None = None) -> None:
        self.status, self.error, self.cause = status, error, cause
        self._ended = self._clock.now()
        output = write_json(self.output) if status == Status.SUCCEEDED else None
        self._trail.add(event, error=error, cause=cause, output=output)

    def _describe(self) -> dict[str, Any]:
        identity = self._identity
        execution = {
            "Id": identity.arn,
            "Input": self._input,
            "Name": identity.name,
            "RoleArn": identity.role_arn,
            "StartTime": write_timestamp(identity.started),
            "RedriveCount": self.redrive_count,
        }
        if self.redriven:
            execution["RedriveTime"] = write_timestamp(self.redriven)
        machine = {"Id": identity.machine_arn, "Name": identity.machine_name}
        return {"Execution": execution, "StateMachine": machine}
