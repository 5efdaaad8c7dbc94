"""What a state machine's role must be allowed to have an endpoint scaled.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.nag import wildcard_in_account, wildcard_resource
from stacks.ownership import REQUEST_TAG, RESOURCE_TAG, with_owner_tags
from stacks.pipeline.endpoint_permissions import EndpointPermissions
from stacks.pipeline.permission import Permission

_SERVICE: Final = "sagemaker.application-autoscaling.amazonaws.com"
_ROLE: Final = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
_ALARMS: Final = "alarm:TargetTracking-endpoint/*"
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_applicationautoscaling.html
_OF_VARIANTS: Final[Mapping[str, Any]] = {
    "StringEquals": {
        "application-autoscaling:service-namespace": "sagemaker",
        "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
    }
}
_ANY_TARGET: Final = (
    "Application Auto Scaling numbers scalable targets; the conditions limit which are meant to instances of "
    "endpoints, and to those that have no other environment's or workload's tags."
)
_NO_RESOURCES: Final = "Application Auto Scaling knows no resources for looking at policies."
_ANY_ALARM: Final = "Application Auto Scaling names its alarms after the endpoint, which an execution's input may name."


@dataclass(frozen=True)
class ScalingPermissions:
    """Makes the statements.

    Args:
        scope: Any construct of the stack; gives the ARNs their partition, region and account.
        tags: The tags of what executions make.
    """

    scope: Construct
    tags: Mapping[str, str]

    def allow_looking(self) -> tuple[Permission, ...]:
        """Look at the policies of an endpoint."""
        statement = iam.PolicyStatement(actions=["application-autoscaling:DescribeScalingPolicies"], resources=["*"])
        return (Permission(statement=statement, findings={wildcard_resource("*"): _NO_RESOURCES}),)

    def allow_deregistering(self) -> tuple[Permission, ...]:
        """Take an endpoint out of scaling, and remove the alarms of its policy."""
        return self._allow_target("DeregisterScalableTarget"), self._allow_alarms("DeleteAlarms")

    def allow_registering(self) -> tuple[Permission, ...]:
        """Register an endpoint, with these tags; the first one of the account makes the role that scales."""
        resizing = EndpointPermissions(self.scope, self.tags).allow_resizing()
        return self._allow_target("RegisterScalableTarget"), self._allow_tagging(), *resizing, self._allow_role()

    def allow_policy(self) -> tuple[Permission, ...]:
        """Set a policy, which has alarms."""
        return (
            self._allow_target("PutScalingPolicy"),
            self._allow_alarms("PutMetricAlarm", "DeleteAlarms"),
            self._allow_looking_at_alarms(),
        )

    def allow_scheduling(self) -> tuple[Permission, ...]:
        """Set a scheduled action."""
        return (self._allow_target("PutScheduledAction"),)

    def _allow_target(self, action: str) -> Permission:
        """Targets that are missing, or that were registered without tags, have none."""
        tagged = {"StringEqualsIfExists": with_owner_tags(RESOURCE_TAG, self.tags)}
        return self._allow_targets(action, {**_OF_VARIANTS, **tagged})

    def _allow_tagging(self) -> Permission:
        return self._allow_targets("TagResource", {"StringEquals": with_owner_tags(REQUEST_TAG, self.tags)})

    def _allow_targets(self, action: str, conditions: Mapping[str, Any]) -> Permission:
        return Permission(
            statement=iam.PolicyStatement(
                actions=[f"application-autoscaling:{action}"],
                resources=[self._format_arn("application-autoscaling", "scalable-target/*")],
                conditions=conditions,
            ),
            findings={wildcard_in_account("application-autoscaling", "scalable-target/*"): _ANY_TARGET},
        )

    def _allow_alarms(self, *actions: str) -> Permission:
        return Permission(
            statement=iam.PolicyStatement(
                actions=[f"cloudwatch:{action}" for action in actions],
                resources=[self._format_arn("cloudwatch", _ALARMS)],
            ),
            findings={wildcard_in_account("cloudwatch", _ALARMS): _ANY_ALARM},
        )

    def _allow_looking_at_alarms(self) -> Permission:
        """Alarms that are looked for by the beginning of their names are asked of all.

        https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-managed-policies.html
        """
        return Permission(
            statement=iam.PolicyStatement(
                actions=["cloudwatch:DescribeAlarms"], resources=[self._format_arn("cloudwatch", "alarm:*")]
            ),
            findings={wildcard_in_account("cloudwatch", "alarm:*"): _ANY_ALARM},
        )

    def _allow_role(self) -> Permission:
        return Permission(
            statement=iam.PolicyStatement(
                actions=["iam:CreateServiceLinkedRole"],
                resources=[
                    Stack.of(self.scope).format_arn(
                        service="iam", region="", resource="role", resource_name=f"aws-service-role/{_SERVICE}/{_ROLE}"
                    )
                ],
                conditions={"StringEquals": {"iam:AWSServiceName": _SERVICE}},
            )
        )

    def _format_arn(self, service: str, resource: str) -> str:
        return Stack.of(self.scope).format_arn(
            service=service, resource=resource, arn_format=ArnFormat.NO_RESOURCE_NAME
        )
