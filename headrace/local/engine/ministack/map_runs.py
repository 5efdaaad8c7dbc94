"""Runs of distributed Map states, where MiniStack keeps what it answers about them and about their executions."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from headrace.local.engine.asl.documents import write_timestamp
from headrace.local.engine.asl.flows import MapRun, RunStatus

Answer = tuple[int, dict[str, str], bytes]
Serve = Callable[[dict[str, Any]], Answer]

# What is asked about runs and their executions, and the function of MiniStack that answers.
_ASKED: Final = (
    "_list_map_runs",
    "_describe_map_run",
    "_list_executions",
    "_describe_execution",
    "_get_execution_history",
)
_MAP_RUN: Final = "mapRunArn"


class MapRunRecords:
    """What MiniStack answers about Map runs.

    Args:
        states: MiniStack's Step Functions.
    """

    def __init__(self, states: Any) -> None:
        self._states = states
        self._runs: list[MapRun] = []

    def install(self) -> None:
        """Teach MiniStack to answer about these runs as they stand."""
        for function in _ASKED:
            setattr(self._states, function, self._answer_freshly(getattr(self._states, function)))
        self._states._update_map_run = self._refuse_update
        self._states._begin_map_run = self._add

    def _add(self, run: MapRun) -> None:
        if run not in self._runs:
            self._runs.append(run)
        self._write(run)

    def _write(self, run: MapRun) -> None:
        self._states._map_runs[run.arn] = {**run.describe(), "_stateMachineArn": run.machine_arn}
        for child in run.children:
            # The list of events is the execution's own, which grows: what is billed is counted in it at any time.
            record = self._states._executions.setdefault(
                child.arn, {_MAP_RUN: run.arn, "events": child.flow.trail.events, "output": None}
            )
            record.update(child.describe())
            record["startDate"] = record["startDate"] or write_timestamp(run.started)

    def _answer_freshly(self, serve: Serve) -> Serve:
        def answer(request: dict[str, Any]) -> Answer:
            for run in self._runs:
                self._write(run)
            # What has ended is as it was written, until it is gone on with.
            self._runs = [run for run in self._runs if run.status is RunStatus.RUNNING]
            status, headers, body = serve(request)
            if _MAP_RUN in request and b'"executions"' in body:
                return self._states.json_response(_leave_out_waiting(json.loads(body)))  # type: ignore[no-any-return]
            return status, headers, body

        return answer

    def _refuse_update(self, _request: Mapping[str, Any]) -> Answer:
        refusal = "UpdateMapRun is not served by the local cloud"
        answer: Answer = self._states.error_response_json("ValidationException", refusal, 400)
        return answer


def is_of_map_run(record: Mapping[str, Any]) -> bool:
    """Whether an execution was started by a Map run."""
    return _MAP_RUN in record


def _leave_out_waiting(listed: dict[str, Any]) -> dict[str, Any]:
    """What was not started is no execution yet."""
    begun = [found for found in listed["executions"] if found["status"] != RunStatus.PENDING]
    return {**listed, "executions": begun}
