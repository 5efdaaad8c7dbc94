"""Where a job goes on from an earlier version: find its archive, and refuse one that is not complete."""

from collections.abc import Mapping
from typing import Final

from stacks.pipeline.asl import Choice, Rule, State, jsonata
from stacks.pipeline.failure import FAILED, assign_failure
from stacks.pipeline.registry import ModelRegistry
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

# Where the archive is, for the channel of the training job.
ARCHIVE: Final = "$earlier_model"

_FIND: Final = "Find Earlier Version"
_CHECK: Final = "Earlier Version Complete"


def continuing(tasks: SageMakerTasks, registry: ModelRegistry, number: int, training: Step) -> Step:
    """Look at a version before the training that goes on from it; `$parent` is its ARN then."""
    assign = {
        "parent": jsonata("$states.result.ModelPackageArn"),
        "earlier_status": jsonata("$states.result.ModelPackageStatus"),
        "earlier_model": jsonata("$states.result.InferenceSpecification.Containers[0].ModelDataUrl"),
    }
    incomplete = Rule(
        condition="$earlier_status != 'Completed'",
        next=FAILED,
        assign=assign_failure("VersionUnusable", "'version ' & $parent & ' is ' & $earlier_status"),
    )

    def states(after: str) -> Mapping[str, State]:
        trained = training(after)
        arn = f"{registry.version_arns}{number}"
        return {
            _FIND: tasks.describe_model_package(_FIND, arn, registry=registry, next_state=_CHECK, assign=assign),
            _CHECK: Choice(rules=(incomplete,), default=next(iter(trained))),
            **trained,
        }

    return states
