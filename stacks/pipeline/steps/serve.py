"""The last steps of a pipeline: bring a configuration into service on an endpoint that others may be changing, too.

SageMaker changes an endpoint for one caller at a time and refuses the others. Their executions wait, look again, and
then tell three ends apart: their own configuration serves; it failed and the one before serves again; or a later
execution has put its own there since.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stacks.constructs.state_machine import FAILED, assign_failure
from stacks.pipeline.asl import Catch, Choice, Retry, Rule, State, Wait, jsonata
from stacks.pipeline.sagemaker_tasks import SageMakerTask, SageMakerTasks

IN_PROGRESS: Final = ("Creating", "Updating", "SystemUpdating", "RollingBack")
POLL_SECONDS: Final = 30
FIRST: Final = "Look For Endpoint"

# What SageMaker says when somebody else has changed the endpoint since it was looked at. The message decides: Step
# Functions gives all of them one name.
_CHANGED_MEANWHILE: Final = (
    "Cannot update in-progress endpoint",
    "Cannot create already existing endpoint",
    "Could not find endpoint",
)
_MISSING: Final = "Could not find endpoint"
# How often to try again whatever else may be wrong: throttling has no name of its own, either.
_ATTEMPTS: Final = 4
_REASON: Final = (
    "($endpoint.FailureReason = '' ? 'SageMaker gives no reason; look at the log group /aws/sagemaker/Endpoints/' "
    "& $endpoint_name : $endpoint.FailureReason)"
)


@dataclass(frozen=True, kw_only=True)
class EndpointSteps:
    """States that create or update the endpoint `$endpoint_name` and wait until that has ended well or badly.

    Args:
        tasks: Builds the calls of SageMaker.
        allow: Takes note of what a call needs to be allowed.
    """

    tasks: SageMakerTasks
    allow: Callable[[SageMakerTask], State]

    @property
    def variables(self) -> Mapping[str, Any]:
        """What must be assigned before the first of these states."""
        return {"attempts": 0}

    def states(self, *, next_state: str) -> dict[str, State]:
        """The states by their names; `next_state` finds in `$serving` the configuration that serves."""
        return {
            FIRST: self._look(found="Endpoint Found", not_found="No Endpoint Found"),
            "No Endpoint Found": _choose_for_missing(missing="Create Endpoint"),
            "Endpoint Found": _choose_update(update="Update Endpoint", wait="Wait For Earlier Change"),
            "Wait For Earlier Change": Wait(seconds=POLL_SECONDS, next=FIRST),
            "Create Endpoint": self._create("Create Endpoint", refused="Change Refused", wait="Wait For Endpoint"),
            "Update Endpoint": self._update("Update Endpoint", refused="Change Refused", wait="Wait For Endpoint"),
            "Change Refused": _choose_another_attempt(wait="Wait For Earlier Change"),
            "Wait For Endpoint": Wait(seconds=POLL_SECONDS, next="Describe Endpoint"),
            "Describe Endpoint": self._describe("Describe Endpoint", next_state="Endpoint In Service"),
            "Endpoint In Service": _decide_outcome(done=next_state, wait="Wait For Endpoint"),
        }

    def _look(self, *, found: str, not_found: str) -> State:
        missing = Catch(
            errors=("States.TaskFailed",),
            assign={"lookup_error": jsonata("$states.errorOutput.Cause")},
            next=not_found,
        )
        return self.allow(self.tasks.describe_endpoint(jsonata("$endpoint_name"), next_state=found, catch=(missing,)))

    def _create(self, name: str, *, refused: str, wait: str) -> State:
        return self.allow(
            self.tasks.create_endpoint(
                _arguments(), next_state=wait, assign={"replaced": ""}, catch=self._catch(name, refused)
            )
        )

    def _update(self, name: str, *, refused: str, wait: str) -> State:
        assign = {"replaced": jsonata("$endpoint.ConfigName")}
        return self.allow(
            self.tasks.update_endpoint(_arguments(), next_state=wait, assign=assign, catch=self._catch(name, refused))
        )

    def _catch(self, name: str, refused: str) -> Catch:
        return self.tasks.keep_failure(name, next_state=refused, assign={"attempts": jsonata("$attempts + 1")})

    def _describe(self, name: str, *, next_state: str) -> State:
        again = Retry(errors=("States.TaskFailed",), interval_seconds=5, max_attempts=3)
        return self.allow(
            self.tasks.describe_endpoint(
                jsonata("$endpoint_name"),
                next_state=next_state,
                retry=(again,),
                catch=(self.tasks.keep_failure(name),),
            )
        )


def _choose_for_missing(*, missing: str) -> Choice:
    """The message decides: how Step Functions spells the error of a missing endpoint is not documented."""
    assign = assign_failure("LookForEndpointFailed", "'Look For Endpoint: ' & $lookup_error")
    unexpected = Rule(condition=f"$not($contains($lookup_error, '{_MISSING}'))", next=FAILED, assign=assign)
    return Choice(rules=(unexpected,), default=missing)


def _choose_update(*, update: str, wait: str) -> Choice:
    gone_wrong = Rule(
        condition="$endpoint.Status != 'InService'",
        next=FAILED,
        assign=assign_failure(
            "EndpointUnusable",
            "'endpoint ' & $endpoint_name & ' is ' & $endpoint.Status & "
            f"': delete it, or give another EndpointName. ' & {_REASON}",
        ),
    )
    return Choice(rules=(Rule(condition=_is_in_progress(), next=wait), gone_wrong), default=update)


def _choose_another_attempt(*, wait: str) -> Choice:
    changed = " or ".join(f"$contains($failure.Cause, '{message}')" for message in _CHANGED_MEANWHILE)
    return Choice(rules=(Rule(condition=f"{changed} or $attempts < {_ATTEMPTS}", next=wait),), default=FAILED)


def _decide_outcome(*, done: str, wait: str) -> Choice:
    """InService alone is not enough: it may be the configuration before ours again, or a later execution's.

    Nor does it have to be InService: when another execution's change is pending, ours has ended.
    """
    others = f"({_is_in_progress()} and $endpoint.Pending != '' and $endpoint.Pending != $execution)"
    has_ended = f"($endpoint.Status = 'InService' or {others})"
    serves = Rule(
        condition=f"{has_ended} and $endpoint.ConfigName != $replaced",
        next=done,
        assign={"serving": jsonata("$endpoint.ConfigName")},
    )
    rolled_back = Rule(
        condition=has_ended,
        next=FAILED,
        assign=assign_failure(
            "EndpointRolledBack",
            "'endpoint ' & $endpoint_name & ' serves ' & $endpoint.ConfigName & "
            f"' again: the update was rolled back. ' & {_REASON}",
        ),
    )
    failed = Rule(
        condition="true",
        next=FAILED,
        assign=assign_failure(
            "EndpointFailed", f"'endpoint ' & $endpoint_name & ' is ' & $endpoint.Status & ': ' & {_REASON}"
        ),
    )
    return Choice(rules=(serves, rolled_back, Rule(condition=_is_in_progress(), next=wait), failed), default=FAILED)


def _arguments() -> dict[str, Any]:
    return {"EndpointName": jsonata("$endpoint_name"), "EndpointConfigName": jsonata("$execution")}


def _is_in_progress() -> str:
    states = ", ".join(f"'{status}'" for status in IN_PROGRESS)
    return f"$endpoint.Status in [{states}]"
