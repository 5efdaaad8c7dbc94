"""Make the model known to SageMaker."""

from typing import Final

from stacks.pipeline.asl import jsonata
from stacks.pipeline.jobs import Endpoint
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

_SAVE: Final = "Save Model"


def save_model(tasks: SageMakerTasks, endpoint: Endpoint) -> Step:
    """Create the model `$model_name` of `$model_data`."""
    arguments = endpoint.render_model(jsonata("$model_name"), jsonata("$model_data"))
    return lambda after: {_SAVE: tasks.create_model(_SAVE, arguments, role=endpoint.role, next_state=after)}
