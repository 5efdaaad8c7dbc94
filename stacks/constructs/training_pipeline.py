"""The state machine from data to a live endpoint, or to the answers to a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from headrace.recipes import Recipe
from stacks.constructs.clean_up import CleanUp, CleanUpSurroundings
from stacks.constructs.live_alias import LiveAlias
from stacks.constructs.registrar import Registrar
from stacks.constructs.state_machine import MachineLog, StateMachine
from stacks.pipeline import golden, quota, registry, turns
from stacks.pipeline import join as joining
from stacks.pipeline.asl import Task
from stacks.pipeline.endpoint_actions import IS_ACTION
from stacks.pipeline.failure import end_badly
from stacks.pipeline.file_system import RunFileSystem
from stacks.pipeline.jobs import Endpoint, PreprocessingJob, Rehearsal, TrainingJob, TransformJob
from stacks.pipeline.join import Pipeline, join, together
from stacks.pipeline.registry import ModelRegistry
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.scaling_permissions import ScalingPermissions
from stacks.pipeline.served import ServedNotes
from stacks.pipeline.step import Step
from stacks.pipeline.steps import endpoint_action, find_serving, judge, save_model, scale, serve, tidy, way_in
from stacks.pipeline.steps.endpoint_action import EndpointActions
from stacks.pipeline.steps.file_system import with_file_system
from stacks.pipeline.steps.find_earlier import continuing
from stacks.pipeline.steps.hold import hold
from stacks.pipeline.steps.let_go import let_go, letting_go
from stacks.pipeline.steps.mark_served import mark_served
from stacks.pipeline.steps.name import name
from stacks.pipeline.steps.preprocess import preprocess
from stacks.pipeline.steps.read_version import read_version
from stacks.pipeline.steps.record import record
from stacks.pipeline.steps.register import register
from stacks.pipeline.steps.rehearse import rehearse
from stacks.pipeline.steps.tell import tell
from stacks.pipeline.steps.tell_transformed import tell_transformed
from stacks.pipeline.steps.train import train
from stacks.pipeline.steps.transform import transform
from stacks.pipeline.turns import Turns
from stacks.settings.gate import RuleSettings


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What one pipeline runs, and where it leaves what it makes.

    Args:
        recipe: The workload.
        tags: The tags of what it makes.
        work: Where it leaves that.
        images: The URI of each container image that it runs, by its name.
        repositories: Where these are.
        preprocessing: The processing job, where it has one.
        training: The training job.
        file_system: What each execution makes for it, where it reads from such a one.
        rules: What a model must satisfy.
        endpoint: What serves it.
    """

    recipe: Recipe
    tags: Mapping[str, str]
    work: s3.IBucket
    images: Mapping[str, str]
    repositories: Sequence[ecr.IRepository]
    turns: Turns
    preprocessing: PreprocessingJob | None = None
    training: TrainingJob
    file_system: RunFileSystem | None = None
    rules: Sequence[RuleSettings]
    registry: ModelRegistry
    endpoint: Endpoint
    rehearsal: Rehearsal | None = None
    golden_requests: lambda_.IFunction | None = None
    transform: TransformJob | None = None
    tidying: lambda_.IFunction | None = None

    @property
    def judges_versions(self) -> bool:
        """Whether a version that an execution is given is judged by what serves where it is to."""
        return self.transform is None and judge.compares(self.rules)

    @property
    def served_notes(self) -> ServedNotes | None:
        """Where it is noted what the endpoint serves, where the settings have it stopped."""
        endpoint = self.endpoint
        if not endpoint.settings.is_stoppable:
            return None
        return ServedNotes(work=self.work, key=endpoint.key, endpoint_name=endpoint.name)


