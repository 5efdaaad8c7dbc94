"""Bring the model into service on an endpoint that others may be changing, too.

SageMaker changes an endpoint for one caller at a time and refuses the others. Their executions wait, look again, and
then tell three ends apart: their own configuration serves; it failed and the one before serves again; or a later
execution has put its own there since.
"""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import aws_lambda as lambda_

from stacks.pipeline import golden, quota
from stacks.pipeline.asl import ALWAYS, Catch, Choice, Retry, Rule, State, Wait, jsonata
from stacks.pipeline.failure import CAUSE, FAILED, assign_failure, keep_failure
from stacks.pipeline.jobs import Endpoint
from stacks.pipeline.names import name_for_attempt
from stacks.pipeline.rollback import CHANGED_AT, FIND_ALARM, find_alarm
from stacks.pipeline.sagemaker_tasks import EndpointChange, SageMakerTasks
from stacks.pipeline.step import Step
from stacks.pipeline.turns import IS_LOST, while_held

IN_PROGRESS: Final = ("Creating", "Updating", "SystemUpdating", "RollingBack")
POLL_SECONDS: Final = 30
_LEAST_POLL_SECONDS: Final = 5
# What SageMaker still does after it had to give an update up.
_LATE_POLL_SECONDS: Final = 60
_MOST_POLLS: Final = 750
# What must be assigned before.
VARIABLES: Final = {"attempts": 0}

_CONFIGURE: Final = "Create Endpoint Config"
LOOK: Final = "Look For Endpoint"
_NOT_FOUND: Final = "No Endpoint Found"
_FOUND: Final = "Endpoint Found"
_WAIT_FOR_OTHERS: Final = "Wait For Earlier Change"
_CREATE: Final = "Create Endpoint"
_UPDATE: Final = "Update Endpoint"
_REFUSED: Final = "Change Refused"
_WAIT: Final = "Wait For Endpoint"
_DESCRIBE: Final = "Describe Endpoint"
_DECIDE: Final = "Endpoint In Service"

# What SageMaker says when somebody else has changed the endpoint since it was looked at. The message decides: Step
# Functions gives all of them one name.
_CHANGED_MEANWHILE: Final = (
    "Cannot update in-progress endpoint",
    "Cannot create already existing endpoint",
    "Could not find endpoint",
)
_MISSING: Final = "Could not find endpoint"
# Begins like the message of a missing endpoint, but waiting does not bring the configuration back.
_CONFIG_MISSED: Final = "Could not find endpoint configuration"
# How often to try again after any other error: throttling has no error name, either. That there is no endpoint yet is
# an answer.
_ATTEMPTS: Final = 4
_COUNT_ATTEMPT: Final = {"attempts": jsonata("$attempts + 1")}
_REASON: Final = (
    "($endpoint.FailureReason = '' ? 'SageMaker gives no reason; look at the log group /aws/sagemaker/Endpoints/' "
    "& $endpoint_name : $endpoint.FailureReason)"
)


def serve(tasks: SageMakerTasks, endpoint: Endpoint, golden_requests: lambda_.IFunction | None = None) -> Step:
    """Create or update the endpoint `$endpoint_name` with `$model`, and wait until that has ended well or badly.

    It ends successfully with the name of its configuration in `$config`, and of the one that serves in `$serving`.

    Args:
        tasks: Makes the states.
        endpoint: The endpoint.
        golden_requests: The function that asks it golden requests, if it is asked any.
    """

    def states(after: str) -> Mapping[str, State]:
        name = jsonata(name_for_attempt("$execution"))
        config = endpoint.render_config(name, jsonata("$model"))
        return {
            _CONFIGURE: tasks.create_endpoint_config(_CONFIGURE, config, next_state=LOOK, assign={"config": name}),
            LOOK: _look(tasks),
            _NOT_FOUND: _choose_for_missing(),
            _FOUND: _choose_update(endpoint),
            _WAIT_FOR_OTHERS: Wait(seconds=POLL_SECONDS, next=LOOK),
            _CREATE: _change(tasks, EndpointChange.CREATE, endpoint),
            _UPDATE: _change(tasks, EndpointChange.UPDATE, endpoint),
            _REFUSED: _choose_another_attempt(),
            **quota.wait_for_instances(_CREATE, again=LOOK),
            **quota.wait_for_instances(_UPDATE, again=LOOK),
            _WAIT: Wait(seconds=_choose_pause(endpoint) if golden_requests else POLL_SECONDS, next=_DESCRIBE),
            _DESCRIBE: _describe(tasks, sees_baking=golden_requests is not None),
            _DECIDE: _decide_outcome(
                done=golden.ASK_LAST if golden_requests else after,
                undone=FIND_ALARM if endpoint.alarms else FAILED,
                asks=golden_requests is not None,
            ),
            **(golden.ask_while_baking(golden_requests, then=_WAIT) if golden_requests else {}),
            **(golden.ask_last(golden_requests, then=after) if golden_requests else {}),
            **(find_alarm(endpoint.alarms) if endpoint.alarms else {}),
        }

    return states


