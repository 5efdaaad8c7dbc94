"""Distributed Map states: each item, or batch of them, is the input of its own execution."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from headrace.local.engine.asl.failures import StateFailedError
from headrace.local.engine.asl.flows import Child, MapRun, RunStatus
from headrace.local.engine.asl.map_results import collect_results, has_files, write_results
from headrace.local.engine.asl.together import run_together
from headrace.local.engine.asl.visits import Visit

_MOST_AT_ONCE: Final = 1_000


async def run_distributed(visit: Visit, run: MapRun) -> Any:
    """Run what has not succeeded yet of a Map run.

    Returns:
        The results, or where they are.

    Raises:
        StateFailedError: If more executions fail than are tolerated, or the results cannot be written.
    """
    trail = visit.flow.trail
    if run.status is RunStatus.RUNNING:
        trail.add("MapRunStarted", mapRunArn=run.arn)
    else:
        run.go_on()
        trail.add("MapRunRedriven", mapRunArn=run.arn, redriveCount=run.redrives)
    try:
        results = await _run(visit, run)
    except StateFailedError as failure:
        run.end(RunStatus.FAILED, visit.runner.clock.now())
        trail.add("MapRunFailed", error=failure.error, cause=failure.cause)
        raise
    except asyncio.CancelledError:
        run.end(RunStatus.ABORTED, visit.runner.clock.now())
        trail.add("MapRunAborted")
        raise
    run.end(RunStatus.SUCCEEDED, visit.runner.clock.now())
    trail.add("MapRunSucceeded")
    return results


async def _run(visit: Visit, run: MapRun) -> Any:
    waiting = [child for child in run.children if child.status is not RunStatus.SUCCEEDED]
    for child in waiting:
        child.status = RunStatus.PENDING
    try:
        await visit.runner.tasks.begin_map_run(run)
        most = min(run.most or _MOST_AT_ONCE, _MOST_AT_ONCE)
        await run_together([_run_child(visit, run, child) for child in waiting], most)
    except StateFailedError:
        # The results of a run that fails are written, too.
        if has_files(visit):
            await write_results(visit, run)
        raise
    return await write_results(visit, run) if has_files(visit) else collect_results(visit, run)


def _run_child(visit: Visit, run: MapRun, child: Child) -> Callable[[], Awaitable[None]]:
    clock = visit.runner.clock

    async def work() -> None:
        # The failure that ends the run lets the next one through before it is heeded.
        if run.tolerance.is_exceeded:
            return
        child.begin(clock.now())
        try:
            await visit.runner.run_flow(child.flow)
        except StateFailedError as failure:
            child.end(RunStatus.FAILED, clock.now(), failure)
            run.tolerance.count(failure)
        except asyncio.CancelledError:
            child.end(RunStatus.ABORTED, clock.now())
            raise
        else:
            child.end(RunStatus.SUCCEEDED, clock.now())

    return work
