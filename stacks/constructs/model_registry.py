"""Where the versions of a workload's model are, and what starts the deployment of one that somebody approves."""

from typing import Final

import aws_cdk as cdk
from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from headrace import contract
from stacks.constructs.live_alias import LiveAlias
from stacks.constructs.removal import choose_removal_policy
from stacks.constructs.starting import Starting

# How long EventBridge tries to start an execution. A deployment that starts much later surprises the approver.
_LONGEST_START: Final = Duration.hours(2)
_RETRIES: Final = 20


class ModelPackageGroup(sagemaker.CfnModelPackageGroup):
    """The versions of a workload's model; each has the tags of the group.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        environment: The environment and
        workload: the workload that it is named after.
        retain_data: Whether it outlives its stack, with its versions.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: str, workload: str, retain_data: bool
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            model_package_group_name=contract.model_package_group_name(environment, workload),
            model_package_group_description=f"The versions of the model of {workload} in {environment}",
        )
        self.apply_removal_policy(choose_removal_policy(retain_data=retain_data))
        cdk.Tags.of(self).add(contract.WORKLOAD_TAG, workload)


class ApprovalRule(Starting):
    """Starts a state machine with every version of a group that somebody approves, whichever way they do it.

    What makes a version that is approved from the beginning deploys it itself, so only a changed status counts.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        group: The model package group's name.
        live: What is started.
    """

    def __init__(self, scope: Construct, construct_id: str, *, group: str, live: LiveAlias) -> None:
        failure = "An approval has started no execution; the event is in the queue of this rule"
        super().__init__(scope, construct_id, failure=failure)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "events.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
            ),
        )
        rule = events.Rule(
            self,
            "Rule",
            description=f"Deploys the versions in {group} that somebody approves",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Package State Change"],
                detail={
                    "ModelPackageGroupName": [group],
                    "ModelApprovalStatus": ["Approved"],
                    "UpdatedModelPackageFields": ["ModelApprovalStatus"],
                },
            ),
            targets=[
                targets.SfnStateMachine(
                    live.machine,
                    input=events.RuleTargetInput.from_object(
                        {contract.MODEL_PACKAGE_ARN_INPUT: events.EventField.from_path("$.detail.ModelPackageArn")}
                    ),
                    role=role,
                    dead_letter_queue=self.dead_letters,
                    max_event_age=_LONGEST_START,
                    retry_attempts=_RETRIES,
                )
            ],
        )
        live.be_started_by(rule)