def _look(tasks: SageMakerTasks) -> State:
    missing = Catch(
        errors=("States.ALL",),
        assign={
            "lookup_error": jsonata(CAUSE),
            "attempts": jsonata(f"{is_missing(CAUSE)} ? $attempts : $attempts + 1"),
        },
        next=_NOT_FOUND,
    )
    return tasks.describe_endpoint(jsonata("$endpoint_name"), next_state=_FOUND, catch=(missing,))


def _change(tasks: SageMakerTasks, change: EndpointChange, endpoint: Endpoint) -> State:
    # Step Functions' validator refuses an empty literal in `Assign`.
    name, replaced, deployment = {
        EndpointChange.CREATE: (_CREATE, jsonata("''"), {}),
        EndpointChange.UPDATE: (
            _UPDATE,
            jsonata("$endpoint.ConfigName"),
            {**endpoint.render_retention(), **endpoint.render_deployment()},
        ),
    }[change]
    return tasks.change_endpoint(
        change,
        {**_arguments(), **deployment},
        key=endpoint.volume_key,
        next_state=_WAIT,
        assign=_note_change(endpoint, replaced),
        catch=_catch(name),
    )


def _note_change(endpoint: Endpoint, replaced: str) -> dict[str, Any]:
    return {"replaced": replaced, **({CHANGED_AT: jsonata("$millis()")} if endpoint.alarms else {})}


def _catch(name: str) -> tuple[Catch, Catch]:
    return quota.catch_refusal(name), keep_failure(name, next_state=_REFUSED, assign=_COUNT_ATTEMPT)


def _describe(tasks: SageMakerTasks, *, sees_baking: bool) -> State:
    again = Retry(errors=("States.TaskFailed",), interval_seconds=5, max_attempts=3)
    return tasks.describe_endpoint(
        jsonata("$endpoint_name"),
        next_state=_DECIDE,
        retry=(again,),
        catch=(keep_failure(_DESCRIBE),),
        sees_baking=sees_baking,
    )


