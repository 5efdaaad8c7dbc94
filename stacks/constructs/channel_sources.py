"""Where a training job's data comes from, and what the job must be allowed for it."""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3

from headrace import contract
from headrace.channels import (
    Access,
    Channel,
    Distribution,
    EfsChannel,
    FsxLustreChannel,
    InputMode,
    Reference,
    S3Channel,
    VpcConfig,
    needs_vpc,
)
from headrace.normalizer.contract import SETS_PREFIX
from stacks.constructs.execution_role import ExecutionRole
from stacks.constructs.file_systems import LustreFileSystem, SharedFileSystem
from stacks.pipeline.file_system import RunFileSystem
from stacks.pipeline.jobs import execution_uri
from stacks.settings.listed_channels import ChannelSettings


class ChannelSources:
    """Makes channels, and remembers which objects they read.

    Args:
        raw: The raw bucket.
        work: The work bucket.
        workload: The workload, below whose prefix its executions write there.
        efs: The shared file system, if there is one.
        fsx: FSx for Lustre, if it is there, or each execution makes one.
    """

    def __init__(
        self,
        *,
        raw: s3.IBucket,
        work: s3.IBucket,
        workload: str,
        efs: SharedFileSystem | None,
        fsx: LustreFileSystem | RunFileSystem | None,
    ) -> None:
        self._raw = raw
        self._work = work
        self._workload = workload
        self._efs = efs
        self._fsx = fsx
        self._read: dict[s3.IBucket, set[str]] = {raw: set(), work: set()}

    def read_output(self, name: str, output: str, content_type: str, way: tuple[InputMode, Distribution]) -> Channel:
        """A channel from an output of the running execution, in an input mode, for each instance or divided."""
        self._read[self._work].add(contract.executions_prefix(self._workload))
        uri = execution_uri(self._work, self._workload, output)
        mode, distribution = way
        return S3Channel(name=name, uri=uri, content_type=content_type, input_mode=mode, distribution=distribution)

    def read_raw(self, name: str, prefix: str, *, content_type: str) -> Channel:
        """A channel from a prefix of the raw bucket."""
        self._read[self._raw].add(prefix)
        return S3Channel(name=name, uri=f"s3://{self._raw.bucket_name}/{prefix}", content_type=content_type)

    def read_earlier(self, address: str) -> Channel:
        """A channel from the archive of an earlier model, at an address that an execution finds.

        As https://docs.aws.amazon.com/sagemaker/latest/dg/incremental-training.html has it.
        """
        self._read[self._work].add(contract.executions_prefix(self._workload))
        return S3Channel(name=contract.MODEL_CHANNEL, uri=address, content_type="application/x-sagemaker-model")

    def read_listed(self, channel: ChannelSettings, *, content_type: str) -> Channel:
        """A channel as the settings list it."""
        if channel.is_mounted:
            return self._mount(channel, content_type)
        bucket, prefix = (self._raw, "") if channel.source == "s3" else (self._work, SETS_PREFIX)
        self._read[bucket] |= {prefix + path for path in (channel.path, channel.objects) if path}
        return channel.describe(f"s3://{bucket.bucket_name}/{prefix}", content_type=content_type)

    def allow_reading(self, role: ExecutionRole) -> None:
        """Let a job read the objects of all channels made so far."""
        for bucket, prefixes in self._read.items():
            if prefixes:
                role.allow_reading(bucket, *sorted(prefixes))

    def _mount(self, channel: ChannelSettings, content_type: str) -> Channel:
        if channel.source == "efs" and self._efs:
            return EfsChannel(
                name=channel.name,
                file_system_id=Reference(self._efs.file_system_id),
                directory_path=channel.path,
                access_mode=Access(channel.access),
                content_type=content_type,
            )
        if channel.source == "fsx" and self._fsx:
            return FsxLustreChannel(
                name=channel.name,
                file_system_id=Reference(self._fsx.file_system_id),
                mount_name=Reference(self._fsx.mount_name),
                directory_path=self._fsx.locate(channel.path),
                access_mode=Access(channel.access),
                content_type=content_type,
            )
        raise AssertionError(f"the settings let channel {channel.name} read from {channel.source}, which is off")


def join_network(
    role: ExecutionRole,
    channels: Sequence[Channel],
    *,
    subnets: Sequence[ec2.ISubnet],
    group: ec2.ISecurityGroup,
    fsx: LustreFileSystem | RunFileSystem | None,
) -> VpcConfig | None:
    """The network of a training job, which its role may then use; None where no channel is in it."""
    if not needs_vpc(channels):
        return None
    # FSx for Lustre is in one zone, and SageMaker asks for that zone's subnet alone.
    reads_fsx = any(isinstance(channel, FsxLustreChannel) for channel in channels)
    used = [fsx.subnet] if fsx and reads_fsx else subnets
    role.allow_network(used, group)
    return VpcConfig(
        security_group_ids=(Reference(group.security_group_id),),
        subnets=tuple(Reference(subnet.subnet_id) for subnet in used),
    )
