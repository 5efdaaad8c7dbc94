"""What training channels ask for that the file systems of the environment do not have."""

from collections.abc import Iterator, Sequence

from headrace.contract import FSX_RAW_PATH
from stacks.settings.file_systems import FileSystemSettings
from stacks.settings.listed_channels import ChannelSettings
from stacks.settings.workloads import ListedTrainingSettings


def list_channel_mistakes(
    file_systems: FileSystemSettings, trainings: Sequence[tuple[str, ListedTrainingSettings]]
) -> Iterator[str]:
    """What is wrong with channels from file systems, each beginning with its key.

    Args:
        file_systems: Which file systems there are.
        trainings: The training jobs whose channels are listed, by the names of their workloads.
    """
    enabled = {"efs": file_systems.efs.enabled, "fsx": file_systems.fsx.enabled}
    mounted = [
        (f"{name}.training.channels: channel '{channel.name}'", channel)
        for name, training in trainings
        for channel in training.channels
        if channel.is_mounted
    ]
    for subject, channel in mounted:
        if not enabled[channel.source]:
            yield f"{subject} reads from {channel.source}, but file_systems.{channel.source}.enabled is false"
        elif channel.source == "fsx" and file_systems.fsx.per_run:
            yield from _list_per_run(subject, channel)
    if file_systems.fsx.per_run and not any(channel.source == "fsx" for _, channel in mounted):
        yield (
            "file_systems.fsx.per_run: no training channel reads from fsx, so no execution would make one; add such a "
            "channel, or set enabled and per_run to false"
        )


def _list_per_run(subject: str, channel: ChannelSettings) -> Iterator[str]:
    if not f"{channel.path}/".startswith(f"{FSX_RAW_PATH}/"):
        yield (
            f"{subject} reads {channel.path}, but with file_systems.fsx.per_run there is nothing beside the raw bucket "
            f"at {FSX_RAW_PATH}; begin the path with {FSX_RAW_PATH}/"
        )
    if channel.access != "ro":
        yield (
            f"{subject} may write, but with file_systems.fsx.per_run what is written goes with the file system when "
            "the training has ended; set access to ro"
        )
