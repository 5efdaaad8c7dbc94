"""The POSIX file systems that training channels can come from."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from headrace import contract
from stacks.constructs.file_systems import LustreFileSystem, SharedFileSystem
from stacks.network_stack import NetworkStack
from stacks.settings.file_systems import EfsSettings, FileSystemSettings


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
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.efs: SharedFileSystem | None = None
        self.fsx: LustreFileSystem | None = None

        if settings.efs.enabled:
            self.efs = self._add_efs(settings.efs, network, key, retain_data=retain_data)
        if settings.fsx.enabled:
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
