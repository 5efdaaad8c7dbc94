"""Documents that Textract and Comprehend read, where the settings ask for it."""

from typing import Any, Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from headrace.documents.contract import CLASSIFIER_MACHINE, MACHINE, MACHINE_OUTPUT, Mode
from stacks.constructs.classifier_training import ClassifierRole, ClassifierTraining
from stacks.constructs.clean_up import CleanUp
from stacks.constructs.document_functions import DocumentFunction, NoticeFunction
from stacks.constructs.state_machine import MachineLog, StateMachine
from stacks.machine_surroundings import describe_clean_up, describe_log
from stacks.pipeline.classifier_tasks import ClassifierTasks
from stacks.pipeline.document_tasks import DocumentTasks
from stacks.pipeline.failure import end_badly
from stacks.pipeline.join import join
from stacks.pipeline.step import Step
from stacks.pipeline.steps.check_classifier import check_classifier
from stacks.pipeline.steps.classify_documents import Classification, classify_documents
from stacks.pipeline.steps.gather_documents import gather_documents, tell_documents
from stacks.pipeline.steps.read_documents import Reading, read_documents
from stacks.pipeline.steps.survey_documents import name_reading, survey_documents
from stacks.settings.bundle_target import BundleTarget
from stacks.settings.classifier import ClassifierSettings
from stacks.settings.documents import DocumentsSettings
from stacks.settings.environment import Settings
from stacks.storage_stack import StorageStack

_HOUR: Final = 3600


class DocumentsStack(Stack):
    """By setting: a state machine whose executions each read the documents below a prefix of the raw bucket.

    Args:
        scope: The app.
        construct_id: The stack's id there.
        settings: The environment's settings.
        storage: The buckets and their key.
        target: Where the functions' code is to run.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        storage: StorageStack,
        target: BundleTarget,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings, self._storage, self._target = settings, storage, target
        self.machines: list[StateMachine] = []

        if documents := settings.documents:
            machine = self._create_machine(documents)
            self.machines.insert(0, machine)
            CfnOutput(self, MACHINE_OUTPUT, value=machine.state_machine_arn)

    def _create_machine(self, documents: DocumentsSettings) -> StateMachine:
        key = self._storage.key
        log = describe_log(self._settings, MACHINE, days=documents.log_retention_days, key=key)
        cleaner = CleanUp(self, "CleanUp", around=describe_clean_up(self._settings, self._target), log=log)
        tasks = self._describe_tasks(documents, log)
        classifiers = self._describe_classifiers(key) if documents.classifier else None
        pipeline = join(
            name_reading(),
            survey_documents(tasks),
            _check(documents.classifier, classifiers),
            read_documents(tasks, self._describe_reading(documents, log)),
            _classify(documents.classifier, tasks, classifiers),
            gather_documents(tasks, classified=classifiers is not None),
            tell_documents,
            failed=end_badly(cleaner.function),
        )
        machine = StateMachine(
            self,
            "StateMachine",
            pipeline=pipeline,
            comment="documents: from files to what is written in them",
            timeout_seconds=documents.timeout_hours * _HOUR,
            log=log,
        )
        cleaner.follow(machine)
        if documents.classifier and classifiers:
            cleaner.allow_removing_endpoints(classifiers.environment)
            training = ClassifierTraining(
                self,
                "Classifier",
                settings=documents.classifier,
                used_hours=documents.timeout_hours + 1,
                tasks=tasks,
                classifiers=classifiers,
                around=describe_clean_up(self._settings, self._target),
                log=describe_log(self._settings, CLASSIFIER_MACHINE, days=documents.log_retention_days, key=key),
            )
            self.machines.append(training.machine)
        return machine

    def _describe_classifiers(self, key: kms.IKey | None) -> ClassifierTasks:
        role = ClassifierRole(self, "ClassifierRole", raw=self._storage.raw, work=self._storage.work, key=key)
        return ClassifierTasks(
            scope=self, environment=self._settings.environment, tags=self._settings.tags, role=role, key=key
        )

    def _describe_tasks(self, documents: DocumentsSettings, log: MachineLog) -> DocumentTasks:
        raw, work, key = self._storage.raw, self._storage.work, self._storage.key
        reader = DocumentFunction(
            self, "Reader", settings=documents, raw=raw, work=work, key=key, target=self._target, log=log
        )
        return DocumentTasks(raw=raw, work=work, key=key, function=reader.function)

    def _describe_reading(self, documents: DocumentsSettings, log: MachineLog) -> Reading:
        notices = NoticeFunction(
            self, "Notices", work=self._storage.work, key=self._storage.key, target=self._target, log=log
        )
        return Reading(
            features=documents.features,
            questions=documents.questions,
            insights=documents.insights,
            language=documents.language,
            concurrency=documents.concurrency,
            classifies=documents.classifier is not None,
            notice_seconds=documents.notice_minutes * 60,
            topic=notices.topic,
            role=notices.publisher,
        )


def _check(settings: ClassifierSettings | None, classifiers: ClassifierTasks | None) -> Step | None:
    return check_classifier(classifiers, Mode(settings.mode)) if settings and classifiers else None


def _classify(
    settings: ClassifierSettings | None, tasks: DocumentTasks, classifiers: ClassifierTasks | None
) -> Step | None:
    if not (settings and classifiers):
        return None
    how = Classification(mode=Mode(settings.mode), units=settings.inference_units)
    return classify_documents(tasks, classifiers, how)
