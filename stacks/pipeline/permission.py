"""What a state machine's role must be allowed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aws_cdk import aws_iam as iam


@dataclass(frozen=True, kw_only=True)
class Permission:
    """A statement of the role's policy, and why what cdk-nag finds in it may be so.

    Args:
        statement: The statement.
        findings: The reason for each finding that it causes.
    """

    statement: iam.PolicyStatement
    findings: Mapping[str, str] = field(default_factory=dict)
