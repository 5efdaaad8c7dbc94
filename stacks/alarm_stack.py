"""Where alarms go: one encrypted topic, and the address that the settings subscribe to it."""

from typing import Any, Final

from aws_cdk import App, ArnFormat, Aws, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from headrace import contract
from stacks.constructs.model_registry import ApprovalRule
from stacks.constructs.state_machine import StateMachine
from stacks.settings.alarms import AlarmSettings

_CLOUDWATCH: Final = iam.ServicePrincipal("cloudwatch.amazonaws.com")


class AlarmStack(Stack):
    """By setting: a topic that this account's alarms may publish to.

    Its name is fixed: other stacks know its address without importing it, so that alarms are turned on and off in one
    deployment. It has its own key, because the platform's is for data, and CloudWatch can use none that AWS manages.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: AlarmSettings | None, environment: str, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        if settings:
            topic = self._create_topic(contract.alarm_topic_name(environment))
            if settings.email:
                topic.add_subscription(subscriptions.EmailSubscription(settings.email))
            CfnOutput(self, contract.ALARM_TOPIC_OUTPUT, value=topic.topic_arn)

    def _create_topic(self, name: str) -> sns.Topic:
        topic = sns.Topic(self, "Topic", topic_name=name, master_key=self._create_key(), enforce_ssl=True)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[_CLOUDWATCH],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions=self._only_alarms_of_this_account(),
            )
        )
        return topic

    def _create_key(self) -> kms.Key:
        key = kms.Key(
            self,
            "TopicKey",
            description="Encrypts what Headrace's alarms say",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[_CLOUDWATCH],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions=self._only_alarms_of_this_account(),
            )
        )
        return key

    def _only_alarms_of_this_account(self) -> dict[str, dict[str, str]]:
        alarms = self.format_arn(service="cloudwatch", resource="alarm:*")
        return {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}, "ArnLike": {"aws:SourceArn": alarms}}


def connect_alarms(app: App, environment: str) -> None:
    """Let every alarm of the app publish to the topic, and every state machine and rule for approvals have its own."""
    for construct in app.node.find_all():
        if isinstance(construct, StateMachine):
            construct.add_failure_alarms()
        elif isinstance(construct, ApprovalRule):
            construct.add_failure_alarm()
    for construct in app.node.find_all():
        if isinstance(construct, cloudwatch.CfnAlarm):
            construct.alarm_actions = [
                Stack.of(construct).format_arn(
                    service="sns",
                    resource=contract.alarm_topic_name(environment),
                    arn_format=ArnFormat.NO_RESOURCE_NAME,
                )
            ]
