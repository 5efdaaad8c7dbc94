"""Where alarms go: one encrypted topic, and the address that the settings subscribe to it."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import App, Aws, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from headrace import contract
from stacks.constructs.alarm_topic import name_topic
from stacks.constructs.budget import BUDGETS, Budget
from stacks.constructs.clean_up import CleanUp
from stacks.constructs.dashboard import Dashboard, Shown
from stacks.constructs.failure_notices import FailureNotices, WatchedResources
from stacks.constructs.starting import Starting
from stacks.constructs.state_machine import StateMachine
from stacks.settings.alarms import AlarmSettings

# How CloudFormation spells that an alarm without data says so.
_MISSING: Final = "missing"
_CLOUDWATCH: Final = iam.ServicePrincipal("cloudwatch.amazonaws.com")


class AlarmStack(Stack):
    """By setting: a topic that this account's alarms may publish to.

    Its name is fixed: other stacks know its address without importing it, so that alarms are turned on and off in one
    deployment. It has its own key, because the platform's is for data, and CloudWatch can use none that AWS manages.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: AlarmSettings | None,
        environment: str,
        tags: Mapping[str, str],
        work: s3.IBucket,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        if settings:
            key = self._create_key()
            name = contract.alarm_topic_name(environment)
            topic = sns.Topic(self, "Topic", topic_name=name, master_key=key, enforce_ssl=True)
            _let_publish(_CLOUDWATCH, topic, key, self._only_alarms_of_this_account())
            if settings.email:
                topic.add_subscription(subscriptions.EmailSubscription(settings.email))
            if settings.budget:
                budget = Budget(
                    self, "Budget", settings=settings.budget, environment=environment, tags=tags, topic=topic
                )
                _let_publish(BUDGETS, topic, key, budget.conditions)
            if settings.failures:
                # Those of all workloads write there, and are told of once.
                watched = WatchedResources(transformed_uri=f"s3://{work.bucket_name}/{contract.EXECUTIONS_PREFIX}")
                FailureNotices(self, "Failures", environment=environment, watched=watched)
            CfnOutput(self, contract.ALARM_TOPIC_OUTPUT, value=topic.topic_arn)

    def _create_key(self) -> kms.Key:
        return kms.Key(
            self,
            "TopicKey",
            description="Encrypts what Headrace's alarms say",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _only_alarms_of_this_account(self) -> dict[str, dict[str, str]]:
        alarms = self.format_arn(service="cloudwatch", resource="alarm:*")
        return {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}, "ArnLike": {"aws:SourceArn": alarms}}

    def show(self, shown: Shown, environment: str) -> None:
        """Show an environment on a page of CloudWatch."""
        Dashboard(self, "Dashboard", name=contract.dashboard_name(environment), shown=shown)


def _let_publish(
    principal: iam.ServicePrincipal, topic: sns.Topic, key: kms.Key, conditions: Mapping[str, Any]
) -> None:
    """Admit a service of AWS, which needs the key as well.

    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """
    for grant, actions, resource in (
        (topic.add_to_resource_policy, ["sns:Publish"], topic.topic_arn),
        (key.add_to_resource_policy, ["kms:Decrypt", "kms:GenerateDataKey"], "*"),
    ):
        grant(iam.PolicyStatement(principals=[principal], actions=actions, resources=[resource], conditions=conditions))


def connect_alarms(app: App, environment: str) -> None:
    """Let every alarm of the app publish to the topic, and what runs executions and ends them have its own."""
    for construct in app.node.find_all():
        if isinstance(construct, StateMachine):
            construct.add_failure_alarms()
        elif isinstance(construct, Starting | CleanUp):
            construct.add_failure_alarm()
    for construct in app.node.find_all():
        if isinstance(construct, cloudwatch.CfnAlarm):
            topic = name_topic(construct, environment)
            construct.alarm_actions = [topic]
            # One that waits for data which must come says by this state that they no longer do.
            if construct.treat_missing_data == _MISSING:
                construct.insufficient_data_actions = [topic]
