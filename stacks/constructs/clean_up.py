"""The function that ends the executions of a state machine which fail, and what it may do for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from headrace.contract import EXECUTION_TAG, NOTICE_SOURCE, TURNS_PREFIX
from lambdas import clean_up
from lambdas.clean_up import contract
from lambdas.clean_up.contract import Variable
from stacks.constructs.alarm_topic import allow_publishing, name_topic
from stacks.constructs.pipeline_function import PipelineFunction, Program
from stacks.constructs.state_machine import MachineLog
from stacks.nag import acknowledge, wildcard_in_account, wildcard_objects
from stacks.ownership import in_this_account
from stacks.pipeline.classifier_tasks import allow_comprehend, classifier_resources, endpoint_resources
from stacks.pipeline.file_system import allow_deleting, allow_seeing
from stacks.pipeline.join import Pipeline
from stacks.pipeline.permission import Permission
from stacks.pipeline.served import ServedNotes
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
            environment={Variable.TOPIC: name_topic(scope, around.environment)} if around.notifies else {},
            target=around.target,
            log=log,
        )
        self._stack = Stack.of(self)

        self._allow_notices()
        if around.notifies:
            allow_publishing(self.role, name_topic(self, around.environment))

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

    def add_failure_alarm(self) -> None:
        """An alarm for an end that it could not deal with: what is left then may cost."""
        cloudwatch.Alarm(
            self,
            "Errors",
            alarm_description="The function that ends executions has failed, and may have left what costs",
            metric=self.function.metric_errors(period=Duration.minutes(5)),
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
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
        if "fsx:CreateFileSystem" in pipeline.list_actions():
            self._allow(allow_seeing())
            self._allow(allow_deleting(self._stack, tags))

    def allow_removing_endpoints(self, environment: str) -> None:
        """Let it delete the endpoints that classify documents: one that is there costs each second."""
        resources = endpoint_resources(environment)
        self._allow(allow_comprehend(self, ("DescribeEndpoint", "DeleteEndpoint"), resources))

    def allow_removing_classifiers(self, environment: str) -> None:
        """Let it stop the training of classifiers of documents, and delete those that are not used."""
        actions = ("DescribeDocumentClassifier", "StopTrainingDocumentClassifier", "DeleteDocumentClassifier")
        self._allow(allow_comprehend(self, actions, classifier_resources(environment)))

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

    def keep_noted(self, notes: ServedNotes) -> None:
        """Let it leave what a stopped endpoint is to be started with."""
        self.function.add_environment(Variable.NOTE_BUCKET, notes.work.bucket_name)
        self.function.add_environment(Variable.NOTE_KEY, notes.object_key)
        for permission in notes.allow_finding():
            self._allow(permission)

    def _allow(self, permission: Permission) -> None:
        self.role.add_to_policy(permission.statement)
        acknowledge(self.role, permission.findings)

    def _allow_notices(self) -> None:
        bus = self._stack.format_arn(service="events", resource="event-bus", resource_name="default")
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["events:PutEvents"],
                resources=[bus],
                conditions={"StringEquals": {"events:source": NOTICE_SOURCE}},
            )
        )

    def _list_arns(self, kinds: Sequence[str]) -> list[str]:
        return [self._stack.format_arn(service="sagemaker", resource=kind, resource_name="*") for kind in kinds]
