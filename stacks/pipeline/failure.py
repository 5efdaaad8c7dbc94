"""How all state machines fail: whatever goes wrong is kept in `$failure` and leads to one state."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from stacks.pipeline.asl import Catch, Fail, jsonata

FAILED = "Failed"
FAILURE = Fail(error=jsonata("$failure.Error"), cause=jsonata("$failure.Cause"))

# What a caught error says; some, like a timeout, have a name only.
CAUSE: Final = (
    "($type($states.errorOutput.Cause) = 'string' ? $states.errorOutput.Cause : $string($states.errorOutput.Error))"
)
# The members of a job's description that say why it failed, the plainest first.
_REASONS: Final = ("ExitMessage", "FailureReason", "SecondaryStatus")
# JSON's text between its quotes. Backslashes and slashes as numbers, because JSONata loses count of brackets that
# stand behind a backslash.
_JSON_TEXT: Final = r"([^\x22\x5c\x00-\x1f]*(\x5c([\x22\x5c\x2fbfnrt]|u[0-9a-fA-F]{4})[^\x22\x5c\x00-\x1f]*)*)"


def assign_failure(error: str, cause: str) -> dict[str, Any]:
    """What a branch to the failure state assigns: the error's name, and JSONata for its cause."""
    return {"failure": {"Error": error, "Cause": jsonata(cause)}}


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


def _reason(step: str) -> str:
    """JSONata: the job's own words if the cause is a job's description, else the cause as it is.

    A description is searched, not parsed: Step Functions cuts long ones off, other causes may begin with a brace, too,
    and what `$parse` cannot read ends the execution with an error that is not the job's.
    """
    found = ", ".join(f'$match($cause, /"{member}" *: *"{_JSON_TEXT}"/, 1).groups[0]' for member in _REASONS)
    return (
        f"( $cause := {CAUSE}; $said := ($substring($cause, 0, 1) = '{{' ? [{found}] : [])[$ != ''][0]; "
        f"'{step}: ' & ($exists($said) ? $parse('\"' & $said & '\"') : $cause) )"
    )
