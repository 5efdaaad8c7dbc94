"""Executions on the interpreter, where MiniStack keeps what it answers about them."""

import asyncio
import contextvars
import importlib
import json
import logging
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headrace.local.engine.asl.callbacks import Callbacks, UnknownTokenError
from headrace.local.engine.asl.definition.checker import InvalidDefinitionError, check_definition
from headrace.local.engine.asl.documents import write_json, write_timestamp
from headrace.local.engine.asl.execution import Execution, Identity, NotRedrivableError, Status, find_redrive_refusal
from headrace.local.engine.asl.failures import StateFailedError
from headrace.local.engine.ministack.callers import acting_role
from headrace.local.engine.ministack.map_runs import MapRunRecords, is_of_map_run
from headrace.local.engine.ministack.revisions import describe_revision, find_revision
from headrace.local.engine.ministack.status_events import describe_change, publish_change
from headrace.local.engine.ministack.tasks import CloudClock, EngineTasks, run_on_clock
from headrace.local.engine.moving import Fired, Happened
from headrace.local.engine.redrive_tokens import RedriveTokens
from headrace.local.faults import Caller, caller

_PATIENCE_SECONDS = 5
_NOT_REDRIVABLE = "ExecutionNotRedrivable"
_NOT_STANDARD = "Execution is not of a standard workflow and cannot be redriven"

logger = logging.getLogger(__name__)

Answer = tuple[int, dict[str, str], bytes]
Serve = Callable[[dict[str, Any]], Answer]


@dataclass
class Held:
    """An execution, and whether it rests.

    Attributes:
        execution: The execution.
        record: What MiniStack answers about it.
        has_ended: Set while it does not run.
        tokens: By which requests it was redriven.
    """

    execution: Execution
    record: dict[str, Any]
    has_ended: threading.Event = field(default_factory=threading.Event)
    tokens: RedriveTokens = field(default_factory=RedriveTokens)


