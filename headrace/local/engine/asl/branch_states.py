"""States that run state machines of their own: Parallel and Map."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from headrace.local.engine.asl.distributed import run_distributed
from headrace.local.engine.asl.flows import Flow, MapRun
from headrace.local.engine.asl.history import Trail
from headrace.local.engine.asl.map_items import list_items, make_batches
from headrace.local.engine.asl.map_runs import begin_map_run
from headrace.local.engine.asl.together import run_together
from headrace.local.engine.asl.tolerance import Tolerance
from headrace.local.engine.asl.visits import Leaving, Visit

_MOST_INLINE: Final = 40
_UNLIMITED: Final = 1_000_000


async def run_parallel(visit: Visit) -> Leaving:
    """Run all branches, and go on with the list of their outputs.

    Raises:
        StateFailedError: If one of them fails.
    """
    trail = visit.flow.trail
    if visit.flow.children is None:
        given = visit.language.read_arguments(visit.state, visit.scope)
        visit.flow.children = [
            Flow(
                machine=branch,
                trail=Trail([], trail.now),
                input=given,
                context=visit.flow.context,
                outer=visit.flow.readable,
            )
            for branch in visit.state["Branches"]
        ]
    trail.add("ParallelStateStarted")
    _part(visit.flow.children, trail)
    await run_together([_run_unless_ended(visit, flow) for flow in visit.flow.children], _UNLIMITED)
    trail.add("ParallelStateSucceeded")
    return visit.finish([flow.input for flow in visit.flow.children])


async def run_map(visit: Visit) -> Leaving:
    """Run an iteration for each item, and go on with the list of their outputs.

    Raises:
        StateFailedError: If one of them fails, or more than are tolerated.
    """
    processor = find_processor(visit.state)
    most = int(visit.read_number("MaxConcurrency", 0, _UNLIMITED) or 0)
    if processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
        run = visit.flow.map_run = visit.flow.map_run or await _begin_map_run(visit, processor, most)
        visit.flow.trail.add("MapStateStarted", length=len(run.children))
        results = await run_distributed(visit, run)
    else:
        if visit.flow.children is None:
            visit.flow.children = await _make_iterations(visit, processor, is_distributed=False)
        visit.flow.trail.add("MapStateStarted", length=len(visit.flow.children))
        _part(visit.flow.children, visit.flow.trail)
        results = await _run_inline(visit, min(most or _UNLIMITED, _MOST_INLINE))
    visit.flow.trail.add("MapStateSucceeded")
    return visit.finish(results)


async def _begin_map_run(visit: Visit, processor: Any, most: int) -> MapRun:
    flows = await _make_iterations(visit, processor, is_distributed=True)
    items = [len(flow.input["Items"]) if "ItemBatcher" in visit.state else 1 for flow in flows]
    tolerance = Tolerance(
        total=len(flows),
        most=visit.read_number("ToleratedFailureCount", 0, float("inf")),
        most_percent=visit.read_number("ToleratedFailurePercentage", 0, 100, is_whole=False),
    )
    return begin_map_run(visit, flows, items, most, tolerance)


def _part(flows: Sequence[Flow], trail: Trail) -> None:
    """Let the events of flows that have none begin where a trail is; those that are gone on with have some."""
    for flow in flows:
        if not flow.trail.events:
            flow.trail = trail.branch()


def find_processor(state: Any) -> Any:
    """The state machine that a Map state runs for each item; Iterator is its old name."""
    return state.get("ItemProcessor") or state["Iterator"]


async def _make_iterations(visit: Visit, processor: Any, *, is_distributed: bool) -> list[Flow]:
    items = await list_items(visit)
    selected = [_select_item(visit, index, item) for index, item in enumerate(items)]
    if "ItemBatcher" in visit.state:
        selected = [({}, batch) for batch in make_batches(visit, [item for _, item in selected])]
    return [
        Flow(
            machine=processor,
            trail=Trail([], visit.runner.clock.now),
            input=given,
            context={**visit.flow.context, **context},
            outer={} if is_distributed else visit.flow.readable,
        )
        for context, given in selected
    ]


def _select_item(visit: Visit, index: int, item: Any) -> tuple[dict[str, Any], Any]:
    """An iteration's part of the context object, and its input."""
    scope = visit.scope
    context = {"Map": {"Item": {"Index": index, "Value": item}}}
    template = visit.state.get("ItemSelector", visit.state.get("Parameters"))
    if template is None:
        return context, item
    given = visit.language.select_input(visit.state, scope)
    there = replace(scope, input=given, context={**scope.context, **context})
    return context, visit.language.render(template, there)


async def _run_inline(visit: Visit, most: int) -> list[Any]:
    flows = visit.flow.children or []
    await run_together([_run_iteration(visit, index, flow) for index, flow in enumerate(flows)], most)
    return [flow.input for flow in flows]


def _run_iteration(visit: Visit, index: int, flow: Flow) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        if flow.is_at_end:
            return
        flow.trail.add("MapIterationStarted", name=visit.name, index=index)
        ending = "Failed"
        try:
            await visit.runner.run_flow(flow)
            ending = "Succeeded"
        except asyncio.CancelledError:
            ending = "Aborted"
            raise
        finally:
            flow.trail.add(f"MapIteration{ending}", name=visit.name, index=index)

    return run


def _run_unless_ended(visit: Visit, flow: Flow) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        if not flow.is_at_end:
            await visit.runner.run_flow(flow)

    return run
