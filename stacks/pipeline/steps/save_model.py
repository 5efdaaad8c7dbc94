"""Make the model known to SageMaker, if its version is what was registered and, where need be, approved.

All of it is looked at just before: who has their eye on the time between would have little of it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from headrace import contract
from headrace.contract import Outcome, VersionFact
from stacks.pipeline.archives import find_changed_archive, look_at_archive
from stacks.pipeline.asl import Choice, Finish, Rule, State, Task, Wait, jsonata
from stacks.pipeline.failure import Reason, fail_for
from stacks.pipeline.jobs import Endpoint
from stacks.pipeline.names import name_for_attempt
from stacks.pipeline.registry import ModelRegistry, find_fact
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.specifications import find_alterations, find_altered
from stacks.pipeline.step import Step
from stacks.pipeline.steps import register
from stacks.pipeline.steps.hold import take_turn_again
from stacks.pipeline.steps.mark_served import find_spare_facts

ENTRY: Final = register.THEN
PENDING: Final = "Pending Approval"

_MADE: Final = "Version Made"
_LOOK: Final = "Look At Version"
_DECIDE: Final = "Version Unchanged"
_WAIT: Final = "Wait For Version"
_SAVE: Final = "Save Model"

# A version is complete at once, unless SageMaker checks it; what is stuck must not fill the history.
_POLL_SECONDS: Final = 30
_NOTED: Final = find_fact(VersionFact.ARCHIVE)


def save_model(
    tasks: SageMakerTasks, endpoint: Endpoint, registry: ModelRegistry, *, also: Sequence[Rule], is_batch: bool
) -> Step:
    """Create a model of the version `$package`, called `$model_name` if it can be; `$model` is its name.

    Its archive is at `$model_data`. Without a version, one is made of that first, and notes what was found; it is gone
    on with once that is approved, which `approval.mode` `auto` does at once.

    Args:
        tasks: Makes the tasks.
        endpoint: What the model is for.
        registry: Where the version is.
        also: Where executions go on that have their version looked at and make no model of it.
        is_batch: Whether the model is asked about a batch.
    """
    name = jsonata(name_for_attempt("$model_name"))
    arguments = endpoint.render_model(name, jsonata("$package"))
    new = Rule(condition="$package = ''", next=register.ENTRY, assign={"archive": jsonata("$found_archive")})

    def states(after: str) -> Mapping[str, State]:
        return {
            ENTRY: look_at_archive(ENTRY, registry, next_state=_MADE),
            _MADE: Choice(rules=(new,), default=_LOOK),
            _LOOK: _look(tasks, registry, is_batch=is_batch),
            _DECIDE: _decide(registry, also),
            _WAIT: Wait(seconds=_POLL_SECONDS, next=_LOOK),
            PENDING: _end_pending(),
            _SAVE: tasks.create_model(_SAVE, arguments, role=endpoint.role, next_state=after, assign={"model": name}),
        }

    return states


def _look(tasks: SageMakerTasks, registry: ModelRegistry, *, is_batch: bool) -> Task:
    return tasks.describe_model_package(
        _LOOK,
        jsonata("$package"),
        registry=registry,
        next_state=_DECIDE,
        assign={
            "version": {"Status": jsonata("$states.result.ModelPackageStatus")},
            # A redrive finds the version that was made before, of what the archive was then.
            "archive": jsonata(f"$exists({_NOTED}) ? {_NOTED} : ''"),
            "altered": jsonata(find_alterations()),
            "spare_facts": jsonata(find_spare_facts(is_batch=is_batch)),
        },
    )


def _decide(registry: ModelRegistry, also: Sequence[Rule]) -> Choice:
    unfinished = Rule(condition="$version.Status in ['Pending', 'InProgress']", next=_WAIT)
    failed = Reason(
        "$version.Status != 'Completed'",
        "RegisterFailed",
        f"'{register.ENTRY}: version ' & $package & ' is ' & $version.Status",
    )
    refused = fail_for(failed, find_changed_archive(), find_altered())
    pending = Rule(condition=register.must_be_approved(registry), next=PENDING)
    again = take_turn_again(ENTRY)
    return Choice(rules=(unfinished, refused, *also, pending, again), default=_SAVE)


def _end_pending() -> Finish:
    return Finish(
        output={
            contract.OUTCOME_OUTPUT: Outcome.PENDING_APPROVAL,
            contract.JOB_NAME_INPUT: jsonata("$job_name"),
            contract.ENDPOINT_NAME_INPUT: jsonata("$endpoint_name"),
            contract.MODEL_PACKAGE_ARN_INPUT: jsonata("$package"),
            "ModelDataUrl": jsonata("$model_data"),
            "Metrics": jsonata("$metrics"),
            contract.RULES_OUTPUT: jsonata("$judged"),
        }
    )
