"""The function that ends the executions of a state machine which fail, and what it may do for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from headrace.contract import EXECUTION_TAG, NOTICE_SOURCE, TURNS_PREFIX, alarm_topic_name
from lambdas import clean_up
from lambdas.clean_up import contract
from lambdas.clean_up.contract import Variable
from stacks.constructs.pipeline_function import PipelineFunction, Program
from stacks.constructs.state_machine import MachineLog
from stacks.nag import acknowledge, wildcard_in_account, wildcard_objects
from stacks.ownership import in_this_account
from stacks.pipeline.join import Pipeline
from stacks.settings.bundle_target import BundleTarget

_PROGRAM: Final = Program(
    source=Path(clean_up.__path__[0]),
    handler=contract.FUNCTION_HANDLER,
    memory_mib=contract.MEMORY_MIB,
    timeout_seconds=contract.TIMEOUT_SECONDS,
)

# What executions make in SageMaker and what ARNs call it: jobs are stopped, everything else is deleted.
_JOBS: Final = {"ProcessingJob": "processing-job", "TrainingJob": "training-job", "TransformJob": "transform-job"}
_SERVING: Final = {"Model": "model", "EndpointConfig": "endpoint-config", "Endpoint": "endpoint"}
_ENDINGS: Final = ("ABORTED", "FAILED", "SUCCEEDED", "TIMED_OUT")
_MADE_BY_EXECUTIONS: Final = (
    "Executions name what they make; only what has the tags of this workload's executions can be stopped or deleted."
)


@dataclass(frozen=True, kw_only=True)
class CleanUpSurroundings:
    """What the function needs to know of its environment.

    Args:
        environment: The environment.
        notifies: Whether it has a topic for alarms, which notices go to as well.
        target: Where the function's code is to run.
    """

    environment: str
    notifies: bool
    target: BundleTarget


class CleanUp(PipelineFunction):
    """Removes what executions that fail, take too long or are stopped leave half made, and says how they end.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        around: What it needs to know of its environment.
        log: Where the state machine logs; the function's own log is kept as long.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        around: CleanUpSurroundings,
        log: MachineLog,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            program=_PROGRAM,
            environment={Variable.TOPIC: _name_topic(scope, around.environment)} if around.notifies else {},
            target=around.target,
            log=log,
        )
        self._stack = Stack.of(self)

        self._allow_notices()
        if around.notifies:
            self._allow_topic(_name_topic(self, around.environment))

    def follow(self, machine: sfn.StateMachine) -> None:
        """Let it look into the executions of a state machine, and be told of their ends.

        Apart from the role's other permissions: the function would depend on the state machine that depends on it.
        """
        executions = f"execution:{machine.state_machine_name}:*"
        arn = self._stack.format_arn(service="states", resource=executions, arn_format=ArnFormat.NO_RESOURCE_NAME)
        policy = iam.Policy(
            self,
            "Executions",
            roles=[self.role],
            statements=[
                iam.PolicyStatement(actions=["states:DescribeExecution", "states:GetExecutionHistory"], resources=[arn])
            ],
        )
        resource = machine.node.default_child
        assert isinstance(resource, sfn.CfnStateMachine)  # noqa: S101 (what a state machine is made of)
        spelt = f"execution:<{self._stack.get_logical_id(resource)}.Name>:*"
        acknowledge(policy, {wildcard_in_account("states", spelt): "Every execution of this state machine."})
        events.Rule(
            self,
            "Ends",
            description="Executions that have ended",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"stateMachineArn": [machine.state_machine_arn], "status": list(_ENDINGS)},
            ),
            targets=[targets.LambdaFunction(self.function)],
        )

    def allow_removing(self, pipeline: Pipeline, tags: Mapping[str, str]) -> None:
        """Let it stop and delete what the tasks of a state machine make, as far as it has these tags."""
        made = {action.removeprefix("sagemaker:Create") for action in pipeline.list_actions()}
        jobs, serving = (
            {kind: resource for kind, resource in kinds.items() if kind in made} for kinds in (_JOBS, _SERVING)
        )
        resources = [*jobs.values(), *serving.values()]
        everything = self._list_arns(resources)
        looking = [f"sagemaker:Describe{kind}" for kind in (*jobs, *serving)]
        removing = [*(f"sagemaker:Stop{kind}" for kind in jobs), *(f"sagemaker:Delete{kind}" for kind in serving)]
        tagged = {
            "StringEquals": {f"aws:ResourceTag/{key}": value for key, value in tags.items()},
            "Null": {f"aws:ResourceTag/{EXECUTION_TAG}": "false"},
        }
        self.role.add_to_policy(iam.PolicyStatement(actions=[*looking, "sagemaker:ListTags"], resources=everything))
        self.role.add_to_policy(iam.PolicyStatement(actions=removing, resources=everything, conditions=tagged))
        acknowledge(
            self.role, {wildcard_in_account("sagemaker", f"{kind}/*"): _MADE_BY_EXECUTIONS for kind in resources}
        )

    def allow_giving_up_turns(self, work: s3.IBucket, key: kms.IKey | None) -> None:
        """Let it give up the turns of executions that did not do it themselves; the key is the bucket's."""
        if key:
            self.role.add_to_policy(iam.PolicyStatement(actions=["kms:Decrypt"], resources=[key.key_arn]))
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:DeleteObject", "s3:GetObject"],
                resources=[work.arn_for_objects(f"{TURNS_PREFIX}*")],
                conditions=in_this_account(),
            )
        )
        acknowledge(
            self.role,
            {
                wildcard_objects(work, f"{TURNS_PREFIX}*"): "They are named after endpoints, which executions name; "
                f"the prefix {TURNS_PREFIX} and the two listed actions limit what the function reaches."
            },
        )

    def _allow_notices(self) -> None:
        bus = self._stack.format_arn(service="events", resource="event-bus", resource_name="default")
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["events:PutEvents"],
                resources=[bus],
                conditions={"StringEquals": {"events:source": NOTICE_SOURCE}},
            )
        )

    def _allow_topic(self, topic_arn: str) -> None:
        """The topic's key is made by the stack of alarms; what it is used for distinguishes it from other keys."""
        self.role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[topic_arn]))
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[self._stack.format_arn(service="kms", resource="key", resource_name="*")],
                conditions={"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": topic_arn}},
            )
        )
        acknowledge(
            self.role,
            {wildcard_in_account("kms", "key/*"): "Only the key of the environment's topic encrypts for that topic."},
        )

    def _list_arns(self, kinds: Sequence[str]) -> list[str]:
        return [self._stack.format_arn(service="sagemaker", resource=kind, resource_name="*") for kind in kinds]


def _name_topic(scope: Construct, environment: str) -> str:
    """The ARN of the environment's topic of alarms, which another stack makes."""
    return Stack.of(scope).format_arn(
        service="sns", resource=alarm_topic_name(environment), arn_format=ArnFormat.NO_RESOURCE_NAME
    )
