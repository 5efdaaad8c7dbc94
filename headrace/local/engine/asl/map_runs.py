"""How runs of distributed Map states begin."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from headrace.local.engine.asl.flows import Child, Flow, MapRun
from headrace.local.engine.asl.tolerance import Tolerance
from headrace.local.engine.asl.visits import Visit

_MACHINE: Final = ":stateMachine:"


def begin_map_run(visit: Visit, flows: list[Flow], items: list[int], most: int, tolerance: Tolerance) -> MapRun:
    """A Map run and its executions, which have not been started.

    Args:
        visit: The visit to the Map state.
        flows: What each execution runs.
        items: How many items each of them is given.
        most: How many run at once.
        tolerance: How many of them may fail.
    """
    machine_arn = visit.shared_context["StateMachine"]["Id"]
    label = visit.state.get("Label") or uuid.uuid4().hex
    run = MapRun(
        arn=f"{machine_arn.replace(_MACHINE, ':mapRun:')}/{label}:{uuid.uuid4()}",
        execution_arn=visit.shared_context["Execution"]["Id"],
        machine_arn=f"{machine_arn}/{label}",
        most=most,
        tolerance=tolerance,
        started=visit.runner.clock.now(),
    )
    run.children = [_make_child(visit, run, flow, size) for flow, size in zip(flows, items, strict=True)]
    return run


def _make_child(visit: Visit, run: MapRun, flow: Flow, items: int) -> Child:
    name = str(uuid.uuid4())
    child = Child(
        name=name,
        arn=f"{run.machine_arn.replace(_MACHINE, ':execution:')}:{name}",
        machine_arn=run.machine_arn,
        flow=flow,
        given=flow.input,
        items=items,
    )
    flow.context = {**flow.context, "Execution": _describe_in_context(visit.shared_context["Execution"], child)}
    return child


def _describe_in_context(parent: Mapping[str, Any], child: Child) -> dict[str, Any]:
    """What the context object of an execution of a Map run says of it."""
    return {**parent, "Id": child.arn, "Name": child.name, "Input": child.given, "RedriveCount": 0}
