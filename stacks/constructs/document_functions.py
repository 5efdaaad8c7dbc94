"""The functions of the documents' state machine, and what Textract's notices go through."""

from pathlib import Path
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from headrace.documents.contract import RAW_PREFIX, TOKENS_FOLDER, WORK_PREFIX
from headrace.documents.prices import count_classified, estimate_endpoint, estimate_page
from lambdas import documents
from lambdas.documents import contract
from lambdas.documents.contract import Variable
from stacks.constructs.pipeline_function import PipelineFunction, Program
from stacks.constructs.state_machine import MachineLog
from stacks.nag import acknowledge, wildcard_objects, wildcard_resource
from stacks.ownership import in_this_account
from stacks.pipeline.document_tasks import TEXTRACT
from stacks.settings.bundle_target import BundleTarget
from stacks.settings.classifier import ClassifierSettings
from stacks.settings.documents import DocumentsSettings

_SOURCE: Final = Path(documents.__path__[0])
_PROGRAM: Final = Program(
    source=_SOURCE,
    handler=contract.FUNCTION_HANDLER,
    memory_mib=contract.MEMORY_MIB,
    timeout_seconds=contract.TIMEOUT_SECONDS,
    disk_mib=contract.DISK_MIB,
)
_NOTICES: Final = Program(
    source=_SOURCE,
    handler=contract.NOTICES_HANDLER,
    memory_mib=contract.NOTICES_MEMORY_MIB,
    timeout_seconds=contract.NOTICES_TIMEOUT_SECONDS,
)
_NAMED_BY_PEOPLE: Final = (
    "People name the documents that they put there and the executions that they start; the prefix and the listed "
    "actions limit what the function reaches."
)


class DocumentFunction(PipelineFunction):
    """May read documents, and read and write what is known of them; it counts, unpacks and gathers.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        settings: What an execution may read, and what that costs.
        raw: The bucket of the documents.
        work: The bucket of everything else.
        key: The customer's key of both.
        target: Where its code is to run.
        log: How the state machine logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: DocumentsSettings,
        raw: s3.IBucket,
        work: s3.IBucket,
        key: kms.IKey | None,
        target: BundleTarget,
        log: MachineLog,
    ) -> None:
        page = estimate_page(
            settings.features,
            settings.insights,
            finds_language=settings.language is None,
            classifies=settings.classifier is not None,
        )
        super().__init__(
            scope,
            construct_id,
            program=_PROGRAM,
            environment={
                Variable.RAW: raw.bucket_name,
                Variable.WORK: work.bucket_name,
                Variable.MOST_DOCUMENTS: str(settings.most_documents),
                Variable.MOST_PAGES: str(settings.most_pages),
                Variable.PAGE_USD: f"{page:.6f}",
                **_describe_classifying(settings.classifier, settings.timeout_hours),
            },
            target=target,
            log=log,
        )
        allow_objects(self.role, raw, RAW_PREFIX, ["s3:GetObject"])
        allow_objects(self.role, work, WORK_PREFIX, ["s3:GetObject", "s3:PutObject"])
        allow_listing(self.role, raw, RAW_PREFIX)
        allow_listing(self.role, work, WORK_PREFIX)
        allow_key(self.role, key)


def _describe_classifying(settings: ClassifierSettings | None, hours: int) -> dict[str, str]:
    if not settings:
        return {}
    units = settings.inference_units
    return {
        Variable.CLASSIFIES: str(count_classified(units, hours)),
        Variable.EXECUTION_USD: f"{estimate_endpoint(units):.2f}",
    }


class NoticeFunction(PipelineFunction):
    """Hears from Textract that a job has ended, and lets the task that waits for it go on.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        work: The bucket where the tokens of the tasks are.
        key: The customer's key of that bucket and of the topic.
        target: Where its code is to run.
        log: How the state machine logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        work: s3.IBucket,
        key: kms.IKey | None,
        target: BundleTarget,
        log: MachineLog,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            program=_NOTICES,
            environment={Variable.WORK: work.bucket_name},
            target=target,
            log=log,
        )
        # The token of a task is in a folder of its execution's.
        allow_objects(self.role, work, f"{WORK_PREFIX}*/{TOKENS_FOLDER}", ["s3:DeleteObject", "s3:GetObject"])
        allow_listing(self.role, work, WORK_PREFIX)
        allow_key(self.role, key)
        self.role.add_to_policy(iam.PolicyStatement(actions=["states:SendTaskSuccess"], resources=["*"]))
        acknowledge(
            self.role,
            {
                wildcard_resource(
                    "*"
                ): "The token that is passed is the permission: it names one task of one execution, "
                "and AWS documents no resource for those of Map runs."
            },
        )
        self.topic = self._create_topic(key)
        self.publisher = self._create_publisher(key)

    def _create_topic(self, key: kms.IKey | None) -> sns.Topic:
        # Roles that may publish to a topic of the account may use AWS's own key for that.
        own = kms.Alias.from_alias_name(self, "TopicKey", "alias/aws/sns")
        topic = sns.Topic(self, "Notices", master_key=key or own, enforce_ssl=True)
        topic.add_subscription(subscriptions.LambdaSubscription(self.function))
        return topic

    def _create_publisher(self, key: kms.IKey | None) -> iam.Role:
        """The role that Textract publishes as: https://docs.aws.amazon.com/textract/latest/dg/api-async-roles.html."""
        ours = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        role = iam.Role(self, "Publisher", assumed_by=iam.ServicePrincipal(TEXTRACT, conditions=ours))
        role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[self.topic.topic_arn]))
        if key:
            role.add_to_policy(
                iam.PolicyStatement(
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=[key.key_arn],
                    conditions={"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": self.topic.topic_arn}},
                )
            )
        return role


def allow_objects(role: iam.Role, bucket: s3.IBucket, prefix: str, actions: list[str]) -> None:
    """Let a role use the objects below a prefix."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=actions, resources=[bucket.arn_for_objects(f"{prefix}*")], conditions=in_this_account()
        )
    )
    acknowledge(role, {wildcard_objects(bucket, f"{prefix}*"): _NAMED_BY_PEOPLE})


def allow_listing(role: iam.Role, bucket: s3.IBucket, prefix: str) -> None:
    """Let a role list what is below a prefix."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[bucket.bucket_arn],
            conditions=in_this_account({"StringLike": {"s3:prefix": f"{prefix}*"}}),
        )
    )


def allow_key(role: iam.Role, key: kms.IKey | None) -> None:
    """Let a role read and write what is encrypted with the customer's key, where there is one."""
    if key:
        role.add_to_policy(iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[key.key_arn]))
