"""What a state machine's role must be allowed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

SAGEMAKER: Final = "sagemaker.amazonaws.com"


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


def allow_endpoint_key(key: kms.IKey) -> Iterator[Permission]:
    """An endpoint has no role of its own, so SageMaker takes the key of its volumes as who creates or updates it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
    """
    yield Permission(statement=iam.PolicyStatement(actions=["kms:DescribeKey"], resources=[key.key_arn]))
    yield Permission(statement=allow_volumes(key))


def allow_passing(role: iam.IRole) -> Permission:
    """Let the state machine hand this role to SageMaker only."""
    return Permission(
        statement=iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": SAGEMAKER}},
        )
    )
