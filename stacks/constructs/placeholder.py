"""What stands in a stack that makes nothing of its own."""

from aws_cdk import CfnWaitConditionHandle
from constructs import Construct


class Placeholder(Construct):
    """A resource that does and costs nothing: CloudFormation has no stack, and no outputs, without a resource."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        CfnWaitConditionHandle(self, "Nothing")
