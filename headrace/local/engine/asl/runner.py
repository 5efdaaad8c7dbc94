"""Runs state machines from where they are to their end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from headrace.local.engine.asl.branch_states import run_map, run_parallel
from headrace.local.engine.asl.callbacks import Callbacks
from headrace.local.engine.asl.documents import write_json, write_timestamp
from headrace.local.engine.asl.failures import QUERY_EVALUATION, RUNTIME, StateFailedError, matches
from headrace.local.engine.asl.flows import Flow
from headrace.local.engine.asl.languages import JSONPATH, LANGUAGES
from headrace.local.engine.asl.plain_states import run_choice, run_fail, run_pass, run_succeed, run_wait
from headrace.local.engine.asl.retries import Retries
from headrace.local.engine.asl.surroundings import Clock, Tasks
from headrace.local.engine.asl.task_states import run_task
from headrace.local.engine.asl.visits import Leaving, Visit

_STATES: Final[Mapping[str, Callable[[Visit], Awaitable[Leaving]]]] = {
    "Pass": run_pass,
    "Succeed": run_succeed,
    "Fail": run_fail,
    "Choice": run_choice,
    "Wait": run_wait,
    "Task": run_task,
    "Parallel": run_parallel,
    "Map": run_map,
}
_ABORTED: Final = frozenset({"Task", "Parallel", "Map", "Wait"})
_BRANCHING: Final = frozenset({"Parallel", "Map"})


class StateRunner:
    """Runs state machines from where they are to their end.

    Args:
        tasks: Does what states ask for.
        clock: The time.
        callbacks: Tasks that wait for an answer.
        language: The query language of states that name none.
        describe: What the context object says of the execution.
    """

    def __init__(
        self,
        *,
        tasks: Tasks,
        clock: Clock,
        callbacks: Callbacks,
        language: str,
        describe: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.tasks = tasks
        self.clock = clock
        self.callbacks = callbacks
        self._language = language
        self._describe = describe

    async def run_flow(self, flow: Flow) -> Any:
        """Run a state machine to its end.

        Returns:
            Its output.

        Raises:
            StateFailedError: If it fails.
        """
        while flow.state is not None:
            visit = self.enter(flow)
            kind = visit.state["Type"]
            flow.trail.add(f"{kind}StateEntered", name=visit.name, input=write_json(flow.input))
            try:
                leaving = await self._try(visit)
            except asyncio.CancelledError:
                if kind in _ABORTED:
                    flow.trail.add(f"{kind}StateAborted")
                raise
            flow.trail.add(f"{kind}StateExited", name=visit.name, output=write_json(leaving.output))
            flow.move_on(leaving.next, leaving.output, leaving.assigned)
        return flow.input

    def enter(self, flow: Flow) -> Visit:
        """Come to the state that a flow is at."""
        name = str(flow.state)
        state = flow.machine["States"][name]
        return Visit(
            name=name,
            state=state,
            flow=flow,
            language=LANGUAGES[state.get("QueryLanguage", self._language or JSONPATH)],
            runner=self,
            shared_context=self._describe(),
            entered=write_timestamp(self.clock.now()),
        )

    async def _try(self, visit: Visit) -> Leaving:
        """Run a state as often as its retriers say; what fails for good goes to its catchers."""
        retries = Retries(visit.state.get("Retry", ()))
        while True:
            try:
                return await run_state(visit)
            except StateFailedError as error:
                failure = locate(error, visit)
                self._record(failure, visit)
                pause = retries.find_pause(failure)
                if pause is None:
                    return _catch(visit, failure)
            await self.clock.sleep(pause)
            visit.attempt += 1
            visit.flow.begin_anew()

    def _record(self, failure: StateFailedError, visit: Visit) -> None:
        if failure.error == QUERY_EVALUATION:
            visit.flow.trail.add("EvaluationFailed", error=failure.error, cause=failure.cause, state=visit.name)
        if visit.state["Type"] in _BRANCHING:
            visit.flow.trail.add(f"{visit.state['Type']}StateFailed")


def _catch(visit: Visit, failure: StateFailedError) -> Leaving:
    for catcher in visit.state.get("Catch", ()):
        if matches(catcher["ErrorEquals"], failure.error):
            return visit.catch(catcher, failure.output)
    raise failure


async def run_state(visit: Visit) -> Leaving:
    """Run a state once.

    Raises:
        StateFailedError: If it fails.
    """
    return await _STATES[visit.state["Type"]](visit)


def locate(failure: StateFailedError, visit: Visit) -> StateFailedError:
    """A failure of the interpreter's own says where it happened."""
    where = "An error occurred while executing the state"
    cause = failure.cause or ""
    if failure.error not in (QUERY_EVALUATION, RUNTIME) or visit.state["Type"] == "Fail" or cause.startswith(where):
        return failure
    return StateFailedError(failure.error, f"{where} '{visit.name}'. {cause}")
