"""What the tasks of a state machine ask SageMaker for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from headrace.quotas import Usage, name_quota

_SCALING_TASK: Final = "registerscalabletarget"
_FILE_SYSTEM_TASK: Final = "createfilesystem"
_SDK: Final = "aws-sdk"
_CLASSIFYING: Final = f":{_SDK}:comprehend:createEndpoint"


@dataclass(frozen=True, kw_only=True)
class Use:
    """Instances that are asked for at once.

    Args:
        place: Where: the stack and the state.
        usage: What for.
        instance_type: Their type, such as ml.m5.large.
        count: How many.
        is_in_network: Whether they are in subnets that the templates name.
    """

    place: str
    usage: Usage
    instance_type: str
    count: int = 1
    is_in_network: bool = False

    @classmethod
    def of_notebook(cls, place: str, properties: Mapping[str, Any]) -> Self:
        """What a notebook instance asks for, by the properties of its resource."""
        kind = str(properties.get("InstanceType", ""))
        return cls(place=place, usage=Usage.NOTEBOOK, instance_type=kind, is_in_network="SubnetId" in properties)

    @property
    def quota(self) -> str:
        """The name of the quota that counts them."""
        return name_quota(self.instance_type, self.usage)


def list_uses(stack: str, definition: Mapping[str, Any]) -> Iterator[Use]:
    """The instances that the states of a state machine ask for.

    Args:
        stack: The stack that has it.
        definition: It, in Amazon States Language.
    """
    tasks = list(_list_tasks(definition))
    # Scaling makes more of an endpoint than it starts with.
    most = max((_count(task.get("MaxCapacity")) for _, kind, task in tasks if kind == _SCALING_TASK), default=0)
    for name, kind, task in tasks:
        for usage, wanted in _list_wanted(kind, task):
            if isinstance(instance_type := wanted.get("InstanceType"), str):
                count = _count(wanted.get("InstanceCount", wanted.get("InitialInstanceCount")))
                yield Use(
                    place=f"{stack}: {name}",
                    usage=usage,
                    instance_type=instance_type,
                    count=max(count, most) if usage is Usage.ENDPOINT else count,
                    is_in_network="VpcConfig" in task or "VpcConfig" in task.get("NetworkConfig", {}),
                )


def count_serverless(definition: Mapping[str, Any]) -> int:
    """How many requests at once the serverless endpoints of a state machine are made for."""
    variants = (wanted for _, kind, task in _list_tasks(definition) for _, wanted in _list_wanted(kind, task))
    return sum(_as_mapping(variant.get("ServerlessConfig")).get("MaxConcurrency", 0) for variant in variants)


def count_inference_units(definition: Mapping[str, Any]) -> int:
    """The inference units of the largest endpoint of Comprehend's that a state machine makes; 0 for none."""
    asked = (
        _count(arguments.get("DesiredInferenceUnits"))
        for resource, _, arguments in _list_calls(definition)
        if resource.endswith(_CLASSIFYING)
    )
    return max(asked, default=0)


def asks_for_file_systems(definition: Mapping[str, Any]) -> bool:
    """Whether a state machine makes FSx file systems."""
    return any(kind == _FILE_SYSTEM_TASK for _, kind, _ in _list_tasks(definition))


def list_services(definition: Mapping[str, Any]) -> set[str]:
    """The services that a state machine calls by the integration of the SDK, as Step Functions names them."""
    calls = (resource.split(":") for resource, _, _ in _list_calls(definition))
    return {service for *_, integration, service, _ in calls if integration == _SDK}


def read_connections(definition: Mapping[str, Any], variables: Iterable[str]) -> int:
    """The greatest number that a task of a state machine sets one of these environment variables to; 0 for none."""
    names = set(variables)
    counts = [
        int(value)
        for _, _, task in _list_tasks(definition)
        for name, value in _as_mapping(task.get("Environment")).items()
        if name in names and str(value).isdigit()
    ]
    return max(counts, default=0)


def _list_tasks(definition: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The tasks of a state machine: their states' names, what they call in lower case, and with what."""
    for resource, name, arguments in _list_calls(definition):
        yield name, resource.removesuffix(".sync").rpartition(":")[2].lower(), arguments


def _list_calls(definition: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The tasks of a state machine: the ARNs of what they call, their states' names, and with what they call it."""
    for name, state in _as_mapping(definition.get("States")).items():
        if isinstance(resource := state.get("Resource"), str):
            yield resource, name, _as_mapping(state.get("Arguments", state.get("Parameters")))
        inner = [*state.get("Branches", ()), state.get("ItemProcessor", {})]
        for machine in inner:
            yield from _list_calls(machine)


def _list_wanted(kind: str, task: Mapping[str, Any]) -> Iterator[tuple[Usage, Mapping[str, Any]]]:
    """The parts of a task that ask for instances."""
    if kind == "createtrainingjob":
        yield (
            Usage.SPOT_TRAINING if task.get("EnableManagedSpotTraining") is True else Usage.TRAINING,
            _as_mapping(task.get("ResourceConfig")),
        )
    elif kind == "createprocessingjob":
        yield Usage.PROCESSING, _as_mapping(_as_mapping(task.get("ProcessingResources")).get("ClusterConfig"))
    elif kind == "createtransformjob":
        yield Usage.TRANSFORM, _as_mapping(task.get("TransformResources"))
    elif kind == "createendpointconfig":
        yield from ((Usage.ENDPOINT, variant) for variant in task.get("ProductionVariants", ()))


def _as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _count(value: Any) -> int:
    """A count; one that an execution works out is taken for 1."""
    return value if isinstance(value, int) else 1
