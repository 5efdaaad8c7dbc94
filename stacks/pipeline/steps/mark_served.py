"""Write on the version that it has served, so that approving it again never comes too late, and where it has."""

from typing import Final

from headrace.contract import SERVED_AT_FACT, VersionFact
from stacks.pipeline.asl import jsonata
from stacks.pipeline.registry import ModelRegistry
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

ENTRY: Final = "Mark Served"
_NOW: Final = "$states.context.State.EnteredTime"


def mark_served(tasks: SageMakerTasks, registry: ModelRegistry, *, is_batch: bool) -> Step:
    """Write the time on `$package`; the endpoint serves, or the batch is transformed, whatever becomes of that."""
    served, at = f"'{VersionFact.SERVED}': {_NOW}", f"'{SERVED_AT_FACT}' & $lowercase($endpoint_name): {_NOW}"
    facts = jsonata(f"{{ {served} }}" if is_batch else f"{{ {served}, {at} }}")
    return lambda after: {ENTRY: tasks.update_facts(jsonata("$package"), facts, registry=registry, next_state=after)}
