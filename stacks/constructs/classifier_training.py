"""The state machine that trains the classifier of documents, and what Comprehend reads its training data as."""

from typing import Final

from aws_cdk import Aws, CfnOutput
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from headrace.documents.contract import CLASSIFIER_MACHINE_OUTPUT, TRAINING_PREFIX, WORK_PREFIX, Mode
from stacks.constructs.clean_up import CleanUp, CleanUpSurroundings
from stacks.constructs.document_functions import allow_key, allow_listing, allow_objects
from stacks.constructs.state_machine import MachineLog, StateMachine
from stacks.pipeline.classifier_tasks import COMPREHEND, ClassifierTasks
from stacks.pipeline.document_tasks import DocumentTasks
from stacks.pipeline.failure import end_badly
from stacks.pipeline.join import join
from stacks.pipeline.permission import allow_volumes
from stacks.pipeline.steps import tidy_classifiers as tidy
from stacks.pipeline.steps.train_classifier import Training, name_training, tell_classifier, train_classifier
from stacks.settings.classifier import ClassifierSettings

_HOUR: Final = 3600


class ClassifierRole(iam.Role):
    """What Comprehend reads training data and writes what it has learned as; only it can be this role.

    https://docs.aws.amazon.com/comprehend/latest/dg/access-control-managing-permissions.html

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        raw: The bucket of the training data.
        work: The bucket of everything else.
        key: The customer's key of both, and of what is trained.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, raw: s3.IBucket, work: s3.IBucket, key: kms.IKey | None
    ) -> None:
        ours = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        super().__init__(scope, construct_id, assumed_by=iam.ServicePrincipal(COMPREHEND, conditions=ours))
        allow_objects(self, raw, TRAINING_PREFIX, ["s3:GetObject"])
        allow_listing(self, raw, TRAINING_PREFIX)
        allow_objects(self, work, WORK_PREFIX, ["s3:PutObject"])
        allow_key(self, key)
        if key:
            self.add_to_policy(iam.PolicyStatement(actions=["kms:DescribeKey"], resources=[key.key_arn]))
            self.add_to_policy(allow_volumes(key))


class ClassifierTraining(Construct):
    """A state machine whose executions each train a version of the classifier.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        settings: How it is trained.
        used_hours: For how long an execution may use a version after there is a newer one.
        tasks: Makes the tasks on buckets,
        classifiers: and those on classifiers.
        around: What cleans up after executions needs to know.
        log: Where it logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: ClassifierSettings,
        used_hours: int,
        tasks: DocumentTasks,
        classifiers: ClassifierTasks,
        around: CleanUpSurroundings,
        log: MachineLog,
    ) -> None:
        super().__init__(scope, construct_id)
        cleaner = CleanUp(self, "CleanUp", around=around, log=log)
        training = Training(
            mode=Mode(settings.mode),
            language=settings.language,
            least_f1=settings.least_f1,
            hours=settings.training_hours,
        )
        keep = settings.keep_versions
        pipeline = join(
            name_training(),
            train_classifier(tasks, classifiers, training),
            tidy.tidy_classifiers(classifiers, keep=keep, used_hours=used_hours) if keep else None,
            tell_classifier(tidy.OUTPUT if keep else {}),
            failed=end_badly(cleaner.function),
        )
        self.machine = StateMachine(
            self,
            "StateMachine",
            pipeline=pipeline,
            comment="classifier: from labelled texts to a classifier of documents",
            timeout_seconds=(settings.training_hours + 1) * _HOUR,
            log=log,
        )
        cleaner.follow(self.machine)
        cleaner.allow_removing_classifiers(classifiers.environment)
        output = CfnOutput(self, "Machine", value=self.machine.state_machine_arn)
        output.override_logical_id(CLASSIFIER_MACHINE_OUTPUT)