class TrainingPipeline(Construct):
    """Preprocess where the workload needs it, train, judge, register, and create or update the endpoint, or transform.

    An execution is done when the endpoint serves the new model, or a newer one of an execution that ran beside it, when
    a batch is transformed, when the new model is refused, or when a person is to approve it. One that is given a
    version begins behind that.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        parts: What it runs.
        timeout_hours: How long an execution may take.
        around: What cleans up after it.
        log: Where it logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        parts: Parts,
        timeout_hours: int,
        around: CleanUpSurroundings,
        log: MachineLog,
    ) -> None:
        super().__init__(scope, construct_id)

        clean_up = CleanUp(self, "CleanUp", around=around, log=log)
        registrar = Registrar(
            self,
            "Registrar",
            work=parts.work,
            workload=parts.recipe.name,
            key=log.key,
            repositories=parts.repositories,
            target=around.target,
            log=log,
        )
        tasks = SageMakerTasks(scope=self, tags=parts.tags, endpoint=parts.endpoint.name)
        pipeline = _join_steps(parts, tasks, registrar.function, end_badly(clean_up.function))
        clean_up.allow_removing(pipeline, parts.tags)
        clean_up.allow_giving_up_turns(parts.work, log.key)
        if actions := _describe_actions(parts):
            clean_up.keep_noted(actions.notes)
        self.state_machine = StateMachine(
            self,
            "StateMachine",
            pipeline=pipeline,
            comment=f"{parts.recipe}: from data to {'a transformed batch' if parts.transform else 'a live endpoint'}",
            timeout_seconds=timeout_hours * 3600,
            log=log,
        )
        clean_up.follow(self.state_machine)
        self.live = LiveAlias(self, "Live", machine=self.state_machine)


def _join_steps(parts: Parts, tasks: SageMakerTasks, registrar: lambda_.IFunction, failed: Task) -> Pipeline:
    variables = {
        **joining.VARIABLES,
        **turns.VARIABLES,
        **registry.VARIABLES,
        **find_serving.VARIABLES,
        **serve.VARIABLES,
        **judge.VARIABLES,
    }
    if parts.judges_versions:
        variables |= way_in.VARIABLES
    if parts.golden_requests:
        variables |= golden.VARIABLES
    if parts.tidying:
        variables |= tidy.VARIABLES
    if parts.endpoint.settings.scaling:
        variables |= scale.VARIABLES
    actions = _describe_actions(parts)
    if actions:
        variables |= endpoint_action.VARIABLES
    scaling, permissions = parts.endpoint.settings.scaling, ScalingPermissions(tasks.scope, tasks.tags)
    return join(
        # A version knows which endpoint it is for, so it is read before that endpoint's turn is taken.
        together(
            name(parts.endpoint.name, parts.registry, also=variables, is_stoppable=actions is not None),
            read_version(tasks, parts.registry, judges=parts.judges_versions),
        ),
        *_look_and_choose(parts, tasks, actions),
        preprocess(tasks, parts.preprocessing, parts.work, parts.recipe.name) if parts.preprocessing else None,
        _train(parts, tasks),
        _judge(parts) if parts.rules else None,
        record(registrar, parts.images, then=save_model.ENTRY),
        register(tasks, parts.registry),
        # The model and the configuration of an execution that fails are removed, so both are made again.
        together(_save_model(parts, tasks, actions), *_deploy(parts, tasks)),
        mark_served(tasks, parts.registry, is_batch=parts.transform is not None),
        actions.note_served if actions else None,
        scale.scale(scaling, permissions) if scaling and not parts.transform else None,
        _tidy(parts.tidying, actions) if parts.tidying else None,
        let_go(parts.turns),
        tell_transformed
        if parts.transform
        else tell(
            {**(scale.OUTPUT if scaling else {}), **(tidy.OUTPUT if parts.tidying else {})}, starts=actions is not None
        ),
        failed=failed,
        hold=hold(parts.turns),
        counted={
            **turns.COUNTERS,
            **find_serving.COUNTERS,
            **serve.VARIABLES,
            **quota.VARIABLES,
            **(endpoint_action.VARIABLES if actions else {}),
        },
        # What deploys makes a model and a configuration first; a start has both.
        anew={IS_ACTION: find_serving.ENTRY} if actions else {},
    )


def _judge(parts: Parts) -> Step:
    judging = judge.judge(parts.rules, deploys=parts.judges_versions)
    return letting_go(judging, parts.turns, before=judge.REFUSED)


def _save_model(parts: Parts, tasks: SageMakerTasks, actions: EndpointActions | None) -> Step:
    saving = save_model.save_model(
        tasks,
        parts.endpoint,
        parts.registry,
        also=actions.list_looked_at() if actions else (),
        is_batch=parts.transform is not None,
    )
    return letting_go(saving, parts.turns, before=save_model.PENDING)


def _train(parts: Parts, tasks: SageMakerTasks) -> Step:
    training = train(tasks, parts.training, parts.work, parts.recipe.name)
    if number := parts.training.settings.earlier_version:
        training = continuing(tasks, parts.registry, number, training)
    return with_file_system(tasks, parts.file_system, training) if parts.file_system else training


def _tidy(function: lambda_.IFunction, actions: EndpointActions | None) -> Step:
    return actions.tidying(tidy.tidy(function)) if actions else tidy.tidy(function)


def _describe_actions(parts: Parts) -> EndpointActions | None:
    """What stopping and starting the endpoint takes, where the settings ask for it."""
    notes, scaling = parts.served_notes, parts.endpoint.settings.scaling
    if not notes:
        return None
    return EndpointActions(
        notes=notes,
        registry=parts.registry,
        turns=parts.turns,
        is_scaled=scaling is not None and scaling.enabled,
    )


def _look_and_choose(parts: Parts, tasks: SageMakerTasks, actions: EndpointActions | None) -> list[Step]:
    """What serves, and what the execution is to do: one step, as that depends on a look which a redrive repeats."""
    if parts.transform:
        return [way_in.choose_way_in_to_batch]
    looking = find_serving.find_serving(
        tasks, parts.registry, parts.endpoint, notes=parts.served_notes, starts=actions is not None
    )
    choosing = way_in.choose_way_in(judges=parts.judges_versions)
    return [together(looking, actions.act_or(choosing, tasks) if actions else choosing)]


def _deploy(parts: Parts, tasks: SageMakerTasks) -> list[Step | None]:
    """What becomes of the model: it is asked about a batch, or serves."""
    if parts.transform:
        return [transform(tasks, parts.transform, parts.work, parts.recipe.name)]
    rehearsing = rehearse(tasks, parts.rehearsal) if parts.rehearsal else None
    settings = parts.endpoint.settings
    releasing = (
        scale.release(settings.instance_type, ScalingPermissions(tasks.scope, tasks.tags)) if settings.scaling else None
    )
    return [
        rehearsing,
        releasing,
        serve.serve(tasks, parts.endpoint, parts.golden_requests),
    ]
