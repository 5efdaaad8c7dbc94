"""One state of a state machine tried out with errors, as TestState does, until another state takes over."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final
from unittest import mock

from headrace.local.engine.asl import jsonata_expressions, retries
from headrace.local.engine.asl.callbacks import Callbacks
from headrace.local.engine.asl.failures import StateFailedError
from headrace.local.engine.asl.flows import Flow
from headrace.local.engine.asl.history import Trail
from headrace.local.engine.asl.runner import StateRunner
from headrace.local.engine.asl.trial import Mock, Outcome, try_state
from headrace.local.engine.asl.visits import Leaving
from tests.headrace.local.engine.asl.virtual import VirtualClock, run_virtually

Answer = Mapping[str, Any] | StateFailedError

EXECUTION: Final = "arn:aws:states:eu-west-1:123456789012:execution:machine:run-1"
# What it means to end where no catcher is.
ENDS: Final = "(the execution)"
_MOST_VISITS: Final = 3000


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What has become of errors in a state.

    Args:
        tries: How often the state was tried.
        seconds: How long was waited in between at most.
        way: The first state after the state's last try.
        end: The next task that was to be tried, or where the execution ends.
        error: The error that the execution then fails with.
        names: What each try wanted to make, where it makes something with a name.
    """

    tries: int
    seconds: int
    way: str
    end: str
    error: str
    names: tuple[str, ...]


class Walker:
    """Walks through a definition, from one state on.

    Args:
        definition: The definition, with its tokens filled.
        given: The execution's input.
        variables: What has been assigned before.
    """

    def __init__(self, definition: Mapping[str, Any], given: Any, variables: Mapping[str, Any]) -> None:
        self._definition = definition
        self._given = given
        self._variables = variables
        self._clock = VirtualClock()
        self._runner = StateRunner(
            tasks=_NoTasks(),
            clock=self._clock,
            callbacks=Callbacks(),
            language=definition["QueryLanguage"],
            describe=self._describe,
        )

    def walk(self, state: str, answers: Sequence[Answer], meanwhile: Mapping[str, Answer]) -> Walk:
        """Try a state with these answers, the last of them for ever, and the tasks that lead back to it with others."""
        self._clock.waits.clear()
        with _waiting_longest():
            return run_virtually(self._walk(state, answers, meanwhile))

    async def _walk(self, state: str, answers: Sequence[Answer], meanwhile: Mapping[str, Answer]) -> Walk:
        flow = Flow(machine={**self._definition, "StartAt": state}, trail=Trail([], self._clock.now), input=self._given)
        flow.variables |= self._variables
        tries, seconds, way, names = 0, 0.0, "", list[str]()
        for _ in range(_MOST_VISITS):
            kind = self._definition["States"][flow.state]["Type"]
            here, answered = flow.state, meanwhile.get(str(flow.state))
            if here != state and kind == "Task" and answered is None:
                return self._end(flow, tries, seconds, way, names)
            retried = 0
            while True:
                given = answered or (answers[min(tries, len(answers) - 1)] if here == state else None)
                if here == state:
                    tries += 1
                    names += self._find_names(flow, retried)
                outcome = await try_state(self._runner, flow, _mock(given), retried)
                if outcome.status != "RETRIABLE":
                    break
                retried += 1
                seconds += outcome.details["retryBackoffIntervalSeconds"] if here == state else 0
            leaving = _leave(outcome)
            if leaving is None or leaving.next is None:
                return self._end(flow, tries, seconds, way or ENDS, names, outcome.failure)
            way = leaving.next if here == state else way
            flow.move_on(leaving.next, leaving.output, leaving.assigned)
        raise AssertionError(f"{state}: it goes round for ever")

    def _end(
        self,
        flow: Flow,
        tries: int,
        seconds: float,
        way: str,
        names: list[str],
        failure: StateFailedError | None = None,
    ) -> Walk:
        error = flow.variables.get("failure", {}).get("Error", "") if flow.state == "Failed" else ""
        return Walk(
            tries=tries,
            seconds=round(seconds + sum(self._clock.waits)),
            way=way,
            end=ENDS if failure else str(flow.state),
            error=str(failure.error) if failure else error,
            names=tuple(names),
        )

    def _find_names(self, flow: Flow, retried: int) -> list[str]:
        visit = self._runner.enter(flow)
        visit.attempt = retried
        operation = visit.state["Resource"].rpartition(":")[2].removesuffix(".sync")
        if not operation.startswith("create"):
            return []
        arguments = visit.language.read_arguments(visit.state, visit.scope)
        member = f"{operation.removeprefix('create')}Name"
        return [arguments[member]] if member in arguments else []

    def _describe(self) -> dict[str, Any]:
        return {
            "Execution": {
                "Id": EXECUTION,
                "Input": self._given,
                "Name": "run-1",
                "RoleArn": "role",
                "StartTime": "2026-01-01T00:00:00.000Z",
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": "machine", "Name": "machine"},
            "Task": {"Token": "token"},
        }


class _NoTasks:
    async def run(self, call: Any) -> Any:
        raise NotImplementedError(call)

    async def read_items(self, source: Any) -> list[Any]:
        raise NotImplementedError(source)

    async def begin_map_run(self, run: Any) -> None:
        raise NotImplementedError(run)


def _mock(answer: Answer | None) -> Mock | None:
    if answer is None:
        return None
    return Mock(failure=answer) if isinstance(answer, StateFailedError) else Mock(result=answer)


def _leave(outcome: Outcome) -> Leaving | None:
    """How the state is left; an expression that fails is a mistake of the state's, and no answer."""
    if outcome.failure and outcome.failure.error in ("States.QueryEvaluationError", "States.Runtime"):
        raise outcome.failure
    return outcome.leaving


@contextmanager
def _waiting_longest() -> Iterator[None]:
    """Full jitter and `$random()` give the longest waits instead of any."""
    longest = SimpleNamespace(
        uniform=lambda _least, most: most, Random=lambda _seed: SimpleNamespace(random=lambda: 0.9999999)
    )
    with mock.patch.object(retries, "random", longest), mock.patch.object(jsonata_expressions, "random", longest):
        yield
