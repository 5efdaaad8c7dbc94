"""Make the model known to SageMaker."""

from typing import Final

from stacks.pipeline.asl import jsonata
from stacks.pipeline.jobs import Endpoint
from stacks.pipeline.names import name_for_attempt
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

ENTRY: Final = "Save Model"


def save_model(tasks: SageMakerTasks, endpoint: Endpoint) -> Step:
    """Create a model of the version `$package` that is called `$model_name` if it can be; `$model` is its name."""
    name = jsonata(name_for_attempt("$model_name"))
    arguments = endpoint.render_model(name, jsonata("$package"))
    return lambda after: {
        ENTRY: tasks.create_model(ENTRY, arguments, role=endpoint.role, next_state=after, assign={"model": name})
    }
