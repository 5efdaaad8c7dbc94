"""A reader of normalized images: an access point, what Object Lambda has for them, a policy for their roles."""

import json
from collections.abc import Callable

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3objectlambda as object_lambda
from constructs import Construct

from stacks.constructs.image_access_point import Identity, ImageAccessPoint
from stacks.settings.normalizer import ConsumerSettings

_OBJECT_LAMBDA = "s3-object-lambda.amazonaws.com"
# Lists come from S3: normalized images have the names of their photographs.
_ACTIONS = ("GetObject", "HeadObject")


class Consumer(Construct):
    """An access point to the photographs, and who may read: our roles, and yours by the managed policy `readers`."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: ConsumerSettings, images: s3.IBucket) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._access_point = ImageAccessPoint(self, "Images", bucket=images)
        self._url: str | None = None
        self._alias: str | None = None
        self._grants: list[Callable[[Identity], object]] = []
        self.readers = iam.ManagedPolicy(
            self, "Readers", description=f"Reads normalized images as {settings.name}: for the roles of that consumer"
        )

    @property
    def address(self) -> str:
        """Where normalized images are, as `headrace.images` spells it: Object Lambda where there is a choice."""
        if self._alias:
            return f"s3://{self._alias}"
        if self._url:
            return self._url
        raise AssertionError(f"the settings leave consumer {self._settings.name} without a door")

    def add_function_url(self, url: lambda_.FunctionUrl) -> None:
        """Let the readers through the function URL."""
        self._grant(url.grant_invoke_url)
        self._url = url.url

    def let_in(self, role: iam.Role) -> None:
        """Let a role of another stack read.

        By statements of its own: IAM deletes no managed policy that a role still has, so that a consumer could not go
        before the roles of the other stack.
        """
        for grant in self._grants:
            grant(role)

    def _grant(self, grant: Callable[[Identity], object]) -> None:
        grant(self.readers)
        self._grants.append(grant)

    def add_object_lambda(self, function: lambda_.Function, writer: iam.Role) -> str:
        """Make the consumer's Object Lambda access point; its alias.

        Args:
            function: What it invokes.
            writer: The function's role, which answers through it.
        """
        access_point = object_lambda.CfnAccessPoint(
            self,
            "Pictures",  # Another id would replace the access point, whose alias the readers have.
            object_lambda_configuration=object_lambda.CfnAccessPoint.ObjectLambdaConfigurationProperty(
                supporting_access_point=self._access_point.arn,
                allowed_features=["GetObject-Range"],
                cloud_watch_metrics_enabled=True,
                transformation_configurations=[self._transform(function)],
            ),
        )
        # As its own policy: the access point needs the function, so the function's policy cannot need it.
        answers = iam.Policy(self, "Answers", roles=[writer])
        answers.add_statements(
            iam.PolicyStatement(actions=["s3-object-lambda:WriteGetObjectResponse"], resources=[access_point.attr_arn])
        )
        self._grant(lambda identity: self._allow_reading(identity, access_point, function))
        self._alias = access_point.attr_alias_value
        return self._alias

    def _transform(
        self, function: lambda_.Function
    ) -> object_lambda.CfnAccessPoint.TransformationConfigurationProperty:
        payload = {"FunctionPayload": json.dumps(dict(self._settings.options), sort_keys=True)}
        return object_lambda.CfnAccessPoint.TransformationConfigurationProperty(
            actions=list(_ACTIONS),
            content_transformation={"AwsLambda": {"FunctionArn": function.function_arn, **payload}},
        )

    def _allow_reading(
        self, identity: Identity, door: object_lambda.CfnAccessPoint, function: lambda_.Function
    ) -> None:
        """What readers need on the way: the door, and behind it, only through it, the function and the images.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/olap-policies.html
        """
        through = {"ForAnyValue:StringEquals": {"aws:CalledVia": [_OBJECT_LAMBDA]}}
        for statement in (
            iam.PolicyStatement(
                actions=["s3-object-lambda:GetObject", "s3-object-lambda:ListBucket"], resources=[door.attr_arn]
            ),
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"], resources=[function.function_arn], conditions=through
            ),
        ):
            identity.grant_principal.add_to_principal_policy(statement)
        self._access_point.allow_reading(identity, via=_OBJECT_LAMBDA)
