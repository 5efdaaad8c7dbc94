"""The POSIX file systems that training channels can come from."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from headrace import contract
from stacks.constructs.file_system_alarms import FileSystemAlarms
from stacks.constructs.file_systems import LustreFileSystem, SharedFileSystem
from stacks.network_stack import NetworkStack
from stacks.pipeline.file_system import RunFileSystem, find_prefix
from stacks.settings.alarms import FileSystemAlarmSettings
from stacks.settings.file_systems import EfsSettings, FileSystemSettings
from stacks.settings.listed_channels import ChannelSettings


class FileSystemStack(Stack):
    """EFS for what people share and change, FSx for Lustre for fast passes over the raw bucket; each by setting."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FileSystemSettings,
        network: NetworkStack,
        raw: s3.IBucket,
        key: kms.IKey | None,
        retain_data: bool,
        alarms: FileSystemAlarmSettings | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings, self._network, self._raw = settings.fsx, network, raw
        self.efs: SharedFileSystem | None = None
        self.fsx: LustreFileSystem | None = None

        if settings.efs.enabled:
            self.efs = self._add_efs(settings.efs, network, key, retain_data=retain_data)
        if settings.fsx.stands:
            self.fsx = LustreFileSystem(
                self,
                "Fsx",
                settings=settings.fsx,
                subnet=network.subnets[0],
                group=network.groups.lustre,
                raw=raw,
                key=key,
            )
            CfnOutput(self, contract.FSX_OUTPUT, value=self.fsx.file_system_id)
        if alarms and (self.efs or self.fsx):
            FileSystemAlarms(self, "Alarms", settings=alarms, efs=self.efs, fsx=self.fsx)

    def describe_for_run(self, channels: Sequence[ChannelSettings]) -> RunFileSystem | None:
        """What each execution makes for its training, where the settings have it make one and a channel reads it."""
        paths = [channel.path for channel in channels if channel.source == "fsx"]
        if not self._settings.per_run or not paths:
            return None
        return RunFileSystem(
            subnet=self._network.subnets[0],
            group=self._network.groups.lustre,
            raw=self._raw,
            prefix=find_prefix(paths),
            capacity_gib=self._settings.capacity_gib,
        )

    def _add_efs(
        self, settings: EfsSettings, network: NetworkStack, key: kms.IKey | None, *, retain_data: bool
    ) -> SharedFileSystem:
        file_system = SharedFileSystem(
            self,
            "Efs",
            settings=settings,
            vpc=network.vpc,
            subnets=network.subnets,
            group=network.groups.efs,
            key=key,
            retain_data=retain_data,
        )
        CfnOutput(self, contract.EFS_OUTPUT, value=file_system.file_system_id)
        CfnOutput(self, contract.EFS_ACCESS_POINT_OUTPUT, value=file_system.access_point_id)
        return file_system
