"""What can happen to a living environment, and what it costs afterwards."""

from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """What a deployment does that is worth a word before it starts."""

    REFUSED = "refused"
    REPLACED = "replaced"
    DELETED = "deleted"
    LEFT_BEHIND = "left behind"
    LEFT_OVER = "left over"
    ELSEWHERE = "elsewhere"
    STUCK = "cannot be deleted"
    NOT_EMPTY = "must be empty"
    NAME_TAKEN = "name taken"
    STALE = "stale"
    INTERRUPTED = "interrupted"

    @property
    def is_failure(self) -> bool:
        """Whether something goes wrong, rather than as the change says."""
        return self in (Effect.REFUSED, Effect.ELSEWHERE, Effect.STUCK, Effect.NAME_TAKEN, Effect.STALE)

    @property
    def is_dangerous(self) -> bool:
        """Whether something is lost, stays behind or goes wrong; an interruption ends by itself."""
        return self is not Effect.INTERRUPTED


@dataclass(frozen=True)
class Finding:
    """Something that a deployment does.

    Args:
        effect: What.
        stack: Where: the stack's id,
        resource: the resource's logical id, empty where it is about the whole stack,
        kind: and its CloudFormation type.
        text: It in words.
        monthly: What stays on the bill, in US dollars a month, where it does not depend on use.
        users: The stacks that are in the way, or feel it.
    """

    effect: Effect
    stack: str
    resource: str
    kind: str
    text: str
    monthly: float = 0.0
    users: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f"{self.stack}/{self.resource} ({self.kind})" if self.resource else self.stack
        return f"{place}: {self.text}"
