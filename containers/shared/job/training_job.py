"""What SageMaker says about the job in its configuration files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from containers.shared import sagemaker
from containers.shared.job.training_failures import JobError

_SHOWN: Final = 40


@dataclass(frozen=True, kw_only=True)
class Job:
    """A training job.

    Args:
        hyperparameters: Its hyperparameters, all of which SageMaker passes as text.
        channels: The names of its channels.
        content_types: What is in those channels that say it.
        wrappers: What is put around each record of those channels that are streams.
        hosts: The names of its instances, the same order on each.
        host: The name of this one.
    """

    hyperparameters: Mapping[str, str]
    channels: tuple[str, ...]
    content_types: Mapping[str, str] = field(default_factory=dict)
    wrappers: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    host: str = ""


def check_command(arguments: Sequence[str]) -> None:
    """Refuse anything but the one command SageMaker calls the container with."""
    if list(arguments) != [sagemaker.TRAIN_COMMAND]:
        raise JobError(
            f"expected the one argument {sagemaker.TRAIN_COMMAND!r}, found {' '.join(arguments)!r}; "
            f"run the container as `docker run IMAGE {sagemaker.TRAIN_COMMAND}`"
        )


def read_job(root: Path, *, is_distributed: bool = False, reads_streams: bool = False) -> Job:
    """The job under the root, checked for what our programs can do.

    Args:
        root: Where SageMaker's folders are.
        is_distributed: Whether the program trains one model on several instances.
        reads_streams: Whether the program reads channels in Pipe mode.
    """
    hosts, host = _read_hosts(root / sagemaker.RESOURCES_FILE)
    if len(hosts) > 1 and not is_distributed:
        raise JobError(f"the job has {len(hosts)} instances, but this program trains on one; set InstanceCount to 1")
    channels = _read_texts_of_channels(root / sagemaker.CHANNELS_FILE)
    streams = [name for name, settings in channels.items() if settings.get("TrainingInputMode") == "Pipe"]
    if streams and not reads_streams:
        raise JobError(f"channel {streams[0]!r} has input mode Pipe; this program reads files, so use File or FastFile")
    return Job(
        hyperparameters=_read_hyperparameters(root / sagemaker.HYPERPARAMETERS_FILE),
        channels=tuple(channels),
        content_types={
            name: settings["ContentType"] for name, settings in channels.items() if "ContentType" in settings
        },
        wrappers={name: channels[name].get("RecordWrapperType", "None") for name in streams},
        hosts=hosts,
        host=host,
    )


def _read_hyperparameters(path: Path) -> dict[str, str]:
    return {name: _check_text(path, name, value) for name, value in read_config(path).items()}


def _read_hosts(path: Path) -> tuple[tuple[str, ...], str]:
    """The names of all instances, and that of this one."""
    resources = read_config(path)
    hosts, own = resources.get("hosts", []), _check_text(path, "current_host", resources.get("current_host", ""))
    if not isinstance(hosts, list):
        raise JobError(f"{path}: hosts is {_show(hosts)}, expected an array of names")
    names = tuple(_check_text(path, "a host", host) for host in hosts)
    if len(names) > 1 and own not in names:
        raise JobError(f"{path}: current_host is {_show(own)}, expected one of {', '.join(names)}")
    return names, own


def _read_texts_of_channels(path: Path) -> dict[str, dict[str, str]]:
    """What the file says of each channel in texts; the rest, such as null, says nothing."""
    channels = read_config(path)
    for name, settings in channels.items():
        if not isinstance(settings, dict):
            raise JobError(f"{path}: channel {name!r} is {_show(settings)}, expected a JSON object")
    return {
        name: {key: value for key, value in settings.items() if isinstance(value, str)}
        for name, settings in channels.items()
    }


def _check_text(path: Path, name: str, value: object) -> str:
    if not isinstance(value, str):
        raise JobError(f"{path}: {name} is {_show(value)}, expected text, as SageMaker writes it")
    return value


def _show(value: object) -> str:
    return json.dumps(value)[:_SHOWN]


def read_config(path: Path) -> dict[str, Any]:
    """One configuration file, a JSON object."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise JobError(f"{path} is missing; SageMaker writes it for every training job") from error
    except (ValueError, RecursionError) as error:
        raise JobError(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise JobError(f"{path} holds no JSON object")
    return document
