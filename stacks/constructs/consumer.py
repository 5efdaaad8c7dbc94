"""A reader of normalized images: an access point to the photographs, and a policy for their roles."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from headrace.recipes.recipe import NormalizerVariables
from headrace.transformations.registry import find_transformation
from stacks.constructs.image_access_point import Identity, ImageAccessPoint
from stacks.settings.normalizer import ConsumerSettings, Through
from stacks.settings.workloads import NormalizedSettings

_OBJECT_LAMBDA = "s3-object-lambda.amazonaws.com"


@dataclass(frozen=True)
class _Door:
    """A way to normalized images.

    Args:
        address: Where they are, as `headrace.images` spells it.
        grant: Lets an identity read them.
    """

    address: str
    grant: Callable[[Identity], object]


class Consumer(Construct):
    """An access point to the photographs, and who may read: our roles, and yours by the managed policy `readers`."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: ConsumerSettings, images: s3.IBucket) -> None:
        super().__init__(scope, construct_id)
        self.settings = settings
        self.transformation = find_transformation(settings.transformation)
        self.images = ImageAccessPoint(self, "Images", bucket=images, prefix=self.transformation.raw_prefix)
        self._doors: dict[Through, _Door] = {}
        self.readers = iam.ManagedPolicy(
            self, "Readers", description=f"Reads normalized images as {settings.name}: for the roles of that consumer"
        )

    def let_in(self, role: iam.Role, through: Through) -> str:
        """Let a role of another stack read through a door; the door's address.

        By statements of its own: IAM deletes no managed policy that a role still has, so that a consumer could not go
        before the roles of the other stack.
        """
        door = self._doors[through]
        door.grant(role)
        return door.address

    def let_job_in(
        self, role: iam.Role, settings: NormalizedSettings, variables: NormalizerVariables
    ) -> dict[str, str]:
        """Let the role of a job read; what the job finds in its environment for that."""
        return {
            variables.address: self.let_in(role, settings.through),
            variables.prefix: settings.prefix,
            variables.options: urlencode(settings.options),
            variables.connections: str(settings.connections),
            # SageMaker does not promise to tell the region, and an access point's alias does not name it.
            "AWS_DEFAULT_REGION": Aws.REGION,
        }

    def add_function_url(self, url: lambda_.FunctionUrl) -> None:
        """Let the readers through the function URL."""
        self._open("function_url", _Door(url.url, url.grant_invoke_url))

    def add_object_lambda(self, name: str, function: lambda_.Function) -> str:
        """Let the readers through the Object Lambda access point of a name, whether or not it exists; its ARN."""
        arn = f"arn:{Aws.PARTITION}:s3-object-lambda:{Aws.REGION}:{Aws.ACCOUNT_ID}:accesspoint/{name}"
        self._open("object_lambda", _Door(arn, lambda identity: self._allow_reading(identity, arn, function)))
        return arn

    def _open(self, through: Through, door: _Door) -> None:
        door.grant(self.readers)
        self._doors[through] = door

    def _allow_reading(self, identity: Identity, access_point: str, function: lambda_.Function) -> None:
        """What readers need on the way: the door, and behind it, only through it, the function and the images.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/olap-policies.html
        """
        called_via = {"ForAnyValue:StringEquals": {"aws:CalledVia": [_OBJECT_LAMBDA]}}
        for statement in (
            iam.PolicyStatement(
                actions=["s3-object-lambda:GetObject", "s3-object-lambda:ListBucket"], resources=[access_point]
            ),
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"], resources=[function.function_arn], conditions=called_via
            ),
        ):
            identity.grant_principal.add_to_principal_policy(statement)
        self.images.allow_reading(identity, via=_OBJECT_LAMBDA)
