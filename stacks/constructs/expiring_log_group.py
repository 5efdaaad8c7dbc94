"""A CloudWatch log group with the house's defaults."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.constructs.removal import choose_removal_policy


class ExpiringLogGroup(logs.LogGroup):
    """A log group whose events expire after as many days as the settings say.

    The typed property takes an enumeration of jsii's; the settings have been checked against the same list.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        days: int,
        key: kms.IKey | None,
        retain_data: bool,
        log_group_name: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            encryption_key=key,
            log_group_name=log_group_name,
            removal_policy=choose_removal_policy(retain_data=retain_data),
        )
        resource = self.node.default_child
        assert isinstance(resource, logs.CfnLogGroup)  # noqa: S101 (what a log group is made of)
        resource.retention_in_days = days
