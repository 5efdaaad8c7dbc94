"""Checks by schedule whether what an endpoint is asked still looks like what its model was trained on."""

from typing import Final

from aws_cdk import Aws, TimeZone
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from headrace import contract
from headrace.contract import VersionFact
from headrace.drift.contract import CHECK_MODULE, TIME_INPUT
from headrace.recipes import ContainerImage
from stacks.constructs.clean_up import CleanUp, CleanUpSurroundings
from stacks.constructs.drift_alarms import DriftAlarms
from stacks.constructs.execution_role import PROCESSING_JOBS, ExecutionRole
from stacks.constructs.live_alias import LiveAlias
from stacks.constructs.state_machine import MachineLog, StateMachine
from stacks.constructs.training_pipeline import Parts
from stacks.pipeline import quota
from stacks.pipeline.asl import Task
from stacks.pipeline.drift_job import DriftJob
from stacks.pipeline.failure import end_badly
from stacks.pipeline.jobs import VARIANT_NAME
from stacks.pipeline.join import Pipeline, join
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.steps import find_serving
from stacks.pipeline.steps.check_drift import PUBLISH, check_drift, publish_drift
from stacks.pipeline.steps.find_captured import Evidence, find_captured
from stacks.pipeline.steps.name_check import name_check
from stacks.pipeline.steps.retrain import retrain, tell_found
from stacks.settings.drift import DriftSettings

# What the machine may wait for instances before and between attempts.
_WAITING_SECONDS: Final = 2 * 3600
_FACTS: Final = {"record": VersionFact.RECORD, "fingerprint": VersionFact.FINGERPRINT}


class DriftChecks(Construct):
    """A state machine whose executions each check the requests of a window, a schedule that starts them, and alarms.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        settings: When and how it is checked, and what becomes of drift.
        parts: What the workload runs: what is checked, and where it leaves everything.
        raw: The bucket of what turned out to be true, and of what was promoted.
        live: What drift starts, where the settings say so.
        clean_up: What cleans up after it.
        log: Where the state machine logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: DriftSettings,
        parts: Parts,
        raw: s3.IBucket,
        live: LiveAlias,
        clean_up: CleanUpSurroundings,
        log: MachineLog,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings, self._parts, self._raw = settings, parts, raw
        self._environment, self._key = clean_up.environment, parts.turns.key

        cleaner = CleanUp(self, "CleanUp", around=clean_up, log=log)
        pipeline = self._join_steps(live, end_badly(cleaner.function))
        cleaner.allow_removing(pipeline, parts.tags)
        self.state_machine = StateMachine(
            self,
            "StateMachine",
            pipeline=pipeline,
            comment=f"{parts.recipe}: whether requests still look like the training data",
            timeout_seconds=settings.max_runtime_seconds + _WAITING_SECONDS,
            log=log,
        )
        cleaner.follow(self.state_machine)
        self._add_schedule()
        DriftAlarms(
            self,
            "Alarms",
            environment=clean_up.environment,
            workload=parts.recipe.name,
            longest_gap=settings.longest_gap,
        )

    def _join_steps(self, live: LiveAlias, failed: Task) -> Pipeline:
        parts, settings = self._parts, self._settings
        tasks = SageMakerTasks(scope=self, tags=parts.tags)
        return join(
            name_check(parts.endpoint.name, parts.work, parts.recipe.name, settings.window_hours),
            find_serving.find_serving(tasks, parts.registry, parts.endpoint, facts=_FACTS, notes=parts.served_notes),
            find_captured(self._find_evidence(), otherwise=PUBLISH),
            check_drift(tasks, self._describe_job()),
            publish_drift(self._environment, parts.recipe.name),
            retrain(live.machine.state_machine_arn, live.arn) if settings.retrain else None,
            tell_found,
            failed=failed,
            counted={**find_serving.COUNTERS, **quota.VARIABLES},
        )

    def _find_evidence(self) -> Evidence:
        parts, workload = self._parts, self._parts.recipe.name
        return Evidence(
            work=parts.work,
            captured=f"{contract.captured_prefix(workload)}{parts.endpoint.name}/{VARIANT_NAME}/",
            raw=self._raw,
            promoted=contract.promoted_prefix(workload),
            truth=contract.truth_prefix(workload),
        )

    def _describe_job(self) -> DriftJob:
        parts, image = self._parts, self._image
        return DriftJob(
            role=self._create_role(),
            image_uri=parts.images[image.name],
            program=f"{image.package}.{CHECK_MODULE}",
            work_uri=f"s3://{parts.work.bucket_name}/",
            truth_uri=f"s3://{self._raw.bucket_name}/{contract.truth_prefix(parts.recipe.name)}",
            title=f"{parts.recipe}: requests to {parts.endpoint.name} against its training data",
            settings=self._settings,
            key=self._key,
        )

    def _create_role(self) -> ExecutionRole:
        parts, workload = self._parts, self._parts.recipe.name
        repository = parts.repositories[parts.recipe.images.index(self._image)]
        role = ExecutionRole(self, "Role", kind=PROCESSING_JOBS, repository=repository, key=self._key)
        role.allow_reading(parts.work, contract.EXECUTIONS_PREFIX, contract.captured_prefix(workload))
        role.allow_reading(self._raw, contract.promoted_prefix(workload), contract.truth_prefix(workload))
        role.allow_outputs(parts.work, contract.drift_prefix(workload))
        return role

    @property
    def _image(self) -> ContainerImage:
        """The container image that checks."""
        step = self._parts.recipe.preprocessing
        assert step  # noqa: S101 (the settings refuse checks of a workload without it)
        return step.image

    def _add_schedule(self) -> None:
        """The time that a check is due, and not the one at which it begins, is where its window ends."""
        due = scheduler.ScheduleTargetInput.from_object({TIME_INPUT: scheduler.ContextAttribute.scheduled_time})
        # https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
        ours = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        role = iam.Role(
            self, "ScheduleRole", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=ours)
        )
        scheduler.Schedule(
            self,
            "Schedule",
            description=f"Checks for drift of {self._parts.recipe}",
            schedule=scheduler.ScheduleExpression.expression(
                self._settings.schedule, TimeZone.of(self._settings.timezone)
            ),
            target=targets.StepFunctionsStartExecution(self.state_machine, input=due, role=role),
        )
