"""Write on the version that it has served, and where, or transformed a batch: approving it again is never too late."""

from collections.abc import Mapping
from typing import Final

from headrace.contract import SERVED_AT_FACT, VersionFact
from stacks.pipeline.asl import Catch, State, jsonata
from stacks.pipeline.failure import CAUSE
from stacks.pipeline.registry import ModelRegistry
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

ENTRY: Final = "Mark Served"
_NOW: Final = "$states.context.State.EnteredTime"


def mark_served(tasks: SageMakerTasks, registry: ModelRegistry, *, is_batch: bool) -> Step:
    """Write the time on `$package`; the endpoint serves, or the batch is transformed, whatever becomes of that.

    With the first endpoint that is noted, `$served_home` is, too. Why nothing was written is in `$not_noted`.
    """
    served, at = f"'{VersionFact.SERVED}': {_NOW}", f"'{SERVED_AT_FACT}' & $lowercase($endpoint_name): {_NOW}"
    transformed = f"{{ '{VersionFact.TRANSFORMED}': {_NOW} }}"
    facts = jsonata(transformed if is_batch else f"$merge([$served_home, {{ {served}, {at} }}])")

    def states(after: str) -> Mapping[str, State]:
        catch = Catch(errors=("States.ALL",), assign={"not_noted": jsonata(CAUSE)}, next=after)
        return {ENTRY: tasks.update_facts(jsonata("$package"), facts, registry=registry, next_state=after, catch=catch)}

    return states
