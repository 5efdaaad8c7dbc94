"""What becomes of a task that the account's quota has no instances for.

It waits for instances to come free, unless none can: many quotas of a new account are 0.
"""

from collections.abc import Mapping
from typing import Final

from stacks.pipeline.asl import Catch, Choice, Rule, State, Wait, jsonata
from stacks.pipeline.failure import FAILED, assign_failure, keep_failure

OUT_OF_QUOTA: Final = "SageMaker.ResourceLimitExceededException"
# What must be assigned before.
VARIABLES: Final = {"refusals": 0}
# Full jitter, as retriers have it: executions that were refused together do not ask together.
_WAIT: Final = "$ceil($random() * 60 * $power(2, $refusals - 1))"
_MOST_REFUSALS: Final = 6
# As in "… is 0 Instances, with current utilization of 0 Instances and a request delta of 1 Instances".
_MISSING: Final = r"/ is ([0-9]+) Instances?,.* request delta of ([0-9]+) Instances?/"
_ADVICE: Final = (
    "Waiting would not help. Request an increase of this quota in Service Quotas, under Amazon SageMaker, "
    "or set another instance_type."
)


def catch_refusal(step: str) -> Catch:
    """Where a task of a step goes when the quota is used up."""
    return keep_failure(
        step, (OUT_OF_QUOTA,), next_state=_name_choice(step), assign={"refusals": jsonata("$refusals + 1")}
    )


def wait_for_instances(step: str, *, again: str) -> Mapping[str, State]:
    """The states behind that catch: they lead back to the state `again`, or fail."""
    wait = f"Wait For {step} Quota"
    hopeless = Rule(
        condition=_is_hopeless("$failure.Cause"),
        next=FAILED,
        assign=assign_failure("QuotaTooSmall", f"$failure.Cause & ' {_ADVICE}'"),
    )
    another = Rule(condition=f"$refusals <= {_MOST_REFUSALS}", next=wait)
    return {
        _name_choice(step): Choice(rules=(hopeless, another), default=FAILED),
        wait: Wait(seconds=jsonata(_WAIT), next=again),
    }


def _name_choice(step: str) -> str:
    return f"{step} Out Of Quota"


def _is_hopeless(cause: str) -> str:
    """Whether more is asked for than the whole quota; without its two numbers, whether it is 0."""
    return (
        f"( $numbers := $match({cause}, {_MISSING}, 1).groups; "
        f"$exists($numbers) ? $number($numbers[1]) > $number($numbers[0]) : $contains({cause}, ' is 0 ') )"
    )
