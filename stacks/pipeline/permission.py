"""What a state machine's role must be allowed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms


@dataclass(frozen=True, kw_only=True)
class Permission:
    """A statement of the role's policy, and why what cdk-nag finds in it may be so.

    Args:
        statement: The statement.
        findings: The reason for each finding that it causes.
    """

    statement: iam.PolicyStatement
    findings: Mapping[str, str] = field(default_factory=dict)


def allow_volumes(key: kms.IKey) -> iam.PolicyStatement:
    """Let SageMaker use the key for volumes; it takes the key with the permissions of the caller or the job's role."""
    return iam.PolicyStatement(
        actions=["kms:CreateGrant"],
        resources=[key.key_arn],
        conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
    )
