"""What an account has once in a Region: the log groups that all SageMaker jobs of the account share."""

from typing import Any, Final

from aws_cdk import Stack
from constructs import Construct

from stacks.constructs.customer_key import CustomerKey
from stacks.constructs.expiring_log_group import ExpiringLogGroup
from stacks.settings.account import LogSettings

LOG_GROUPS: Final = "/aws/sagemaker"
# SageMaker writes to these by fixed names, and makes them without retention and key where they are missing.
SHARED_GROUPS: Final = ("NotebookInstances", "ProcessingJobs", "TrainingJobs", "TransformJobs")


class AccountStack(Stack):
    """SageMaker's log groups with a retention and, by setting, a key; they outlive the stack, as others use them, too.

    Their names are fixed, so that a stack can adopt those which SageMaker has made before.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: LogSettings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, termination_protection=True, **kwargs)

        key = (
            CustomerKey(self, "Key", description="Encrypts what SageMaker's jobs print", retain_data=True)
            if settings.customer_key
            else None
        )
        endpoints = {f"Endpoint-{name}": f"Endpoints/{name}" for name in settings.endpoints}
        for group_id, name in {**dict(zip(SHARED_GROUPS, SHARED_GROUPS, strict=True)), **endpoints}.items():
            ExpiringLogGroup(
                self,
                group_id,
                days=settings.retention_days,
                key=key,
                retain_data=True,
                log_group_name=f"{LOG_GROUPS}/{name}",
            )
