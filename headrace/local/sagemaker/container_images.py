"""What the control plane asks of a container image registry."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from headrace.local.sagemaker.engine_containers import EngineContainer


@dataclass(frozen=True, kw_only=True)
class RunnableContainerImage:
    """A pushed container image: how to run its program as a process of this machine, or as a container of an engine.

    Args:
        entrypoint: The words that start the program.
        working_directory: Where it starts.
        environment: Its variables.
        container: How an engine runs it instead.
        digest: What the registry calls its content, if it does.
        note: What a job's log has to say of it.
    """

    entrypoint: tuple[str, ...]
    working_directory: Path
    environment: Mapping[str, str]
    container: EngineContainer | None = None
    digest: str = ""
    note: str = ""


class ContainerImageNotFoundError(LookupError):
    """The registry holds no container image under this name."""

    def __init__(self, image_uri: str) -> None:
        super().__init__(
            f"Requested image {image_uri} not found. The local cloud runs the container images that the "
            f"deployed stacks name; register any other with: headrace local bring {image_uri} --python PYTHON"
        )
        self.image_uri = image_uri


class ContainerImageRegistry(Protocol):
    """Finds container images by the name that requests use."""

    def resolve(self, image_uri: str) -> RunnableContainerImage:
        """The container image pushed under this name; raises ContainerImageNotFoundError."""
        ...
