"""Stop the endpoint: note what it serves, delete it, and wait until it is gone. Its configuration and model stay.

It is taken out of scaling last: one that SageMaker does not delete goes on being scaled.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam

from headrace.contract import Outcome, ServedNote
from stacks.ownership import RESOURCE_TAG, with_owner_tags
from stacks.pipeline.asl import CALL_SECONDS, Catch, Choice, Rule, State, Task, Wait, jsonata
from stacks.pipeline.endpoint_actions import HAS_VERSION, UNCHANGED, finish
from stacks.pipeline.failure import CAUSE, FAILED, REDRIVES, assign_failure, keep_failure
from stacks.pipeline.growing import count_waits, wait_longer
from stacks.pipeline.permission import Permission
from stacks.pipeline.sagemaker_tasks import BUSY, THROTTLED, SageMakerTasks
from stacks.pipeline.scaling_permissions import ScalingPermissions
from stacks.pipeline.served import ServedNotes
from stacks.pipeline.step import Step
from stacks.pipeline.steps import save_model
from stacks.pipeline.steps.find_serving import NOT_LOOKED_AT
from stacks.pipeline.steps.serve import is_in_progress, is_missing, refuse_lost_turn
from stacks.pipeline.turns import while_held

ENTRY: Final = "Endpoint Can Be Stopped"
STOPPED: Final = "Stopped"
NOTHING: Final = "Nothing To Stop"
KEPT: Final = "Not Idle For So Long"
# What must be assigned before.
VARIABLES: Final[Mapping[str, Any]] = {
    "stop_polls": 0,
    "stop_error": jsonata("''"),
    "stop_lookups": 0,
    "stopped": {ServedNote.CONFIG: jsonata("''"), ServedNote.PACKAGE: jsonata("''")},
}

_WAIT_FOR_CHANGE: Final = "Wait To Stop"
NOTE: Final = "Note Stopped Endpoint"
_DELETE: Final = "Delete Endpoint"
_LOOK: Final = "Look At Deletion"
_BEGUN: Final = "Deletion Has Begun"
_GONE: Final = "Endpoint Is Gone"
_WAIT: Final = "Wait For Deletion"
_ENDED: Final = "Endpoint Was There"
_NEVER_SEEN: Final = f"$endpoint.Status = '{NOT_LOOKED_AT}'"
_LONGEST_POLL_SECONDS: Final = 300
# An hour; then somebody must look.
_MOST_POLLS: Final = count_waits(3600, longest_seconds=_LONGEST_POLL_SECONDS)
_ATTEMPTS: Final = 4
_AGE: Final = "($toMillis($states.context.State.EnteredTime) - $max([$endpoint.MadeAt, $config_made_at])) / 1000"
_COUNT_POLL: Final = {"stop_polls": jsonata("$stop_polls + 1")}


def stop_endpoint(tasks: SageMakerTasks, notes: ServedNotes, *, release: Step | None, look_again: str) -> Step:
    """Stop the endpoint that was looked at into `$endpoint`, `$serving_model` and `$serving_package`.

    What could not be started again is kept: a version that is not what it was registered as. So is an endpoint that has
    served its configuration for less time than the input asks for: somebody has just put it there. One that
    does not serve is deleted without a note, so that what served last is started again.

    Args:
        tasks: Makes the states.
        notes: Where it is noted what it serves.
        release: Takes it out of scaling, where it is scaled; on AWS, its deletion has done that already.
        look_again: The state that looks at it.
    """

    def states(_after: str) -> Mapping[str, State]:
        released = release(_ENDED) if release else {}
        gone = next(iter(released), _ENDED)
        return {
            ENTRY: Choice(rules=tuple(_list_ways(gone)), default=_DELETE),
            _WAIT_FOR_CHANGE: _wait(look_again),
            NOTE: notes.write(
                {
                    ServedNote.CONFIG: "$endpoint.ConfigName",
                    ServedNote.MODEL: "$serving_model",
                    ServedNote.PACKAGE: "$serving_package",
                },
                next_state=_DELETE,
                catch=keep_failure(NOTE),
            ),
            _DELETE: _delete(tasks, notes.endpoint_name),
            _LOOK: _look(tasks),
            _BEGUN: _choose_while_there(),
            _GONE: _choose_when_missing(gone),
            _WAIT: _wait(_LOOK),
            **released,
            # One that is redriven may have stopped it before it failed.
            _ENDED: Choice(rules=(Rule(condition=f"{_NEVER_SEEN} and {REDRIVES} = 0", next=NOTHING),), default=STOPPED),
            STOPPED: finish(
                Outcome.STOPPED,
                EndpointConfigName=jsonata(f"$stopped.{ServedNote.CONFIG}"),
                ModelPackageArn=jsonata(f"$stopped.{ServedNote.PACKAGE}"),
            ),
            NOTHING: finish(Outcome.NOTHING_TO_STOP, reason="'there is no endpoint ' & $endpoint_name"),
            KEPT: finish(
                Outcome.NOT_IDLE,
                EndpointConfigName=jsonata("$endpoint.ConfigName"),
                reason=f"'it has served this configuration for less than ' & $string({UNCHANGED}) & ' s'",
            ),
        }

    return states


def _wait(next_state: str) -> Wait:
    return wait_longer("stop_polls", longest_seconds=_LONGEST_POLL_SECONDS, next_state=next_state)


def _list_ways(gone: str) -> Iterator[Rule]:
    yield Rule(condition=_NEVER_SEEN, next=gone)
    yield Rule(
        condition=f"{is_in_progress()} and $stop_polls < {_MOST_POLLS}", next=_WAIT_FOR_CHANGE, assign=_COUNT_POLL
    )
    yield Rule(
        condition=is_in_progress(),
        next=FAILED,
        assign=assign_failure(
            "EndpointBusy",
            "'endpoint ' & $endpoint_name & ' is ' & $endpoint.Status & ' for too long: stop it once it serves'",
        ),
    )
    yield refuse_lost_turn()
    yield Rule(
        condition=f"$endpoint.Status = 'InService' and $exists({UNCHANGED}) ? {_AGE} < {UNCHANGED} : false", next=KEPT
    )
    serving = {ServedNote.CONFIG: jsonata("$endpoint.ConfigName"), ServedNote.PACKAGE: jsonata("$serving_package")}
    is_serving, package = "$endpoint.Status = 'InService'", {"package": jsonata("$parent")}
    yield Rule(
        condition=f"{is_serving} and {HAS_VERSION}", next=save_model.ENTRY, assign={"stopped": serving, **package}
    )
    yield Rule(condition=is_serving, next=NOTE, assign={"stopped": serving})
    yield Rule(condition="$endpoint.Status = 'Deleting'", next=_WAIT, assign=_COUNT_POLL)


def _delete(tasks: SageMakerTasks, endpoint_name: str) -> Task:
    """Whatever it answers, the endpoint itself says what has become of it. ARNs have its name in lower case.

    SageMaker takes an endpoint that it deletes out of scaling, and asks whether the caller may
    (https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-delete-with-scaling.html): people may have it scaled.
    """
    arn = Stack.of(tasks.scope).format_arn(
        service="sagemaker", resource="endpoint", resource_name=endpoint_name.lower()
    )
    return Task(
        resource=f"arn:{Aws.PARTITION}:states:::aws-sdk:sagemaker:deleteEndpoint",
        arguments={"EndpointName": while_held("$endpoint_name")},
        assign={"stop_error": jsonata("''")},
        timeout_seconds=CALL_SECONDS,
        next=_LOOK,
        retry=(BUSY,),
        catch=(Catch(errors=("States.ALL",), assign={"stop_error": jsonata(CAUSE)}, next=_LOOK),),
        permissions=(
            Permission(
                statement=iam.PolicyStatement(
                    actions=["sagemaker:DeleteEndpoint"],
                    resources=[arn],
                    # An early version has made the endpoint of the settings without tags.
                    conditions={"StringEqualsIfExists": with_owner_tags(RESOURCE_TAG, tasks.tags)},
                )
            ),
            *ScalingPermissions(tasks.scope, tasks.tags).allow_deregistering(),
        ),
    )


def _look(tasks: SageMakerTasks) -> State:
    missing = Catch(
        errors=("States.ALL",),
        assign={
            "lookup_error": jsonata(CAUSE),
            "stop_lookups": jsonata(f"{is_missing(CAUSE)} ? $stop_lookups : $stop_lookups + 1"),
        },
        next=_GONE,
    )
    return tasks.describe_endpoint(jsonata("$endpoint_name"), next_state=_BEGUN, retry=(THROTTLED,), catch=(missing,))


def _choose_while_there() -> Choice:
    going = "($endpoint.Status = 'Deleting' or $stop_error = '')"
    wait = Rule(condition=f"{going} and $stop_polls < {_MOST_POLLS}", next=_WAIT, assign=_COUNT_POLL)
    assign = assign_failure(
        "EndpointNotDeleted", "'endpoint ' & $endpoint_name & ' is still ' & $endpoint.Status & '. ' & $stop_error"
    )
    return Choice(rules=(wait, Rule(condition="true", next=FAILED, assign=assign)), default=FAILED)


def _choose_when_missing(then: str) -> Choice:
    """The message decides, as for every endpoint that is missing."""
    gone = Rule(condition=is_missing("$lookup_error"), next=then)
    again = Rule(condition=f"$stop_lookups < {_ATTEMPTS}", next=_WAIT, assign=_COUNT_POLL)
    assign = assign_failure("LookAtDeletionFailed", f"'{_LOOK}: ' & $lookup_error")
    return Choice(rules=(gone, again, Rule(condition="true", next=FAILED, assign=assign)), default=FAILED)
