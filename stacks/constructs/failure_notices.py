"""What people are told of jobs and endpoints that fail or are deleted, in SageMaker's own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.alarm_topic import allow_publishing, name_topic

# https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
_ENDPOINT_FAILURES: Final = ("FAILED", "OUT_OF_SERVICE", "UPDATE_ROLLBACK_FAILED")
# That page does not list the statuses; AWS's own sample has a rule for this one:
# https://github.com/aws-samples/amazon-sagemaker-ab-testing-pipeline
_DELETED: Final = "DELETING"


@dataclass(frozen=True, kw_only=True)
class WatchedResources:
    """Which of SageMaker's resources people are told of.

    Args:
        roles: What training and processing jobs run under, which their events name.
        transformed_uri: Where transform jobs write: their events name no role. Empty for none.
        endpoint_name: An endpoint; empty for none.
        is_kept: Whether it stands until somebody deletes it: people are told of that, too.
    """

    roles: Sequence[iam.IRole] = ()
    transformed_uri: str = ""
    endpoint_name: str = ""
    is_kept: bool = True


class FailureNotices(Construct):
    """Rules that tell the topic of alarms of each job that fails, and of an endpoint that does or is deleted.

    A rule costs nothing, and has the reason; a metric and an alarm would cost, and have only that it happened.
    EventBridge publishes under a role because a topic's policy can have no conditions for it. Wordings of
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html disagree on whether that works
    where a topic is encrypted; docs/watching.md says how to see it.

    Args:
        scope: Where they live.
        construct_id: Their id there.
        environment: The environment, whose topic is told.
        watched: What fails.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: str, watched: WatchedResources) -> None:
        super().__init__(scope, construct_id)
        account = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        self._environment, self._topic = environment, name_topic(self, environment)
        self._role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("events.amazonaws.com", conditions=account))
        allow_publishing(self._role, self._topic)
        if roles := [role.role_arn for role in watched.roles]:
            self._tell_of_job("Training", {"RoleArn": roles})
            self._tell_of_job("Processing", {"RoleArn": roles})
        if watched.transformed_uri:
            self._tell_of_job("Transform", {"TransformOutput": {"S3OutputPath": [{"prefix": watched.transformed_uri}]}})
        if watched.endpoint_name:
            statuses = (*((_DELETED,) if watched.is_kept else ()), *_ENDPOINT_FAILURES)
            self._tell_of_endpoint(watched.endpoint_name, statuses)

    def _tell_of_job(self, kind: str, which: Mapping[str, Any]) -> None:
        name = f"{kind}JobName"
        self._rule(
            kind,
            f"SageMaker {kind} Job State Change",
            {f"{kind}JobStatus": ["Failed"], **which},
            {"name": f"$.detail.{name}", "reason": "$.detail.FailureReason"},
            f"the {kind.lower()} job <name> has failed: <reason>",
        )

    def _tell_of_endpoint(self, name: str, statuses: Sequence[str]) -> None:
        self._rule(
            "Endpoint",
            "SageMaker Endpoint State Change",
            {"EndpointName": [name], "EndpointStatus": list(statuses)},
            {"name": "$.detail.EndpointName", "status": "$.detail.EndpointStatus"},
            "the endpoint <name> has the status <status>",
        )

    def _rule(
        self, construct_id: str, kind: str, detail: Mapping[str, Any], paths: Mapping[str, str], message: str
    ) -> None:
        rule = events.Rule(
            self,
            construct_id,
            description=f"Notifies the topic of alarms of a {kind.removesuffix(' State Change')} that fails",
            event_pattern=events.EventPattern(source=["aws.sagemaker"], detail_type=[kind], detail=dict(detail)),
        )
        target = events.CfnRule.TargetProperty(
            id="Topic",
            arn=self._topic,
            role_arn=self._role.role_arn,
            input_transformer=events.CfnRule.InputTransformerProperty(
                input_paths_map=dict(paths), input_template=f'"headrace-{self._environment}: {message}"'
            ),
        )
        # CDK's own target for topics changes the topic's policy, which another stack has.
        cast("events.CfnRule", rule.node.default_child).targets = [target]