def _choose_pause(endpoint: Endpoint) -> int | str:
    """Often enough to ask several times while alarms are watched; an execution has room for 25,000 events.

    An update takes no longer than its settings allow, and nothing is asked while an endpoint is made.
    """
    update = endpoint.settings.update
    often = max(_LEAST_POLL_SECONDS, min(POLL_SECONDS, update.wait_seconds // 4), update.timeout_seconds // _MOST_POLLS)
    if often >= POLL_SECONDS:
        return often
    may_take = update.timeout_seconds * 1000
    return jsonata(f"$millis() - ${CHANGED_AT} < {may_take} ? {often} : {_LATE_POLL_SECONDS}")


def _choose_for_missing() -> Choice:
    """The message decides: how Step Functions spells the error of a missing endpoint is not documented."""
    found_none = is_missing("$lookup_error")
    lost, missing = refuse_lost_turn(f"{found_none} and "), Rule(condition=found_none, next=_CREATE)
    again = Rule(condition=f"$attempts < {_ATTEMPTS}", next=_WAIT_FOR_OTHERS)
    assign = assign_failure("LookForEndpointFailed", f"'{LOOK}: ' & $lookup_error")
    return Choice(rules=(lost, missing, again, Rule(condition=ALWAYS, next=FAILED, assign=assign)), default=FAILED)


def _choose_update(endpoint: Endpoint) -> Choice:
    gone_wrong = Rule(
        condition="$endpoint.Status != 'InService'",
        next=FAILED,
        assign=assign_failure(
            "EndpointUnusable",
            "'endpoint ' & $endpoint_name & ' is ' & $endpoint.Status & "
            f"': delete it, or give another EndpointName. ' & {_REASON}",
        ),
    )
    # The change took effect although it was answered with an error; another would end as if it were rolled back.
    done = Rule(
        condition="$endpoint.ConfigName = $config", next=_DESCRIBE, assign=_note_change(endpoint, jsonata("''"))
    )
    waiting = Rule(condition=is_in_progress(), next=_WAIT_FOR_OTHERS)
    return Choice(rules=(waiting, gone_wrong, done, refuse_lost_turn()), default=_UPDATE)


def refuse_lost_turn(condition: str = "") -> Rule:
    """Fail where the turn was lost, as it cannot be taken from here: what was made under it may be removed by now."""
    assign = assign_failure(
        "TurnLost",
        "'the execution was stopped or took too long, and endpoint ' & $endpoint_name & ' may be in the hands of "
        "another one since: redrive it once more, and it takes its turn again'",
    )
    return Rule(condition=f"{condition}{IS_LOST}", next=FAILED, assign=assign)


def _choose_another_attempt() -> Choice:
    changed = " or ".join(f"$contains($failure.Cause, '{message}')" for message in _CHANGED_MEANWHILE)
    # A configuration that was made just now may be found a little later, one that was deleted is not.
    missed = f"$contains($failure.Cause, '{_CONFIG_MISSED}')"
    again = Rule(condition=f"($not({missed}) and ({changed})) or $attempts < {_ATTEMPTS}", next=_WAIT_FOR_OTHERS)
    return Choice(rules=(refuse_lost_turn(), again), default=FAILED)


def _decide_outcome(*, done: str, undone: str, asks: bool) -> Choice:
    """InService alone is not enough: it may be the configuration before ours again, or a later execution's.

    Nor does it have to be InService: when another execution's change is pending, ours has ended.
    """
    others = f"({is_in_progress()} and $endpoint.Pending != '' and $endpoint.Pending != $config)"
    has_ended = f"($endpoint.Status = 'InService' or {others})"
    serves = Rule(
        condition=f"{has_ended} and $endpoint.ConfigName != $replaced",
        next=done,
        assign={"serving": jsonata("$endpoint.ConfigName")},
    )
    rolled_back = Rule(
        condition=has_ended,
        next=undone,
        assign=assign_failure(
            "EndpointRolledBack",
            "'endpoint ' & $endpoint_name & ' serves ' & $endpoint.ConfigName & "
            f"' again: the update was rolled back. ' & {_REASON}{f' & {golden.REASON}' if asks else ''}",
        ),
    )
    failed = Rule(
        condition=ALWAYS,
        next=FAILED,
        assign=assign_failure(
            "EndpointFailed", f"'endpoint ' & $endpoint_name & ' is ' & $endpoint.Status & ': ' & {_REASON}"
        ),
    )
    baking = [Rule(condition=f"{is_in_progress()} and $endpoint.IsBaking", next=golden.ASK)] if asks else []
    waiting = Rule(condition=is_in_progress(), next=_WAIT)
    return Choice(rules=(serves, rolled_back, *baking, waiting, failed), default=FAILED)


def _arguments() -> dict[str, Any]:
    return {"EndpointName": while_held("$endpoint_name"), "EndpointConfigName": jsonata("$config")}


def is_missing(cause: str) -> str:
    """Whether this JSONata is what SageMaker says of an endpoint that there is not."""
    return f"$contains({cause}, '{_MISSING}')"


def is_in_progress() -> str:
    """Whether `$endpoint` is being changed, in JSONata."""
    states = ", ".join(f"'{status}'" for status in IN_PROGRESS)
    return f"$endpoint.Status in [{states}]"
