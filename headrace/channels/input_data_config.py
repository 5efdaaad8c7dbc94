"""The channels of one training job together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headrace.channels.checks import (
    SECURITY_GROUP_ID,
    SUBNET_ID,
    ChannelError,
    check_count,
    check_doubles,
    check_text,
    show,
)
from headrace.channels.file_systems import EfsChannel, FsxLustreChannel
from headrace.channels.s3 import AugmentedManifestChannel, ManifestChannel, S3Channel

Channel = S3Channel | ManifestChannel | AugmentedManifestChannel | EfsChannel | FsxLustreChannel

MOST_CHANNELS = 20
MOST_SECURITY_GROUPS = 5
MOST_SUBNETS = 16


@dataclass(frozen=True, kw_only=True)
class VpcConfig:
    """The network a training job is connected to; a job with a channel from a file system must have one.

    Args:
        security_group_ids: At least one that the file system's own lets in.
        subnets: For FSx for Lustre, of the file system's Availability Zone.
    """

    security_group_ids: tuple[str, ...]
    subnets: tuple[str, ...]

    def __post_init__(self) -> None:
        check_count("VpcConfig", "security_group_ids", self.security_group_ids, least=1, most=MOST_SECURITY_GROUPS)
        check_count("VpcConfig", "subnets", self.subnets, least=1, most=MOST_SUBNETS)
        for security_group_id in self.security_group_ids:
            check_text("VpcConfig", "security_group_ids", security_group_id, SECURITY_GROUP_ID)
        for subnet in self.subnets:
            check_text("VpcConfig", "subnets", subnet, SUBNET_ID)

    def render(self) -> dict[str, list[str]]:
        """The network as CreateTrainingJob's `VpcConfig`."""
        return {
            "SecurityGroupIds": [str(security_group_id) for security_group_id in self.security_group_ids],
            "Subnets": [str(subnet) for subnet in self.subnets],
        }


def needs_vpc(channels: Sequence[Channel]) -> bool:
    """Whether any channel comes from a file system."""
    return any(isinstance(channel, EfsChannel | FsxLustreChannel) for channel in channels)


def render_input_data_config(channels: Sequence[Channel], vpc_config: VpcConfig | None = None) -> list[dict[str, Any]]:
    """The channels as CreateTrainingJob's `InputDataConfig`.

    Args:
        channels: In the order they are to be listed.
        vpc_config: The job's network, where it has one.

    Raises:
        ChannelError: SageMaker would refuse the channels together.
    """
    names = [channel.name for channel in channels]
    check_count("InputDataConfig", "channels", names, least=1, most=MOST_CHANNELS)
    check_doubles(
        "InputDataConfig",
        "channels",
        names,
        reason="each channel is its own folder under /opt/ml/input/data",
        remedy="rename one",
    )
    if vpc_config is None:
        _refuse_file_systems(channels)
    return [channel.render() for channel in channels]


def _refuse_file_systems(channels: Sequence[Channel]) -> None:
    for channel in channels:
        if needs_vpc([channel]):
            raise ChannelError(
                f"channel {show(channel.name)}",
                found="the job has no VpcConfig",
                reason="a file system is mounted over the network of a VPC",
                remedy="give vpc_config with its subnets and a security group that it lets in",
            )
