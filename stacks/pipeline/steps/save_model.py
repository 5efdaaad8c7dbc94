"""Make the model known to SageMaker, unless its archive has changed since its version was made."""

from collections.abc import Mapping
from typing import Final

from stacks.pipeline.archives import look_at_archive, refuse_changed_archive
from stacks.pipeline.asl import Choice, Rule, State, jsonata
from stacks.pipeline.endpoint_actions import IS_ACTION
from stacks.pipeline.jobs import Endpoint
from stacks.pipeline.names import name_for_attempt
from stacks.pipeline.registry import ModelRegistry
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.served import take_noted
from stacks.pipeline.step import Step
from stacks.pipeline.steps import register, serve

ENTRY: Final = "Find Archive"
_COMPARE: Final = "Archive Unchanged"
_SAVE: Final = "Save Model"


def save_model(tasks: SageMakerTasks, endpoint: Endpoint, registry: ModelRegistry, *, starts: bool) -> Step:
    """Create a model of the version `$package`, called `$model_name` if it can be; `$model` is its name.

    `$archive` is what the version notes of its archive, which is at `$model_data`. Without a version, one is made of
    that first, and notes what was found.

    Args:
        tasks: Makes the tasks.
        endpoint: What the model is for.
        registry: Where the version is.
        starts: Whether executions that start a stopped endpoint, whose model there is, come here, too.
    """
    name = jsonata(name_for_attempt("$model_name"))
    arguments = endpoint.render_model(name, jsonata("$package"))
    new = Rule(condition="$package = ''", next=register.ENTRY, assign={"archive": jsonata("$found_archive")})
    started = [Rule(condition=IS_ACTION, next=serve.LOOK, assign=take_noted())] if starts else []

    def states(after: str) -> Mapping[str, State]:
        return {
            ENTRY: look_at_archive(ENTRY, registry, next_state=_COMPARE),
            _COMPARE: Choice(rules=(refuse_changed_archive(), new, *started), default=_SAVE),
            _SAVE: tasks.create_model(_SAVE, arguments, role=endpoint.role, next_state=after, assign={"model": name}),
        }

    return states
