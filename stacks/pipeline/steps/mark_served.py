"""Write on the version that it has served, so that approving it again never comes too late."""

from typing import Final

from headrace.contract import VersionFact
from stacks.pipeline.asl import jsonata
from stacks.pipeline.registry import ModelRegistry
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

ENTRY: Final = "Mark Served"


def mark_served(tasks: SageMakerTasks, registry: ModelRegistry) -> Step:
    """Write the time on `$package`; the endpoint serves, whatever becomes of that."""
    facts = {VersionFact.SERVED: jsonata("$states.context.State.EnteredTime")}
    return lambda after: {ENTRY: tasks.update_facts(jsonata("$package"), facts, registry=registry, next_state=after)}
