"""How all state machines fail: whatever goes wrong is kept in `$failure` and leads to one state.

That state is a task, because a redriven execution goes on at the state that ended it, and a Fail state would only end
it again (docs/decisions/0034-a-function-ends-what-fails.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from aws_cdk import aws_lambda as lambda_

from lambdas.clean_up import contract
from stacks.pipeline import function_tasks
from stacks.pipeline.asl import Catch, Rule, Task, jsonata

FAILED: Final = "Failed"
# Where an execution goes on that was redriven after it had failed.
REDRIVEN: Final = "Redriven"

# How often the execution was redriven.
REDRIVES: Final = "($exists($states.context.Execution.RedriveCount) ? $states.context.Execution.RedriveCount : 0)"
# What a caught error says; some, like a timeout, have a name only.
CAUSE: Final = (
    "($type($states.errorOutput.Cause) = 'string' ? $states.errorOutput.Cause : $string($states.errorOutput.Error))"
)
# The members of a job's description that say why it failed, the plainest first.
_REASONS: Final = ("ExitMessage", "FailureReason", "SecondaryStatus")
_SAID: Final = "($exists($said) ? $parse('\"' & $said & '\"') : $cause)"
# JSON's text between its quotes. Backslashes and slashes as numbers, because JSONata loses count of brackets that
# stand behind a backslash.
_JSON_TEXT: Final = r"([^\x22\x5c\x00-\x1f]*(\x5c([\x22\x5c\x2fbfnrt]|u[0-9a-fA-F]{4})[^\x22\x5c\x00-\x1f]*)*)"


def assign_failure(error: str, cause: str) -> dict[str, Any]:
    """What a branch to the failure state assigns: the error's name, or a field for it, and JSONata for its cause."""
    return {
        "failure": {
            contract.ERROR: error,
            contract.CAUSE: jsonata(cause),
            contract.STATE: jsonata("$states.context.State.Name"),
            contract.REDRIVES: jsonata(REDRIVES),
        }
    }


class Reason(NamedTuple):
    """Why an execution fails: when, in JSONata, with which error, and JSONata for its cause."""

    condition: str
    error: str
    cause: str


def fail_for(*reasons: Reason) -> Rule:
    """A branch to the failure state, for the first of these reasons that holds."""
    conditions = [reason.condition for reason in reasons]
    error = _choose(conditions, [f"'{reason.error}'" for reason in reasons])
    cause = _choose(conditions, [f"({reason.cause})" for reason in reasons])
    return Rule(condition=" or ".join(conditions), next=FAILED, assign=assign_failure(jsonata(error), cause))


def _choose(conditions: Sequence[str], values: Sequence[str]) -> str:
    """JSONata for the value whose condition is the first that holds, as one of them does."""
    *others, last = values
    return "".join(f"{condition} ? {value} : " for condition, value in zip(conditions, others, strict=False)) + last


def keep_failure(
    step: str,
    errors: Iterable[str] = ("States.ALL",),
    *,
    next_state: str = FAILED,
    assign: Mapping[str, Any] | None = None,
) -> Catch:
    """Keep the step's name and its reason, as short as SageMaker gave it, and go on to the failure state."""
    failure = assign_failure(f"{step.replace(' ', '')}Failed", _reason(step))
    return Catch(errors=tuple(errors), assign={**failure, **(assign or {})}, next=next_state)


def end_badly(function: lambda_.IFunction) -> Task:
    """The failure state: the function cleans up and raises what is in `$failure`.

    It returns instead if the execution was redriven since that happened.
    """
    return Task(
        resource=function_tasks.INVOKE,
        arguments={
            "FunctionName": function.function_arn,
            "Payload": {
                contract.EXECUTION: jsonata("$states.context.Execution.Id"),
                contract.REDRIVES: jsonata(REDRIVES),
                contract.FAILURE: jsonata("$failure"),
            },
        },
        timeout_seconds=contract.TIMEOUT_SECONDS,
        # The first step reads it again if that is what failed.
        output=jsonata("$states.context.Execution.Input"),
        retry=(function_tasks.BUSY,),
        next=REDRIVEN,
        permissions=(function_tasks.allow_invoking(function),),
    )


def _reason(step: str) -> str:
    """JSONata: the job's own words if the cause is a job's description, else the cause as it is.

    A description is searched, not parsed: Step Functions cuts long ones off, other causes may begin with a brace, too,
    and what `$parse` cannot read ends the execution with an error that is not the job's.
    """
    return f"( {_find_said(_REASONS)}; '{step}: ' & {_SAID} )"


def _find_said(members: Iterable[str]) -> str:
    found = ", ".join(f'$match($cause, /"{member}" *: *"{_JSON_TEXT}"/, 1).groups[0]' for member in members)
    return f"$cause := {CAUSE}; $said := ($substring($cause, 0, 1) = '{{' ? [{found}] : [])[$ != ''][0]"


# What a caught error says, which of a function's error is its message.
FUNCTION_CAUSE: Final = f"( {_find_said(['errorMessage'])}; {_SAID} )"
