"""Input channels of a training job: where each one's data is and how it reaches the container."""

from headrace.channels.checks import ChannelError
from headrace.channels.file_systems import EfsChannel, FsxLustreChannel
from headrace.channels.input_data_config import Channel, VpcConfig, needs_vpc, render_input_data_config
from headrace.channels.s3 import AugmentedManifestChannel, ManifestChannel, S3Channel
from headrace.channels.vocabulary import Access, Compression, Distribution, InputMode, RecordWrapper, Reference

__all__ = [
    "Access",
    "AugmentedManifestChannel",
    "Channel",
    "ChannelError",
    "Compression",
    "Distribution",
    "EfsChannel",
    "FsxLustreChannel",
    "InputMode",
    "ManifestChannel",
    "RecordWrapper",
    "Reference",
    "S3Channel",
    "VpcConfig",
    "needs_vpc",
    "render_input_data_config",
]
