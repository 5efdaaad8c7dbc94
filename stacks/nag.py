"""Acknowledgements of cdk-nag findings: one place, so that each is reasoned and none goes stale."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_s3 as s3
from constructs import IConstruct


def acknowledge(construct: IConstruct, findings: Mapping[str, str]) -> None:
    """Accept findings on one construct; each reason says why it may differ and what guards it instead.

    cdk-nag matches ids exactly: granular ones (`AwsSolutions-IAM5[Resource::*]`) each need their own entry.
    """
    for finding, reason in findings.items():
        Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))


def wildcard_resource(resource: str) -> str:
    """The finding for a policy that names a resource with a wildcard."""
    return f"AwsSolutions-IAM5[Resource::{resource}]"


def wildcard_objects(bucket: s3.IBucket, pattern: str) -> str:
    """The finding for a policy on the objects of another stack's bucket, spelt as cdk-nag does: by its export."""
    owner = Stack.of(bucket)
    imported = owner.resolve(owner.export_value(bucket.bucket_arn))
    return wildcard_resource(f"{imported['Fn::ImportValue']}/{pattern}")


def wildcard_in_account(service: str, resource: str) -> str:
    """The finding for a policy on resources of this account and region."""
    return wildcard_resource(f"arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>:{resource}")
