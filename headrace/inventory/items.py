"""One thing that an environment has, or will have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from headrace import contract


class Maker(StrEnum):
    """How it is known of: a template that will make it, a stack that has made it, or an execution or a person has."""

    TEMPLATE = "template"
    STACK = "stack"
    RUN = "run"


@dataclass(frozen=True, kw_only=True)
class Item:
    """A thing that an environment has, or will have.

    Args:
        kind: Its CloudFormation type, also where CloudFormation has not made it.
        name: What the account calls it; in a template, its logical id.
        maker: How it is known of.
        stack: The name in CloudFormation of its stack.
        logical_id: What its template calls it.
        properties: What is known of it, as CloudFormation's properties of its type.
        amounts: How much is in it, by what is counted: `gb` of 2**30 bytes, `objects`.
        tags: Its tags, where they were asked for.
        policy: What CloudFormation does with it when it is deleted with its stack: `Delete`, `Retain` …
    """

    kind: str
    name: str
    maker: Maker
    stack: str | None = None
    logical_id: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    amounts: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: str = "Delete"

    @property
    def is_ours(self) -> bool:
        """Whether it belongs to this platform: other templates have stacks of other names, and other settings."""
        return self.stack is None or self.stack.startswith(contract.STACK_PREFIX)

    @property
    def section(self) -> str:
        """The part of the platform that it belongs to, as its stack's name ends, such as `bigmart`, or its workload."""
        return (self.stack or "").rpartition("-")[2].lower() or self.tags.get(contract.WORKLOAD_TAG, "")

    @property
    def is_retained(self) -> bool:
        """Whether it outlives its stack."""
        return self.policy.startswith("Retain")
