"""Input channels of a training job: where each one's data is and how it reaches the container."""

from millrace.channels.checks import ChannelError
from millrace.channels.file_systems import EfsChannel, FsxLustreChannel
from millrace.channels.input_data_config import Channel, VpcConfig, needs_vpc, render_input_data_config
from millrace.channels.s3 import AugmentedManifestChannel, ManifestChannel, S3Channel
from millrace.channels.vocabulary import Access, Compression, Distribution, InputMode, RecordWrapper, Reference

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
