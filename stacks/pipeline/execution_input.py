"""What is wrong with an execution's input, as rules of a choice: it ends the execution before anything is paid for.

The input is in `$request`. Every state machine refuses a key that it does not know, because a misspelt one would
otherwise be taken for one that was left out.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from stacks.pipeline.asl import Rule
from stacks.pipeline.failure import FAILED, assign_failure

# Not mistakes: the first is what Step Functions documents for nested executions, so that the console links
# them (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-nested-workflows.html), the second a remark.
_ALSO_ALLOWED: Final = ("AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID", "Comment")


def refuse_other_inputs(keys: Iterable[str], *, example: str) -> Iterator[Rule]:
    """Rules that refuse what is not an object, and every key but these by its name."""
    known = list(keys)
    yield refuse("$not($type($request) = 'object')", f"'the input must be an object such as {example}'")
    yield refuse(
        has_other_keys("$request", [*known, *_ALSO_ALLOWED]),
        f"'unknown in the input: ' & {_join_other_keys('$request', [*known, *_ALSO_ALLOWED])} & "
        f"'; it may have {', '.join(known)}'",
    )


def refuse(condition: str, cause: str) -> Rule:
    """A rule that ends the execution with this cause where the condition holds; both are JSONata."""
    return Rule(condition=condition, next=FAILED, assign=assign_failure("InvalidInput", cause))


def has_other_keys(expression: str, known: Iterable[str]) -> str:
    """Whether an object has other keys than these."""
    return f"$count({_list_other_keys(expression, known)}) > 0"


def _join_other_keys(expression: str, known: Iterable[str]) -> str:
    return f"$join({_list_other_keys(expression, known)}, ', ')"


def _list_other_keys(expression: str, known: Iterable[str]) -> str:
    names = ", ".join(f"'{name}'" for name in known)
    return f"$keys({expression})[$not($ in [{names}])]"
