"""What tasks that call a Lambda function share."""

from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from stacks.pipeline.asl import Retry
from stacks.pipeline.permission import Permission

INVOKE: Final = f"arn:{Aws.PARTITION}:states:::lambda:invoke"

# Errors of Lambda itself; a function's own have the names that it gives them, and would come again.
BUSY: Final = Retry(
    errors=(
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    ),
    interval_seconds=5,
    max_attempts=5,
)


def allow_invoking(function: lambda_.IFunction) -> Permission:
    """Let the state machine call this function."""
    return Permission(
        statement=iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])
    )
