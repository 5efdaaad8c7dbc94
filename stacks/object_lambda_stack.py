"""S3 Object Lambda in front of the normalizer, for accounts that AWS has not closed it to."""

import json
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_s3objectlambda as object_lambda
from constructs import Construct

from headrace.normalizer import contract
from headrace.regions import OBJECT_LAMBDA_CLOSED
from stacks.constructs.consumer import Consumer
from stacks.normalizer_stack import NormalizerStack
from stacks.settings.environment import Settings

CLOSED_TO_NEW_ACCOUNTS = (
    "normalizer.object_lambda: AWS refuses S3 Object Lambda to accounts that had not used it by "
    f"{OBJECT_LAMBDA_CLOSED}. This stack comes last and no other needs it: where it is refused, everything else stands"
)
# Lists come from S3: normalized images have the names of their photographs.
_ACTIONS = ("GetObject", "HeadObject")


class ObjectLambdaStack(Stack):
    """An Object Lambda access point for each consumer, and nothing that another stack could need."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        normalizer: NormalizerStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        if not settings.normalizer.object_lambda:
            return
        # Not by `Annotations`, which adds a stack trace: the assembly would be another one on every machine.
        self.node.add_metadata("aws:cdk:info", CLOSED_TO_NEW_ACCOUNTS)
        for consumer in normalizer.consumers.values():
            name = settings.object_lambda_name(consumer.settings)
            access_point = self._add_access_point(
                name, consumer, normalizer.functions[consumer.settings.transformation].function_arn
            )
            # Another bucket replaces the access point behind this one; CDK deploys nothing whose template is the same.
            if bucket := settings.storage.existing_raw_bucket:
                access_point.add_metadata("RawBucket", bucket)
            CfnOutput(self, contract.object_lambda_output(consumer.settings.name), value=access_point.attr_alias_value)
            CfnOutput(self, contract.object_lambda_arn_output(consumer.settings.name), value=access_point.attr_arn)

    def _add_access_point(self, name: str, consumer: Consumer, function_arn: str) -> object_lambda.CfnAccessPoint:
        payload = json.dumps(dict(consumer.settings.options), sort_keys=True)
        return object_lambda.CfnAccessPoint(
            self,
            # By its own name: a consumer that is renamed and keeps its access point's name would collide with itself.
            contract.pascal_name(name),
            # Known beforehand, so that neither the policies of readers nor their jobs need this stack.
            name=name,
            object_lambda_configuration=object_lambda.CfnAccessPoint.ObjectLambdaConfigurationProperty(
                supporting_access_point=consumer.images.arn,
                allowed_features=["GetObject-Range"],
                cloud_watch_metrics_enabled=True,
                transformation_configurations=[
                    object_lambda.CfnAccessPoint.TransformationConfigurationProperty(
                        actions=list(_ACTIONS),
                        content_transformation={"AwsLambda": {"FunctionArn": function_arn, "FunctionPayload": payload}},
                    )
                ],
            ),
        )
