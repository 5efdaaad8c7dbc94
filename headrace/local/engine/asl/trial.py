"""One state tried out by itself, as TestState does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.local.engine.asl.failures import StateFailedError, matches
from headrace.local.engine.asl.flows import Flow
from headrace.local.engine.asl.retries import Retries
from headrace.local.engine.asl.runner import StateRunner, locate, run_state
from headrace.local.engine.asl.visits import Leaving, Visit


@dataclass
class Outcome:
    """How a state went.

    Attributes:
        status: SUCCEEDED, FAILED, RETRIABLE or CAUGHT_ERROR.
        leaving: How it was left, if it was.
        failure: How it failed, if it did.
        details: What of a retrier or a catcher was used.
    """

    status: str
    leaving: Leaving | None = None
    failure: StateFailedError | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Mock:
    """What a state is given in the place of what it would call."""

    result: Any = None
    failure: StateFailedError | None = None


async def try_state(runner: StateRunner, flow: Flow, mock: Mock | None, retried: int) -> Outcome:
    """Run the state that a flow is at, once.

    Args:
        runner: What it runs in.
        flow: What has come to it.
        mock: The answer of what it calls, if that is not to be called.
        retried: How often its retrier has been used.
    """
    visit = runner.enter(flow)
    visit.attempt = retried
    try:
        return Outcome("SUCCEEDED", leaving=await _run(visit, mock))
    except StateFailedError as error:
        return _find_way(visit, locate(error, visit), retried)


async def _run(visit: Visit, mock: Mock | None) -> Leaving:
    if mock is None:
        return await run_state(visit)
    visit.language.read_arguments(visit.state, visit.scope)
    if mock.failure:
        raise mock.failure
    return visit.finish(mock.result)


def _find_way(visit: Visit, failure: StateFailedError, retried: int) -> Outcome:
    """Where a failure leads: to another attempt, to a catcher, or nowhere."""
    for at, retrier in enumerate(visit.state.get("Retry", ())):
        if matches(retrier["ErrorEquals"], failure.error):
            pause = Retries([retrier], retried).find_pause(failure)
            if pause is not None:
                details = {"retryIndex": at, "retryBackoffIntervalSeconds": int(pause)}
                return Outcome("RETRIABLE", failure=failure, details=details)
            break
    for at, catcher in enumerate(visit.state.get("Catch", ())):
        if matches(catcher["ErrorEquals"], failure.error):
            return _catch(visit, catcher, failure, at)
    return Outcome("FAILED", failure=failure)


def _catch(visit: Visit, catcher: Mapping[str, Any], failure: StateFailedError, at: int) -> Outcome:
    try:
        leaving = visit.catch(catcher, failure.output)
    except StateFailedError as error:
        return Outcome("FAILED", failure=locate(error, visit))
    return Outcome("CAUGHT_ERROR", leaving=leaving, failure=failure, details={"catchIndex": at})
