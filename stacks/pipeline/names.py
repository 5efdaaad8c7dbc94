"""JSONata that names what an execution makes, within SageMaker's rules for names."""

from typing import Final

from headrace import contract
from stacks.pipeline.failure import REDRIVES

# CreateTrainingJob's pattern and length in one: the API gives them apart.
NAME_PATTERN: Final = "/^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/"
NAME_RULE: Final = "1 to 63 letters, digits and inner hyphens"
LONGEST: Final = 63
_HASH_DIGITS: Final = 8

# The variable of each key of the input.
INPUTS: Final = {
    "job_name": contract.JOB_NAME_INPUT,
    "model_name": contract.MODEL_NAME_INPUT,
    "endpoint_name": contract.ENDPOINT_NAME_INPUT,
}


def name_from_execution() -> str:
    """A name made of the execution's, which may hold other characters and be longer than SageMaker allows.

    A name that had to be changed gets a hash of the original, so that two executions never share one.
    """
    kept = LONGEST - _HASH_DIGITS - 1
    return (
        "( $name := $states.context.Execution.Name; "
        "$clean := $replace($replace($name, /[^a-zA-Z0-9-]+/, '-'), /^-+|-+$/, ''); "
        f"$clean = $name and $length($name) <= {LONGEST} ? $name : "
        f"$replace($substring($clean, 0, {kept}) & '-' & "
        f"$substring($hash($name, 'SHA-256'), 0, {_HASH_DIGITS}), /^-+/, '') )"
    )


def given_or_derived(input_key: str) -> str:
    """The name from the execution's input, or the one made of the execution's name when it is left out."""
    return given_or(input_key, name_from_execution())


def given_or(input_key: str, default: str) -> str:
    """The name from the execution's input, or the value of this JSONata when it is left out."""
    return f"$exists($states.input.{input_key}) ? $states.input.{input_key} : {default}"


def is_invalid(variable: str) -> str:
    """Whether SageMaker would refuse the name in this variable."""
    return f"$type({variable}) = 'string' ? $not($contains({variable}, {NAME_PATTERN})) : true"


def name_for_attempt(name: str) -> str:
    """The name on the first attempt, another one on each retry and after each redrive.

    A name is its own idempotency key: a retry after the job was created would collide with it. A redrive counts
    retries anew.
    """
    retries = "$states.context.State.RetryCount"
    return (
        f"( $redrives := {REDRIVES}; $ending := ($redrives > 0 ? '-redrive' & $string($redrives) : '') "
        f"& ({retries} > 0 ? '-retry' & $string({retries}) : ''); "
        f"$substring({name}, 0, {LONGEST} - $length($ending)) & $ending )"
    )
