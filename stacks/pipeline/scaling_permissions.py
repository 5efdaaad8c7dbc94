"""What a state machine's role must be allowed to have an endpoint scaled.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.nag import wildcard_in_account
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
    "Application Auto Scaling numbers scalable targets; the conditions limit which are meant to instances of endpoints."
)
_ANY_ALARM: Final = "Application Auto Scaling names its alarms after the endpoint, which an execution's input may name."
_ANY_ENDPOINT: Final = (
    "An execution's input may name the endpoint; Application Auto Scaling asks whether who registers one may resize it."
)


@dataclass(frozen=True)
class ScalingPermissions:
    """Makes the statements.

    Args:
        scope: Any construct of the stack; gives the ARNs their partition, region and account.
    """

    scope: Construct

    def allow_deregistering(self) -> tuple[Permission, ...]:
        """Take an endpoint out of scaling, and remove the alarms of its policy."""
        return self._allow_target("DeregisterScalableTarget"), self._allow_alarms("DeleteAlarms")

    def allow_registering(self) -> tuple[Permission, ...]:
        """Register an endpoint; the first one of the account makes the role that scales."""
        return self._allow_target("RegisterScalableTarget"), self._allow_resizing(), self._allow_role()

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
        return Permission(
            statement=iam.PolicyStatement(
                actions=[f"application-autoscaling:{action}"],
                resources=[self._format_arn("application-autoscaling", "scalable-target/*")],
                conditions=_OF_VARIANTS,
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

    def _allow_resizing(self) -> Permission:
        kinds = ("endpoint/*", "endpoint-config/*")
        return Permission(
            statement=iam.PolicyStatement(
                actions=[
                    "sagemaker:DescribeEndpoint",
                    "sagemaker:DescribeEndpointConfig",
                    "sagemaker:UpdateEndpointWeightsAndCapacities",
                ],
                resources=[self._format_arn("sagemaker", kind) for kind in kinds],
            ),
            findings={wildcard_in_account("sagemaker", kind): _ANY_ENDPOINT for kind in kinds},
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
