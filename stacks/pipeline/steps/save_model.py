"""Make the model known to SageMaker."""

from typing import Final

from stacks.pipeline.asl import jsonata
from stacks.pipeline.jobs import Endpoint
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

ENTRY: Final = "Save Model"


def save_model(tasks: SageMakerTasks, endpoint: Endpoint) -> Step:
    """Create the model `$model_name` of the version `$package`."""
    arguments = endpoint.render_model(jsonata("$model_name"), jsonata("$package"))
    return lambda after: {ENTRY: tasks.create_model(ENTRY, arguments, role=endpoint.role, next_state=after)}
