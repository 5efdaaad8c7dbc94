"""SageMaker for one machine: its API, its training and processing jobs and its endpoints, as plain processes."""

from millrace.local.sagemaker.control_plane import SageMaker
from millrace.local.sagemaker.errors import SageMakerError
from millrace.local.sagemaker.host import Patience
from millrace.local.sagemaker.images import ContainerImage, ImageNotFoundError, ImageRegistry
from millrace.local.sagemaker.processes import stop_leftover_processes

__all__ = [
    "ContainerImage",
    "ImageNotFoundError",
    "ImageRegistry",
    "Patience",
    "SageMaker",
    "SageMakerError",
    "stop_leftover_processes",
]
