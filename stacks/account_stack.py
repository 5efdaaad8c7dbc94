"""What an account has once in a Region: the log groups of all its SageMaker jobs, and API Gateway's way to its logs."""

from typing import Any, Final

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.customer_key import CustomerKey
from stacks.constructs.expiring_log_group import ExpiringLogGroup
from stacks.nag import acknowledge
from stacks.settings.account import AccountSettings

LOG_GROUPS: Final = "/aws/sagemaker"
# SageMaker writes to these by fixed names, and makes them without retention and key where they are missing.
SHARED_GROUPS: Final = ("NotebookInstances", "ProcessingJobs", "TrainingJobs", "TransformJobs")


class AccountStack(Stack):
    """SageMaker's log groups with a retention and, by setting, a key; they outlive the stack, as others use them, too.

    Their names are fixed, so that a stack can adopt those which SageMaker has made before.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: AccountSettings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, termination_protection=True, **kwargs)
        logs = settings.logs

        key = (
            CustomerKey(self, "Key", description="Encrypts what SageMaker's jobs print", retain_data=True)
            if logs.customer_key
            else None
        )
        endpoints = {f"Endpoint-{name}": f"Endpoints/{name}" for name in logs.endpoints}
        for group_id, name in {**dict(zip(SHARED_GROUPS, SHARED_GROUPS, strict=True)), **endpoints}.items():
            ExpiringLogGroup(
                self,
                group_id,
                days=logs.retention_days,
                key=key,
                retain_data=True,
                log_group_name=f"{LOG_GROUPS}/{name}",
            )
        if settings.api_gateway_logs:
            self._let_api_gateway_log()

    def _let_api_gateway_log(self) -> None:
        """Of this role there is one in a Region, whichever APIs there are: without it, no stage with logs is made.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
        """
        policy = "service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        role = iam.Role(
            self,
            "ApiGatewayLogs",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(policy)],
        )
        account = apigateway.CfnAccount(self, "ApiGateway", cloud_watch_role_arn=role.role_arn)
        account.node.add_dependency(role)
        for kept in (role, account):
            kept.apply_removal_policy(RemovalPolicy.RETAIN)
        acknowledge(
            role,
            {
                f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{policy}]": (
                    "AWS demands what this policy allows, for whichever log group an API names; only API Gateway "
                    "may take the role."
                )
            },
        )
