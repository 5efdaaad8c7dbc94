"""What SageMaker says about the job in its configuration files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.shared import sagemaker
from containers.shared.job.training_failures import JobError


@dataclass(frozen=True, kw_only=True)
class Job:
    """A training job: its hyperparameters, all of which SageMaker passes as text, and the names of its channels."""

    hyperparameters: Mapping[str, str]
    channels: tuple[str, ...]


def check_command(arguments: Sequence[str]) -> None:
    """Refuse anything but the one command SageMaker calls the container with."""
    if list(arguments) != [sagemaker.TRAIN_COMMAND]:
        raise JobError(
            f"expected the one argument {sagemaker.TRAIN_COMMAND!r}, found {' '.join(arguments)!r}; "
            f"run the container as `docker run IMAGE {sagemaker.TRAIN_COMMAND}`"
        )


def read_job(root: Path) -> Job:
    """The job under the root, checked for what our programs can do."""
    hosts = read_config(root / sagemaker.RESOURCES_FILE).get("hosts", [])
    if len(hosts) > 1:
        raise JobError(f"the job has {len(hosts)} instances, but this program trains on one; set InstanceCount to 1")
    channels = read_config(root / sagemaker.CHANNELS_FILE)
    for name, settings in channels.items():
        if settings.get("TrainingInputMode") == "Pipe":
            raise JobError(f"channel {name!r} has input mode Pipe; this program reads files, so use File or FastFile")
    return Job(
        hyperparameters=read_config(root / sagemaker.HYPERPARAMETERS_FILE),
        channels=tuple(channels),
    )


def read_config(path: Path) -> dict[str, Any]:
    """One configuration file, a JSON object."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise JobError(f"{path} is missing; SageMaker writes it for every training job") from error
    except ValueError as error:
        raise JobError(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise JobError(f"{path} holds no JSON object")
    return document
