"""What people may do: policies for viewers, scientists, engineers and approvers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import Aws, DefaultStackSynthesizer, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from headrace import contract
from headrace.contract import BELIEVED_FACTS, METRIC_FACT, SERVED_AT_FACT
from headrace.documents import contract as documents
from headrace.normalizer.contract import SETS_PREFIX
from headrace.recipes import images
from stacks.constructs.executions import allow_going_back, allow_starting, allow_stopping, allow_watching
from stacks.constructs.persona import Persona
from stacks.constructs.state_machine import StateMachine
from stacks.nag import acknowledge, wildcard_objects
from stacks.ownership import in_this_account
from stacks.settings.environment import Settings
from stacks.workload_stack import Surroundings

# What executions make: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
_MADE: Final = ("endpoint", "endpoint-config", "model", "processing-job", "training-job")
_APPROVE: Final = "sagemaker:UpdateModelPackage"
# Never over what is there: an object is made with If-None-Match, and its parts, which come without, make none.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
_CREATING: Final[tuple[Mapping[str, Any], ...]] = (
    {"Null": {"s3:if-none-match": "false"}},
    {"Bool": {"s3:ObjectCreationOperation": "false"}},
)
_FACT_KEY: Final = "sagemaker:CustomerMetadataProperties"
_FORBIDDEN: Final = "It forbids, and so reaches further than what allows."
_LISTS: Final = f"{images.RECIPE.raw_prefix}lists/"
_NAMES: Final = (
    "The names of objects are not known beforehand; the prefix and the listed actions limit what is reached."
)
_LOGS: Final = "Streams are named after jobs and executions; the groups are those of this platform and of SageMaker."


class PeopleStack(Stack):
    """By setting: three managed policies, each for who has those before it as well: viewer, scientist, engineer.

    By another one, a fourth for a viewer who approves models and starts nothing.

    Args:
        scope: The app.
        construct_id: The stack's id there.
        settings: The environment's settings.
        around: The stacks that workloads share.
        machines: The state machines of the workloads.
        checks: Those that check for drift and read documents, which have no alias, nor has that of whole sets.
        invocable: What of the API in front of endpoints IAM lets people call.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        around: Surroundings,
        machines: Sequence[StateMachine],
        checks: Sequence[StateMachine],
        invocable: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings = settings
        self._around = around
        self._invocable = invocable
        bulk = around.normalizer.bulk_machine
        self._led = machines
        self._others = [*([bulk] if bulk else []), *checks]
        self._machines = [*self._led, *self._others]

        if settings.people.enabled:
            self._add_viewer()
            self._add_scientist()
            self._add_engineer()
            if settings.people.separate_approval:
                self._add_approver()

    def _add_viewer(self) -> None:
        viewer = self._add("Viewer", "Sees executions, jobs, endpoints, logs and metrics, and no data")
        viewer.allow_all(allow_watching(self, self._machines))
        viewer.allow_tagged([f"sagemaker:Describe{_pascal_name(kind)}" for kind in _MADE], _MADE)
        viewer.allow_tagged(["sagemaker:DescribeModelPackage"], ["model-package"])
        viewer.allow_anywhere(
            [
                "cloudwatch:GetMetricData",
                "cloudwatch:GetMetricStatistics",
                "cloudwatch:ListMetrics",
                "logs:DescribeLogGroups",
                *(f"sagemaker:List{_pascal_name(kind)}s" for kind in _MADE),
                "sagemaker:ListModelPackages",
                "states:ListStateMachines",
            ]
        )
        viewer.allow_named(
            ["cloudwatch:DescribeAlarms"],
            "cloudwatch",
            ["alarm:*"],
            reason="CloudFormation names the alarms, and a list of them is of the whole account.",
        )
        self._allow_dashboard(viewer)
        environment = self._settings.environment
        groups = (
            f"/aws/vendedlogs/states/headrace-{environment}-*",
            f"/aws/sagemaker/Endpoints/headrace-{environment}-*",
            "/aws/sagemaker/ProcessingJobs*",
            "/aws/sagemaker/TrainingJobs*",
            *(["/aws/sagemaker/TransformJobs*"] if self._list_batches() else []),
        )
        reading = ["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"]
        viewer.allow_named(reading, "logs", [f"log-group:{group}" for group in groups], reason=_LOGS)
        viewer.allow_named(
            [
                "cloudformation:DescribeStackEvents",
                "cloudformation:DescribeStackResources",
                "cloudformation:DescribeStacks",
            ],
            "cloudformation",
            [f"stack/{self._settings.stack_name('')}*"],
            reason="CloudFormation adds an id to a stack's name; the name begins with the environment's.",
        )

    def _allow_dashboard(self, viewer: Persona) -> None:
        """See the dashboard, where there is one, and find it in the list."""
        if self._settings.alarms and self._settings.alarms.dashboard:
            name = contract.dashboard_name(self._settings.environment)
            # Dashboards belong to no Region.
            arn = self.format_arn(service="cloudwatch", region="", resource="dashboard", resource_name=name)
            viewer.allow(["cloudwatch:GetDashboard"], [arn])
            viewer.allow_anywhere(["cloudwatch:ListDashboards"])

    def _add_scientist(self) -> None:
        scientist = self._add("Scientist", "Starts pipelines, reads data, edits lists; a viewer as well")
        scientist.allow_all([allow_starting(self._led), allow_stopping(self, self._machines)])
        if self._others:
            scientist.allow_all([allow_starting(self._others, by_alias=False)])
        for bucket, prefixes in self._list_data().items():
            _allow_listing(scientist, bucket, prefixes)
            _allow_objects(scientist, ["s3:GetObject"], bucket, prefixes)
        edited = [_LISTS, *self._list_batches()]
        _allow_objects(scientist, ["s3:PutObject"], self._around.storage.raw, edited)
        _allow_objects(scientist, ["s3:DeleteObject"], self._around.storage.raw, edited, **self._demand_mfa())
        scientist.allow_tagged(["sagemaker:InvokeEndpoint"], ["endpoint"])
        if self._invocable:
            scientist.allow(["execute-api:Invoke"], self._invocable)
        if key := self._around.storage.key:
            _allow_key(scientist, key)
        if self._settings.people.separate_approval:
            scientist.deny_named([_APPROVE], "sagemaker", ["model-package/*"], reason=_FORBIDDEN)

    def _add_engineer(self) -> None:
        engineer = self._add("Engineer", "Deploys, approves, rolls back, deletes; a scientist as well")
        engineer.allow(["sts:AssumeRole"], self._list_deployment_roles(), conditions=self._demand_mfa())
        engineer.allow(
            list(contract.PUSH_ACTIONS),
            [repository.repository_arn for repository in self._around.registry.repositories.values()],
        )
        engineer.allow_anywhere(["ecr:GetAuthorizationToken"])
        engineer.allow_all([allow_going_back(self._led, self._demand_mfa())])
        if golden := self._list_golden():
            _allow_objects(engineer, ["s3:PutObject"], self._around.storage.raw, golden)
        for conditions in _CREATING:
            _allow_objects(
                engineer, ["s3:PutObject"], self._around.storage.raw, [contract.ARCHIVES_PREFIX], **conditions
            )
        self._allow_promoting(engineer)
        if not self._settings.people.separate_approval:
            self._allow_approving(engineer)
        deleting = ["sagemaker:DeleteEndpoint", "sagemaker:DeleteEndpointConfig", "sagemaker:DeleteModel"]
        engineer.allow_tagged(deleting, ["endpoint", "endpoint-config", "model"], **self._demand_mfa())
        for bucket, prefixes in self._list_data().items():
            _allow_objects(engineer, ["s3:DeleteObject"], bucket, prefixes, **self._demand_mfa())

    def _allow_promoting(self, engineer: Persona) -> None:
        """Read archives that were not trained here, and take the roles that write into the next environments.

        Those alone write where copies are, so that nothing is there before them.
        """
        raw, archives = self._around.storage.raw, [contract.ARCHIVES_PREFIX]
        promoted = contract.promoted_prefix("*") + "*"
        engineer.deny(["s3:PutObject"], [raw.arn_for_objects(promoted)])
        acknowledge(engineer, {wildcard_objects(raw, promoted): _FORBIDDEN})
        _allow_listing(engineer, raw, archives)
        _allow_objects(engineer, ["s3:GetObject"], raw, archives)
        if roles := self._settings.people.promotion_roles:
            engineer.allow(["sts:AssumeRole"], roles, conditions=self._demand_mfa())

    def _add_approver(self) -> None:
        """Both policies forbid what the other one is for, so that who has both can do neither."""
        approver = self._add("Approver", "Approves and rejects models, and starts nothing; a viewer as well")
        self._allow_approving(approver)
        approver.deny(["states:StartExecution"], [machine.state_machine_arn for machine in self._machines])

    def _allow_approving(self, persona: Persona) -> None:
        persona.allow_tagged([_APPROVE], ["model-package"], **self._keep_facts(), **self._demand_mfa())

    def _keep_facts(self) -> dict[str, Any]:
        """Who approves a version writes nothing on it that the gate believes, and takes nothing away."""
        facts = {str(fact) for fact in BELIEVED_FACTS}
        for recipe in self._settings.recipes:
            facts.add(f"{SERVED_AT_FACT}{self._settings.endpoint_name(recipe).lower()}")
            facts |= {f"{METRIC_FACT}{rule.metric}" for rule in self._settings.workload(recipe).gate.rules}
        return {
            "Null": {f"{_FACT_KEY}/{fact}": "true" for fact in sorted(facts)},
            "ForAllValues:StringNotLike": {f"{_FACT_KEY}ToRemove": ["headrace:*", f"{METRIC_FACT}*"]},
        }

    def _add(self, persona: str, description: str) -> Persona:
        name = f"headrace-{self._settings.environment}-{persona.lower()}"
        return Persona(self, persona, name=name, description=description, tags=self._settings.tags)

    def _list_data(self) -> Mapping[s3.IBucket, list[str]]:
        """Where data is that people may read, by bucket."""
        storage = self._around.storage
        return {
            storage.raw: [
                *(recipe.raw_prefix for recipe in self._settings.recipes),
                *self._list_batches(),
                *self._list_golden(),
                *([documents.RAW_PREFIX] if self._settings.documents else []),
                *(
                    [documents.TRAINING_PREFIX]
                    if self._settings.documents and self._settings.documents.classifier
                    else []
                ),
            ],
            storage.work: [
                contract.EXECUTIONS_PREFIX,
                SETS_PREFIX,
                *self._list_reports(),
                *([documents.WORK_PREFIX] if self._settings.documents else []),
            ],
        }

    def _list_batches(self) -> list[str]:
        """Where the input of transform jobs is in the raw bucket."""
        return [
            contract.transform_prefix(recipe.name)
            for recipe in self._settings.recipes
            if self._settings.workload(recipe).is_batch
        ]

    def _list_reports(self) -> list[str]:
        """Where the reports of workloads that are checked for drift are in the work bucket."""
        return [
            contract.drift_prefix(recipe.name)
            for recipe in self._settings.recipes
            if self._settings.workload(recipe).drift
        ]

    def _list_golden(self) -> list[str]:
        """Where the golden requests of workloads that ask some are in the raw bucket."""
        return [
            contract.golden_prefix(recipe.name)
            for recipe in self._settings.recipes
            if self._settings.workload(recipe).endpoint.golden
        ]

    def _demand_mfa(self) -> dict[str, Any]:
        return {"Bool": {"aws:MultiFactorAuthPresent": "true"}} if self._settings.people.mfa else {}

    def _list_deployment_roles(self) -> list[str]:
        """The roles of CDK's bootstrap, through which its command line deploys."""
        qualifier = self.synthesizer.bootstrap_qualifier or DefaultStackSynthesizer.DEFAULT_QUALIFIER
        return [
            f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/cdk-{qualifier}-{role}-role-{Aws.ACCOUNT_ID}-{Aws.REGION}"
            for role in ("deploy", "file-publishing", "image-publishing", "lookup")
        ]


def _allow_listing(persona: Persona, bucket: s3.IBucket, prefixes: Sequence[str]) -> None:
    below = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}}
    persona.allow(["s3:ListBucket"], [bucket.bucket_arn], conditions=in_this_account(below))


def _allow_objects(
    persona: Persona, actions: Sequence[str], bucket: s3.IBucket, prefixes: Sequence[str], **conditions: Any
) -> None:
    persona.allow(
        actions,
        [bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes],
        conditions=in_this_account(conditions),
        findings={wildcard_objects(bucket, f"{prefix}*"): _NAMES for prefix in prefixes},
    )


def _allow_key(persona: Persona, key: kms.IKey) -> None:
    """Use the key for objects of S3, and for nothing else."""
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{Aws.REGION}.amazonaws.com"}}
    persona.allow(["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn], conditions=through_s3)


def _pascal_name(kind: str) -> str:
    return kind.title().replace("-", "")
