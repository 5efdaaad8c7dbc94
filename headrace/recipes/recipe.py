"""The shape of a recipe; standard library only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from headrace.errors import HeadraceError

# The name stands in names of stacks, endpoints, log groups and folders, which share no other characters.
_NAME: Final = re.compile(r"[a-z][a-z0-9]{0,19}")
_STACK_ID: Final = re.compile(r"[A-Z][A-Za-z0-9]*")


class RecipeError(HeadraceError):
    """A recipe whose names AWS or the settings would refuse."""


@dataclass(frozen=True, kw_only=True)
class ContainerImage:
    """A container image.

    Args:
        name: Its name in commands, repositories and outputs.
        folder: What it is built from, below `containers/`.
        description: What it does, in half a sentence.
        is_endpoint: Whether it serves a model; all others are jobs.
        needs_torch: Whether its jobs need PyTorch, which is in no lock.
    """

    name: str
    folder: str
    description: str
    is_endpoint: bool = False
    needs_torch: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def package(self) -> str:
        """The package of its program, in the container image as in the repository."""
        return f"containers.{self.folder.replace('/', '.')}"

    @property
    def pascal_name(self) -> str:
        """The name as it stands in construct ids and outputs."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def image_output(self) -> str:
        """The stack output that holds the URI of this container image, tag included."""
        return f"{self.pascal_name}ImageUri"


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """A processing job, from all the raw data to outputs that the training job reads.

    Args:
        image: The container image that it runs.
        arguments: The program's arguments, each with the key of the setting that it takes its value from.
        input_folder: Where it finds the raw data, below /opt/ml.
        output_folders: Where it leaves each output, below /opt/ml, by the output's name.
        options: What else it is told, the same whatever the settings say.
        profiles: Whether it says what the raw rows look like, and its container image checks requests against that.
    """

    image: ContainerImage
    arguments: Mapping[str, str]
    input_folder: str
    output_folders: Mapping[str, str]
    options: tuple[str, ...] = ()
    profiles: bool = False


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A training channel.

    Args:
        name: Its name.
        content_type: What is in it.
        output: The output of preprocessing that comes through it; all the raw data if left out.
        is_divided: Whether each of several instances gets a part of it, and not all.
    """

    name: str
    content_type: str
    output: str | None = None
    is_divided: bool = False


@dataclass(frozen=True, kw_only=True)
class NormalizerVariables:
    """What a training program that can read through the normalizer finds in its environment.

    Args:
        address: Where the normalizer is, as `headrace.images` spells it.
        prefix: Where in its bucket the lists' paths begin.
        options: The normalizer's options, as in a URL's query.
        connections: How many photographs are asked for at the same time.
    """

    address: str
    prefix: str
    options: str
    connections: str


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training job.

    Args:
        image: The container image that it runs.
        metrics: The regular expression of each metric in its log, one group each, by the metric's name.
        channels: What it reads; if none, the settings list its channels.
        listed_content_type: What is in channels that the settings list.
        normalizer: What makes it read through the normalizer, if it can.
    """

    image: ContainerImage
    metrics: Mapping[str, str]
    channels: tuple[Channel, ...] = ()
    listed_content_type: str = "application/octet-stream"
    normalizer: NormalizerVariables | None = None


@dataclass(frozen=True, kw_only=True)
class Serving:
    """An endpoint.

    Args:
        image: The container image that it runs.
        content_type: What it is asked with.
    """

    image: ContainerImage
    content_type: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """What a workload is; each has its own stack and state machine.

    Args:
        name: Its name in commands, settings and the raw bucket.
        stack_id: Its stack's construct id, with which the names of the stack's outputs begin.
        data: What people give as its data, such as "a CSV file".
        data_is_folder: Whether that is a folder.
        preprocessing: How the raw data becomes the training job's input, where it needs to.
        training: How the model is made.
        serving: How the model is asked.
        is_optional: Whether it is there only where the settings have a section for it.
        algorithm: The built-in algorithm of SageMaker that can take the place of its container image, by its name in
            `headrace.algorithms`; one container image trains and serves then, as the algorithm's does.

    Raises:
        RecipeError: If a name has characters that not everything named after it may have, or a built-in algorithm would
            take the place of two container images.
    """

    name: str
    stack_id: str
    data: str
    data_is_folder: bool = False
    preprocessing: Preprocessing | None = None
    training: Training
    serving: Serving
    is_optional: bool = False
    algorithm: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise RecipeError(f"recipe {self.name!r}: a name has 1 to 20 lower-case letters and digits, a letter first")
        if not _STACK_ID.fullmatch(self.stack_id):
            raise RecipeError(
                f"recipe {self.name}: stack_id {self.stack_id!r} must have letters and digits, a capital first"
            )
        if self.algorithm and self.training.image is not self.serving.image:
            raise RecipeError(
                f"recipe {self.name}: the algorithm {self.algorithm} trains and serves with one container image, so "
                "training and serving must name the same one"
            )

    def __str__(self) -> str:
        return self.name

    @property
    def images(self) -> tuple[ContainerImage, ...]:
        """The container images of its steps, once each, in the order of the steps."""
        return tuple(dict.fromkeys(self._list_step_images()))

    def count_steps(self, image: ContainerImage) -> int:
        """In how many of its steps a container image runs."""
        return self._list_step_images().count(image)

    def _list_step_images(self) -> list[ContainerImage]:
        return [step.image for step in (self.preprocessing, self.training, self.serving) if step]

    @property
    def state_machine_output(self) -> str:
        """The stack output that holds this workload's state machine."""
        return f"{self.stack_id}StateMachineArn"

    @property
    def live_alias_output(self) -> str:
        """The stack output that holds the alias by which executions of the state machine are started."""
        return f"{self.stack_id}StateMachineAliasArn"

    @property
    def algorithm_output(self) -> str:
        """The stack output that holds the URI of the built-in algorithm's container image, where that is the engine."""
        return f"{self.stack_id}AlgorithmUri"

    @property
    def endpoint_name_output(self) -> str:
        """The stack output that holds the name of the endpoint that executions create or update."""
        return f"{self.stack_id}EndpointName"

    @property
    def raw_prefix(self) -> str:
        """Where its raw data is in the raw bucket."""
        return f"{self.name}/"

    @property
    def front_door_output(self) -> str:
        """The stack output that holds the address at which an API asks this workload's endpoint."""
        return f"{self.stack_id}FrontDoorUrl"
