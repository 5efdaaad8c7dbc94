"""Access points of the raw bucket that show what one transformation reads only: photographs, or texts."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.nag import acknowledge, wildcard_objects, wildcard_of, wildcard_resource
from stacks.ownership import in_this_account

Identity = iam.Role | iam.ManagedPolicy


class ImageAccessPoint(Construct):
    """A way to the photographs of the raw bucket, or to what else is below a prefix.

    A request through an access point needs to be allowed on the access point and on the bucket behind it:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, bucket: s3.IBucket, prefix: str) -> None:
        super().__init__(scope, construct_id)
        self._bucket = bucket
        self._prefix = prefix
        self._access_point = s3.CfnAccessPoint(
            self,
            "AccessPoint",
            bucket=bucket.bucket_name,
            public_access_block_configuration=s3.CfnAccessPoint.PublicAccessBlockConfigurationProperty(
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
            ),
        )
        self.arn = self._access_point.attr_arn
        self.alias = self._access_point.attr_alias

    def allow_reading(self, identity: Identity, via: str | None = None) -> None:
        """Let an identity read the photographs; only through the AWS service `via`, where one is named."""
        called_via = {"ForAnyValue:StringEquals": {"aws:CalledVia": [via]}} if via else {}
        objects = f"{self.arn}/object/{self._prefix}*"
        _allow(identity, ["s3:GetObject"], objects, called_via)
        through = {"StringEquals": {"s3:DataAccessPointArn": self.arn}}
        _allow(identity, ["s3:GetObject"], self._bucket.arn_for_objects(f"{self._prefix}*"), {**called_via, **through})
        reason = (
            f"The names of its objects are not known beforehand; the prefix {self._prefix}, the single action "
            "and the access point limit what is reached."
        )
        name = Stack.of(self).get_logical_id(self._access_point)
        below = f"object/{self._prefix}*"
        acknowledge(
            identity,
            {
                wildcard_objects(self._bucket, f"{self._prefix}*"): reason,
                wildcard_resource(f"<{name}.Arn>/{below}")
                if Stack.of(identity) == Stack.of(self)
                else wildcard_of(self, self.arn, below): reason,
            },
        )

    def allow_listing(self, identity: Identity) -> None:
        """Let an identity see which objects there are."""
        through = {"StringEquals": {"s3:DataAccessPointArn": self.arn}}
        _allow(identity, ["s3:ListBucket"], self.arn, {})
        _allow(identity, ["s3:ListBucket"], self._bucket.bucket_arn, through)


def _allow(identity: Identity, actions: list[str], resource: str, conditions: dict[str, Any]) -> None:
    statement = iam.PolicyStatement(actions=actions, resources=[resource], conditions=in_this_account(conditions))
    identity.grant_principal.add_to_principal_policy(statement)
