"""Ask the new model golden requests before any client does: no endpoint can be asked for its new machines alone."""

from typing import Final

from stacks.pipeline.asl import jsonata
from stacks.pipeline.jobs import Rehearsal
from stacks.pipeline.names import name_for_attempt
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

_REHEARSE: Final = "Rehearse"
# Another job may have the execution's own name.
_NAME: Final = "$substring($execution, 0, 53) & '-rehearsal'"


def rehearse(tasks: SageMakerTasks, rehearsal: Rehearsal) -> Step:
    """Run a processing job on `$model_data`, which fails with the requests that are not answered as expected."""
    arguments = rehearsal.render(jsonata(name_for_attempt(_NAME)), "$model_data")
    return lambda after: tasks.run_processing_job(
        _REHEARSE, arguments, role=rehearsal.role, next_state=after, assign={}
    )
