"""What the executions of a state machine run, as its definition says: jobs, endpoints and states."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.inventory import Item
from headrace.inventory.jobs import JOB_KINDS, JobKind
from headrace.pipeline.machines import join_text

STATE_MACHINE: Final = "AWS::StepFunctions::StateMachine"
_ENDPOINT: Final = "createEndpointConfig"
_FILE_SYSTEM: Final = ":fsx:createFileSystem"
_READ_TEXT: Final = ":textract:startDocumentTextDetection"
_READ_FEATURES: Final = ":textract:startDocumentAnalysis"
_UNDERSTAND: Final = ":comprehend:detect"
_CLASSIFY: Final = ":comprehend:createEndpoint"
_TRAIN: Final = ":comprehend:createDocumentClassifier"
_LISTS: Final = "_lst"


@dataclass(frozen=True)
class Machines:
    """The machines of a job.

    Args:
        kind: The kind of job.
        instance_type: Their type.
        count: How many there are.
        volume_gb: The volume of each.
        is_spot: Whether they are spot instances.
        reads_efs: Whether they read training data from EFS.
    """

    kind: JobKind
    instance_type: str
    count: float
    volume_gb: float
    is_spot: bool = False
    reads_efs: bool = False


@dataclass(frozen=True)
class Definition:
    """What an execution runs once.

    Args:
        jobs: The machines of its jobs.
        variants: What its endpoints are to have, as SageMaker's production variants.
        lustre_gb: The capacity of the FSx for Lustre file systems that are made for the training.
        states: How many states there are.
        asked: What is asked about each page of a document, and about its text, such as `tables` and `Sentiment`.
        classifier_units: The inference units of the endpoint that classifies documents.
        trainings: How many classifiers are trained.
        unread: What cannot be known before it runs.
    """

    jobs: tuple[Machines, ...] = ()
    variants: tuple[Mapping[str, Any], ...] = ()
    lustre_gb: float = 0.0
    states: int = 0
    asked: tuple[str, ...] = ()
    classifier_units: int = 0
    trainings: int = 0
    unread: tuple[str, ...] = ()


def read_definition(item: Item) -> Definition:
    """What a state machine of a template runs; one that cannot be read is said to be so."""
    given = item.properties.get("Definition") or join_text(item.properties.get("DefinitionString", ""))
    try:
        definition = given if isinstance(given, Mapping) else json.loads(given)
        states = list(_walk(definition))
    except (ValueError, KeyError, AttributeError, TypeError):
        return Definition(unread=(f"the definition of {item.name} cannot be read before it is deployed",))
    jobs: list[Machines] = []
    variants: list[Mapping[str, Any]] = []
    unread: list[str] = []
    lustre_gb = 0.0
    asked: list[str] = []
    units = 0
    for name, state in states:
        resource, arguments = str(state.get("Resource", "")), state.get("Arguments", state.get("Parameters", {}))
        try:
            jobs += [_read_machines(kind, arguments) for kind in JOB_KINDS if f":{kind.operation}" in resource]
            asked += _list_asked(resource, arguments)
            units += int(arguments["DesiredInferenceUnits"]) if resource.endswith(_CLASSIFY) else 0
            variants += arguments["ProductionVariants"] if f":{_ENDPOINT}" in resource else []
            lustre_gb += float(arguments["StorageCapacity"]) if resource.endswith(_FILE_SYSTEM) else 0.0
        except (KeyError, TypeError, ValueError):
            unread.append(f"the machines of '{name}' are known when it runs")
    trainings = sum(str(state.get("Resource", "")).endswith(_TRAIN) for _, state in states)
    return Definition(
        tuple(jobs), tuple(variants), lustre_gb, len(states), tuple(asked), units, trainings, tuple(unread)
    )


def _walk(holder: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All states, also those in branches and in what is done for each item."""
    for name, state in holder["States"].items():
        yield name, state
        inside = state.get("ItemProcessor", state.get("Iterator"))
        for branch in [*state.get("Branches", []), *([inside] if inside else [])]:
            yield from _walk(branch)


def _list_asked(resource: str, arguments: Mapping[str, Any]) -> list[str]:
    if resource.endswith(_READ_TEXT):
        return ["text"]
    if resource.endswith(_READ_FEATURES):
        return [feature.lower() for feature in arguments["FeatureTypes"]]
    _, found, what = resource.partition(_UNDERSTAND)
    return [what] if found else []


def _read_machines(kind: JobKind, arguments: Mapping[str, Any]) -> Machines:
    resources = kind.find_machines(arguments)
    return Machines(
        kind,
        _read_type(resources["InstanceType"]),
        float(resources.get("InstanceCount", 1)),
        float(resources.get("VolumeSizeInGB", 0)),
        is_spot=arguments.get("EnableManagedSpotTraining") is True,
        reads_efs=any(map(_reads_efs, arguments.get("InputDataConfig", []))),
    )


def _reads_efs(channel: Mapping[str, Any]) -> bool:
    """Whether a channel brings training data from EFS; lists of photographs are too small to count."""
    source = channel["DataSource"].get("FileSystemDataSource", {})
    return source.get("FileSystemType") == "EFS" and not str(channel["ChannelName"]).endswith(_LISTS)


def _read_type(value: object) -> str:
    if not (isinstance(value, str) and value.startswith("ml.")):
        raise ValueError(value)
    return value