class Executions:
    """The executions of a cloud, by their ARN.

    Args:
        states: MiniStack's Step Functions.
    """

    def __init__(self, states: Any) -> None:
        self.callbacks = Callbacks()
        self._states = states
        self._tasks = EngineTasks(states)
        self._clock = CloudClock()
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}
        self._ended = Happened()

    def find_due(self) -> None:
        """Nothing but their waits is due at a time, and these are on the clock."""

    def tick(self) -> list[Fired]:
        """Those that have ended since the last time."""
        return self._ended.take()

    def is_starting(self) -> bool:
        """Whether one was started whose thread does not work yet."""
        records = list(self._states._executions.values())
        return any(
            record["status"] == Status.RUNNING and record["executionArn"] not in self._held
            for record in records
            if not is_of_map_run(record)
        )

    def run(self, arn: str) -> None:
        """Run an execution that was started, on the thread that MiniStack has made for it."""
        record = self._states._executions.get(arn)
        with self._lock:
            if not record or record["status"] != Status.RUNNING:
                return
            held = self._begin(record)
        if held:
            self._run(held)
        else:
            self.publish(record)

    def stop(self, request: dict[str, Any]) -> Answer:
        """Serve StopExecution for an execution that runs."""
        record = self._states._executions[request["executionArn"]]
        error, cause = request.get("error"), request.get("cause")
        with self._lock:
            held = self._held.get(record["executionArn"])
            self._write_end(record, Status.ABORTED, error=error, cause=cause)
            if held:
                held.execution.stop(error, cause)
            else:
                details = {"error": error or "", "cause": cause or ""}
                self._states._add_event(record, "ExecutionAborted", {"executionAbortedEventDetails": details})
        self.publish(record)
        return self._answer({"stopDate": record["stopDate"]})

    def redrive(self, request: dict[str, Any]) -> Answer:
        """Serve RedriveExecution."""
        arn = request["executionArn"]
        if arn not in self._states._executions:
            return self._refuse("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        held = self._held.get(arn)
        if not held or held.record.get("sync"):
            return self._refuse(_NOT_REDRIVABLE, _NOT_STANDARD)
        token = request.get("clientToken")
        if answered := held.tokens.find(token, self._clock.now()):
            return self._answer({"redriveDate": answered})
        # What was stopped a moment ago may not have come to rest.
        if held.record["status"] != Status.RUNNING:
            held.has_ended.wait(_PATIENCE_SECONDS)
        try:
            with self._lock:
                redriven = self._begin_again(held)
                held.tokens.note(token, self._clock.now(), redriven)
        except NotRedrivableError as error:
            return self._refuse(_NOT_REDRIVABLE, str(error))
        self.publish(held.record)
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._run, held), daemon=True).start()
        return self._answer({"redriveDate": redriven})

    def describe(self, record: dict[str, Any]) -> dict[str, Any]:
        """What DescribeExecution answers about redriving an execution, and about what it was started from."""
        reason = _NOT_STANDARD
        if not record.get("sync"):
            now = self._clock.now()
            ended = datetime.fromisoformat(record["stopDate"]) if record["stopDate"] else now
            redrives, events = record.get("redriveCount", 0), len(record["events"])
            reason = find_redrive_refusal(record["status"], events=events, redrives=redrives, rested=now - ended) or ""
        status = {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
        return {**self.describe_listed(record), **(status if reason else {"redriveStatus": "REDRIVABLE"})}

    def publish(self, record: dict[str, Any]) -> None:
        """Say on the event bus that an execution has another status, as Step Functions does for standard workflows."""
        if record.get("sync"):
            return
        try:
            publish_change(describe_change(record, self.describe(record)))
        except Exception:
            logger.exception("status_not_published arn=%s", record["executionArn"])

    def describe_listed(self, record: dict[str, Any]) -> dict[str, Any]:
        """How often an execution was redriven, when it was last, and by which version and alias it was started."""
        date = {"redriveDate": record["redriveDate"]} if "redriveDate" in record else {}
        return {"redriveCount": record.get("redriveCount", 0), **date, **describe_revision(record)}

    def _begin_again(self, held: Held) -> str:
        if held.record["status"] == Status.RUNNING:
            raise NotRedrivableError("Execution is RUNNING and cannot be redriven")
        held.execution.redrive()
        held.has_ended.clear()
        redriven = write_timestamp(held.execution.redriven or self._clock.now())
        held.record.update(status=Status.RUNNING.value, stopDate=None, output=None, error=None, cause=None)
        held.record.update(redriveCount=held.execution.redrive_count, redriveDate=redriven)
        return redriven

    def _begin(self, record: dict[str, Any]) -> Held | None:
        machine = self._states._state_machines.get(record["stateMachineArn"])
        revision = find_revision(self._states, record)
        if not machine or not revision:
            return None
        events: list[dict[str, Any]] = []
        try:
            definition = check_definition(revision.definition)
        except InvalidDefinitionError as error:
            self._write_end(record, Status.FAILED, error="States.Runtime", cause=str(error))
            return None
        execution = Execution(
            definition,
            json.loads(record["input"]),
            identity=Identity(
                arn=record["executionArn"],
                name=record["name"],
                role_arn=revision.role_arn,
                machine_arn=record["stateMachineArn"],
                machine_name=machine["name"],
                started=datetime.fromisoformat(record["startDate"]),
            ),
            tasks=self._tasks,
            clock=self._clock,
            callbacks=self.callbacks,
            events=events,
        )
        record["events"] = events
        self._held[record["executionArn"]] = held = Held(execution, record)
        return held

    def _run(self, held: Held) -> None:
        revision = find_revision(self._states, held.record)
        token = acting_role.set(revision.role_arn if revision else "")
        calling = caller.set(Caller(execution=held.record["name"]))
        try:
            run_on_clock(held.execution.run())
            is_changed = self._write_result(held)
        finally:
            caller.reset(calling)
            acting_role.reset(token)
            held.has_ended.set()
        if is_changed:
            self.publish(held.record)

    def _write_result(self, held: Held) -> bool:
        """Whether this is its end: StopExecution has written down that of an execution which it stopped."""
        execution = held.execution
        output = write_json(execution.output) if execution.status == Status.SUCCEEDED else None
        with self._lock:
            if held.record["status"] != Status.RUNNING:
                return False
            end = {"output": output, "error": execution.error, "cause": execution.cause}
            self._write_end(held.record, execution.status, **end)
            return True

    def _write_end(self, record: dict[str, Any], status: Status, **details: str | None) -> None:
        record.update(details, status=status.value, stopDate=self._states.now_iso())
        name = ":".join(record["executionArn"].split(":")[-2:])
        outcome = f"{status.value}: {record['error']}" if record.get("error") else status.value
        self._ended.note([Fired(self._clock.now(), f"execution {name}", outcome)])

    def _answer(self, body: dict[str, Any]) -> Answer:
        answer: Answer = self._states.json_response(body)
        return answer

    def _refuse(self, code: str, message: str) -> Answer:
        answer: Answer = self._states.error_response_json(code, message, 400)
        return answer


def install_executions() -> Executions:
    """Teach MiniStack's Step Functions to execute with the interpreter, and to redrive."""
    states: Any = importlib.import_module("ministack.services.stepfunctions")
    app: Any = importlib.import_module("ministack.app")
    executions = Executions(states)

    MapRunRecords(states).install()
    states._run_execution = executions.run
    states._emit_execution_status_event = executions.publish
    states._stop_execution = _leave_ended(states, executions, states._stop_execution)
    states._redrive_execution = executions.redrive
    states._describe_execution = _describe_further(states, executions, states._describe_execution)
    states._list_executions = _describe_each(states, executions, states._list_executions)
    states._send_task_success = _send(states, executions.callbacks, _read_output, states._send_task_success)
    states._send_task_failure = _send(states, executions.callbacks, _read_failure, states._send_task_failure)
    states._send_task_heartbeat = _beat(states, executions.callbacks, states._send_task_heartbeat)
    app.SERVICE_HANDLERS["states"] = _serve_redrives(states, app.SERVICE_HANDLERS["states"])
    return executions


def _serve_redrives(states: Any, serve: Callable[..., Coroutine[Any, Any, Answer]]) -> Callable[..., Any]:
    """RedriveExecution waits for an execution that was stopped, so not on the loop that answers it."""

    async def run(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        if not headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            return await serve(method, path, headers, body, query)
        answer: Answer = await asyncio.to_thread(lambda: states._redrive_execution(json.loads(body or b"{}")))
        finalized: Answer = states._finalize_response(answer)
        return finalized

    return run


def _leave_ended(states: Any, executions: Executions, stop: Serve) -> Serve:
    """StopExecution takes an execution that has ended already, and leaves it as it is."""

    def run(request: dict[str, Any]) -> Answer:
        execution = states._executions.get(request["executionArn"])
        if not execution:
            return stop(request)
        if execution["status"] != Status.RUNNING:
            answer: Answer = states.json_response({"stopDate": execution["stopDate"]})
            return answer
        return executions.stop(request)

    return run


def _describe_further(states: Any, executions: Executions, describe: Serve) -> Serve:
    def run(request: dict[str, Any]) -> Answer:
        status, headers, body = describe(request)
        if status >= 400:
            return status, headers, body
        record = states._executions[request["executionArn"]]
        answer: Answer = states.json_response({**json.loads(body), **executions.describe(record)})
        return answer

    return run


def _describe_each(states: Any, executions: Executions, serve: Serve) -> Serve:
    def run(request: dict[str, Any]) -> Answer:
        status, headers, body = serve(request)
        listed = json.loads(body)
        if status >= 400:
            return status, headers, body
        for found in listed["executions"]:
            found |= executions.describe_listed(states._executions[found["executionArn"]])
        answer: Answer = states.json_response(listed)
        return answer

    return run


def _send(states: Any, callbacks: Callbacks, read: Callable[[dict[str, Any]], Any], serve: Serve) -> Serve:
    """What is sent with a token of the interpreter's; activities have tokens of MiniStack's."""

    def run(request: dict[str, Any]) -> Answer:
        try:
            callback = callbacks.find(request["taskToken"])
        except UnknownTokenError:
            return serve(request)
        callback.send(read(request))
        callbacks.close(callback)
        answer: Answer = states.json_response({})
        return answer

    return run


def _beat(states: Any, callbacks: Callbacks, serve: Serve) -> Serve:
    def run(request: dict[str, Any]) -> Answer:
        try:
            callbacks.find(request["taskToken"]).beat()
        except UnknownTokenError:
            return serve(request)
        answer: Answer = states.json_response({})
        return answer

    return run


def _read_output(request: dict[str, Any]) -> Any:
    return json.loads(request["output"])


def _read_failure(request: dict[str, Any]) -> StateFailedError:
    return StateFailedError(request.get("error", "States.TaskFailed"), request.get("cause", ""))
