"""Where the input asks for it, stop the endpoint of the settings or start it again, and do nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace import contract
from headrace.contract import EndpointAction, ServedNote
from stacks.pipeline.asl import Catch, Choice, Rule, State, jsonata
from stacks.pipeline.endpoint_actions import ACTION, IS_ACTION, WITHIN, find_foreign_version, find_missing_version
from stacks.pipeline.failure import Reason, fail_for
from stacks.pipeline.registry import ModelRegistry
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.scaling_permissions import ScalingPermissions
from stacks.pipeline.served import ServedNotes, take_noted
from stacks.pipeline.step import Step
from stacks.pipeline.steps import find_serving, serve, start_endpoint, stop_endpoint
from stacks.pipeline.steps.let_go import letting_go
from stacks.pipeline.steps.scale import release_to_stop
from stacks.pipeline.turns import Turns

# What must be assigned before, and anew after a redrive: what was seen of the endpoint may have changed since.
VARIABLES: Final[Mapping[str, Any]] = {
    **stop_endpoint.VARIABLES,
    **start_endpoint.VARIABLES,
    "serving_package": jsonata("''"),
    "serving_model": jsonata("''"),
    "config_made_at": 0,
    "endpoint": {"Status": find_serving.NOT_LOOKED_AT},
    "is_noted": False,
    "noted": jsonata("{}"),
    "approval": jsonata("''"),
}

_GIVEN: Final = "Endpoint Action Given"
_ENDS: Final = (
    stop_endpoint.STOPPED,
    stop_endpoint.NOTHING,
    stop_endpoint.KEPT,
    start_endpoint.STANDING,
    start_endpoint.NOTHING,
)
_IS_NOTED: Final = "Serves At The Usual Endpoint"
_NOTE: Final = "Note Served"
_TIDIES: Final = "Tidies At The Usual Endpoint"
_WAITED: Final = (
    "($toMillis($states.context.State.EnteredTime) - $toMillis($states.context.Execution.StartTime)) / 1000"
)


@dataclass(frozen=True, kw_only=True)
class EndpointActions:
    """What stopping and starting an endpoint takes.

    Args:
        notes: Where it is noted what it serves.
        registry: Where the versions are.
        turns: Whose turn it is.
        is_scaled: Whether Application Auto Scaling scales it.
    """

    notes: ServedNotes
    registry: ModelRegistry
    turns: Turns
    is_scaled: bool

    def act_or(self, step: Step, tasks: SageMakerTasks) -> Step:
        """A step that comes behind the look at the endpoint, unless that is to be stopped or started."""
        release = release_to_stop(ScalingPermissions(tasks.scope, tasks.tags)) if self.is_scaled else None
        stopping = stop_endpoint.stop_endpoint(tasks, self.notes, release=release, look_again=find_serving.ENTRY)
        starting = start_endpoint.start_endpoint

        def states(after: str) -> Mapping[str, State]:
            others = step(after)
            return {_GIVEN: _choose(self.registry, next(iter(others))), **others, **stopping(after), **starting(after)}

        acting: Step = states
        for end in _ENDS:
            acting = letting_go(acting, self.turns, before=end)
        return acting

    def list_looked_at(self) -> tuple[Rule, ...]:
        """Where an execution goes on that stops or starts the endpoint, once it has looked at the version for that."""
        stop = Rule(condition=f"{ACTION} = '{EndpointAction.STOP}'", next=stop_endpoint.NOTE)
        return stop, Rule(condition=IS_ACTION, next=serve.LOOK, assign=take_noted())

    def note_served(self, after: str) -> Mapping[str, State]:
        """Note what serves now; the endpoint serves, whatever becomes of that."""
        is_noted = Rule(condition=f"{self.notes.is_usual} and $serving = $config", next=_NOTE)
        note = {ServedNote.CONFIG: "$config", ServedNote.MODEL: "$model", ServedNote.PACKAGE: "$package"}
        return {
            _IS_NOTED: Choice(rules=(is_noted,), default=after),
            _NOTE: self.notes.write(note, next_state=after, catch=Catch(errors=("States.ALL",), next=after)),
        }

    def tidying(self, step: Step) -> Step:
        """The step that tidies up, which is left out at other endpoints: nothing uses what a stopped one serves."""

        def states(after: str) -> Mapping[str, State]:
            tidied = step(after)
            usual = Rule(condition=self.notes.is_usual, next=next(iter(tidied)))
            return {_TIDIES: Choice(rules=(usual,), default=after), **tidied}

        return states


def _choose(registry: ModelRegistry, otherwise: str) -> Choice:
    late = Reason(
        f"$exists({ACTION}) and ($exists({WITHIN}) ? {_WAITED} > {WITHIN} : false)",
        "EndpointActionTooLate",
        f"{ACTION} & ': endpoint ' & $endpoint_name & ' was in the hands of another execution for longer than ' & "
        f"$string({WITHIN}) & ' s, and this may be out of date by now. To do it nevertheless, start an execution "
        f"with {contract.ENDPOINT_ACTION_INPUT} alone'",
    )
    # What is standing is not started, and what does not serve is not noted.
    acted_on = f"{ACTION} = '{EndpointAction.STOP}' ? 'InService' : $exists({ACTION}) ? '{find_serving.NOT_LOOKED_AT}'"
    foreign, missing = (
        find(registry, status=f"{acted_on} : ''") for find in (find_foreign_version, find_missing_version)
    )
    stop = Rule(condition=f"{ACTION} = '{EndpointAction.STOP}'", next=stop_endpoint.ENTRY)
    start = Rule(condition=f"{ACTION} = '{EndpointAction.START}'", next=start_endpoint.ENTRY)
    return Choice(rules=(fail_for(late, foreign, missing), stop, start), default=otherwise)
