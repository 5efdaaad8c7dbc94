"""The settings of workloads that SageMaker has a built-in algorithm for: whose container image trains and serves."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import StringConstraints, model_validator

from headrace.algorithms import Algorithm, BuiltInAlgorithmError, find_algorithm
from headrace.channels import Distribution, InputMode
from headrace.recipes import Recipe
from headrace.recipes.recipe import Channel
from stacks.settings.jobs import TrainingSettings
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Allowed, Change, Setting
from stacks.settings.workloads import ListedTrainingSettings, WorkloadSettings

BUILT_IN: Final = "sagemaker"


class AlgorithmTrainingSettings(TrainingSettings):
    """The training job of a built-in algorithm, or of our own program that keeps its contract."""

    input_mode: Annotated[
        Literal["File", "FastFile", "Pipe"],
        Setting(
            "how the channels reach the program: copied before it starts, read as files while it runs, or as a stream; "
            "not every version of an algorithm has all of them",
            cost="requests of S3",
            change=NEXT_EXECUTION,
        ),
    ] = InputMode.FILE.value


class EngineSettings(WorkloadSettings):
    """A workload that has two engines."""

    engine: Annotated[
        Literal["own", "sagemaker"],
        Setting(
            "whose container image trains and serves: ours, or that of SageMaker's built-in algorithm, which the local "
            "cloud does not have, so that ours stands in for it there",
            cost=NOTHING,
            change=Change(
                "from the next execution on. `sagemaker` removes the repository of our container image, without which "
                "an endpoint that still runs it cannot grow or be repaired, so start an execution right after",
                loses=("AWS::ECR::Repository",),
            ),
        ),
    ] = "own"
    version: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,32}$")] | None,
        Allowed("the tag of a container image of the algorithm, never `latest`, or null"),
        Setting(
            "with `engine` `sagemaker`, the version of the built-in algorithm; null for the newest one known here",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = None
    training: TrainingSettings = AlgorithmTrainingSettings()

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: Any) -> Any:
        """What follows from preprocessing, and from the engine, where it is not given."""
        if not isinstance(values, Mapping):
            return values
        sections = {key: values.get(key) or {} for key in ("preprocessing", "training", "gate")}
        if not all(isinstance(section, Mapping) for section in sections.values()):
            return values
        preprocessing, training, gate = sections.values()
        given = training.get("hyperparameters") or {}
        if isinstance(given, Mapping) and (filled := cls.fill_hyperparameters(preprocessing, given)) is not None:
            sections["training"] = {**training, "hyperparameters": filled}
        if gate.get("rules") is None and (rule := cls.choose_rule(preprocessing, sections["training"])):
            # The built-in algorithm reports no baseline that a model could be compared with.
            sections["gate"] = {**gate, "rules": [] if values.get("engine") == BUILT_IN else [rule]}
        return {**values, **{key: section for key, section in sections.items() if key in cls.model_fields}}

    @classmethod
    def fill_hyperparameters(
        cls, _preprocessing: Mapping[str, Any], _given: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Those that are given, with all that follow from preprocessing; None where nothing can follow.

        Args:
            _preprocessing: The section as it is given, which may still be wrong.
            _given: The hyperparameters, likewise.
        """
        return None

    @classmethod
    def choose_rule(cls, _preprocessing: Mapping[str, Any], _training: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The rule of the gate for a model of our own engine; None for that of the gate's section."""
        return None

    @property
    def own_hyperparameters(self) -> frozenset[str]:
        """Those that our own program takes beside the algorithm's."""
        return frozenset()

    def list_own_mistakes(self) -> Iterator[str]:
        """What of the algorithm's hyperparameters our own program cannot do, each beginning with the name of one."""
        yield from ()

    def list_stream_mistakes(self) -> Iterator[str]:
        """The channels in Pipe mode that the engine cannot read, each beginning with its key."""
        if self.engine == BUILT_IN:
            return
        for key, mode in _list_modes(self.training).items():
            if mode is InputMode.PIPE:
                yield f"{key}: Pipe is a stream, and our own program reads files; use File or FastFile"

    @property
    def built_in_version(self) -> str | None:
        """The version of the built-in algorithm that trains and serves; None where our own container image does."""
        return (self.version or "") if self.engine == BUILT_IN else None


def find_version(recipe: Recipe, workload: WorkloadSettings) -> str | None:
    """The version of the built-in algorithm that is a workload's engine; None where our own container image is."""
    if not recipe.algorithm or workload.built_in_version is None:
        return None
    return workload.built_in_version or find_algorithm(recipe.algorithm).default_version


def find_way(channel: Channel, training: TrainingSettings) -> tuple[InputMode, Distribution]:
    """How a recipe's channel reaches the training program, and whether each of its instances gets all of it."""
    is_divided = channel.is_divided and training.instances > 1
    return _find_mode(training), Distribution.SHARDED_BY_S3_KEY if is_divided else Distribution.FULLY_REPLICATED


def _find_mode(training: TrainingSettings) -> InputMode:
    return InputMode(training.input_mode) if isinstance(training, AlgorithmTrainingSettings) else InputMode.FILE


def _list_modes(training: TrainingSettings) -> Mapping[str, InputMode]:
    """How channels reach the training program, by the keys that say so."""
    if isinstance(training, ListedTrainingSettings):
        return {
            f"training.channels.{place}.input_mode": InputMode(channel.input_mode)
            for place, channel in enumerate(training.channels)
        }
    return {"training.input_mode": _find_mode(training)}


def list_reported(recipe: Recipe, workload: WorkloadSettings) -> Mapping[str, str]:
    """The metrics that the training job reports, each with its regular expression."""
    if recipe.algorithm and workload.built_in_version is not None:
        return find_algorithm(recipe.algorithm).metrics
    return recipe.training.metrics


def list_engine_mistakes(recipe: Recipe, workload: WorkloadSettings, region: str | None) -> Iterator[str]:
    """What an engine does not have or take, each beginning with its key."""
    if not recipe.algorithm or not isinstance(workload, EngineSettings):
        return
    algorithm = find_algorithm(recipe.algorithm)
    version = find_version(recipe, workload)
    besides = workload.own_hyperparameters if version is None else frozenset()
    given = {name: value for name, value in workload.training.hyperparameters.items() if name not in besides}
    mistakes = list(algorithm.list_mistakes(given))
    if version is None:
        # Those of ours would say the same again of values that the algorithm does not take either.
        mistakes = mistakes or list(workload.list_own_mistakes())
    yield from (f"training.hyperparameters.{mistake}" for mistake in mistakes)
    yield from workload.list_stream_mistakes()
    if version is None:
        yield from _list_mistakes_of_ours(algorithm, workload)
    else:
        yield from _list_mistakes_of_theirs(algorithm, version, workload, region)


def _list_mistakes_of_ours(algorithm: Algorithm, workload: EngineSettings) -> Iterator[str]:
    if workload.version:
        yield (
            f"version: '{workload.version}' is one of SageMaker's {algorithm.title}, and engine is own, whose "
            "container image pins its own; leave version out, or set engine to sagemaker"
        )


def _list_mistakes_of_theirs(
    algorithm: Algorithm, version: str, workload: EngineSettings, region: str | None
) -> Iterator[str]:
    try:
        algorithm.find_version(version)
    except BuiltInAlgorithmError as error:
        yield f"version: {error}"
        return
    for key, mode in _list_modes(workload.training).items():
        try:
            algorithm.check_mode(version, mode)
        except BuiltInAlgorithmError as error:
            yield f"{key}: {error}"
    try:
        algorithm.check_instance(workload.training.instance_type)
    except BuiltInAlgorithmError as error:
        yield f"training.instance_type: {error}; set it to ml.g4dn.xlarge, or engine to own"
    try:
        algorithm.check_gpus(version, workload.training.hyperparameters, workload.training.instance_type)
    except BuiltInAlgorithmError as error:
        yield f"training.instance_type: {error}"
    if region and region not in algorithm.accounts:
        yield f"engine: SageMaker has no container image of {algorithm.title} in {region}; set engine to own"
    if workload.endpoint.golden:
        yield (
            "endpoint.golden: a rehearsal asks with the server of our own container image, and engine is sagemaker; "
            "leave golden out, or set engine to own"
        )
