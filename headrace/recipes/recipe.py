"""The shape of a recipe; standard library only."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ContainerImage:
    """A container image.

    Args:
        name: Its name in commands, repositories and outputs.
        folder: What it is built from, below `containers/`.
        description: What it does, in half a sentence.
    """

    name: str
    folder: str
    description: str

    def __str__(self) -> str:
        return self.name

    @property
    def pascal_name(self) -> str:
        """The name as it stands in construct ids and outputs."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def image_output(self) -> str:
        """The stack output that holds this image's URI, tag included."""
        return f"{self.pascal_name}ImageUri"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a workload is; each has a stack and a state machine of its own.

    Args:
        name: Its name in commands, settings and the raw bucket.
        stack_id: Its stack's construct id, with which the names of the stack's outputs begin.
        images: The container images of its steps, in their order.
    """

    name: str
    stack_id: str
    images: tuple[ContainerImage, ...]

    def __str__(self) -> str:
        return self.name

    @property
    def state_machine_output(self) -> str:
        """The stack output that holds this workload's state machine."""
        return f"{self.stack_id}StateMachineArn"

    @property
    def endpoint_name_output(self) -> str:
        """The stack output that holds the name of the endpoint that executions create or update."""
        return f"{self.stack_id}EndpointName"

    @property
    def raw_prefix(self) -> str:
        """Where its raw data is in the raw bucket."""
        return f"{self.name}/"
