"""SageMaker for one machine: its API, its training and processing jobs and its endpoints, as plain processes."""

from headrace.local.sagemaker.container_images import (
    ContainerImageNotFoundError,
    ContainerImageRegistry,
    RunnableContainerImage,
)
from headrace.local.sagemaker.control_plane import SageMaker
from headrace.local.sagemaker.errors import SageMakerError
from headrace.local.sagemaker.host import Host, Patience
from headrace.local.sagemaker.processes import stop_leftover_processes

__all__ = [
    "ContainerImageNotFoundError",
    "ContainerImageRegistry",
    "Host",
    "Patience",
    "RunnableContainerImage",
    "SageMaker",
    "SageMakerError",
    "stop_leftover_processes",
]
