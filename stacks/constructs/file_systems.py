"""EFS and FSx for Lustre as SageMaker's training channels need them."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_fsx as fsx
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from headrace import contract
from stacks.constructs.removal import choose_removal_policy
from stacks.pipeline.file_system import LUSTRE_VERSION
from stacks.settings.file_systems import EfsSettings, FsxSettings

# People reach their folder through an access point, all as one user, so that everybody can edit everything in it.
PEOPLE_FOLDER = "/lists"
PEOPLE_USER = "1000"
NFS_PORT = 2049


class SharedFileSystem(Construct):
    """An encrypted EFS file system; idle files move to Infrequent Access, and back when they are read.

    Mounting needs no IAM identity, because SageMaker's channels have none to show: the security group decides who
    reaches it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: EfsSettings,
        vpc: ec2.IVpc,
        subnets: Sequence[ec2.ISubnet],
        group: ec2.ISecurityGroup,
        key: kms.IKey | None,
        retain_data: bool,
    ) -> None:
        super().__init__(scope, construct_id)

        self.file_system = efs.FileSystem(
            self,
            "FileSystem",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnets=subnets),
            security_group=group,
            allow_anonymous_access=True,
            encrypted=True,
            kms_key=key,
            throughput_mode=efs.ThroughputMode.ELASTIC,
            lifecycle_policy=_lifecycle_policy(settings.infrequent_access_days),
            out_of_infrequent_access_policy=efs.OutOfInfrequentAccessPolicy.AFTER_1_ACCESS,
            enable_automatic_backups=retain_data,
            removal_policy=choose_removal_policy(retain_data=retain_data),
        )
        people = self.file_system.add_access_point(
            "People",
            path=PEOPLE_FOLDER,
            posix_user=efs.PosixUser(uid=PEOPLE_USER, gid=PEOPLE_USER),
            create_acl=efs.Acl(owner_uid=PEOPLE_USER, owner_gid=PEOPLE_USER, permissions="0775"),
        )
        self.file_system_id = self.file_system.file_system_id
        self.access_point_id = people.access_point_id
        for client in settings.client_groups:
            self._admit(client, group)

    def find_address(self, subnet: ec2.ISubnet) -> str:
        """The address in a subnet: names are not resolved wherever its clients are."""
        targets = [child for child in self.file_system.node.find_all() if isinstance(child, efs.CfnMountTarget)]
        return next(target.attr_ip_address for target in targets if target.subnet_id == subnet.subnet_id)

    def _admit(self, client: str, group: ec2.ISecurityGroup) -> None:
        """Let the members of a security group of the user's mount the file system; that group must let them out."""
        ec2.CfnSecurityGroupIngress(
            self,
            f"Client-{client}",
            group_id=group.security_group_id,
            source_security_group_id=client,
            ip_protocol="tcp",
            from_port=NFS_PORT,
            to_port=NFS_PORT,
            description="NFS for clients of the settings",
        )


class LustreFileSystem(Construct):
    """FSx for Lustre on SSD in one zone, with the raw bucket at `/raw`: metadata at once, data when first read.

    Never on Intelligent-Tiering storage, which cannot be linked to a bucket.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FsxSettings,
        subnet: ec2.ISubnet,
        group: ec2.ISecurityGroup,
        raw: s3.IBucket,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)

        self.subnet = subnet
        file_system = fsx.CfnFileSystem(
            self,
            # A new one takes its place, and under another name those who read its id notice.
            "FileSystem" if settings.deployment == "PERSISTENT_2" else "ScratchFileSystem",
            file_system_type="LUSTRE",
            file_system_type_version=LUSTRE_VERSION,
            storage_type="SSD",
            storage_capacity=settings.capacity_gib,
            subnet_ids=[subnet.subnet_id],
            security_group_ids=[group.security_group_id],
            kms_key_id=key.key_arn if key and settings.deployment == "PERSISTENT_2" else None,
            lustre_configuration=_lustre_configuration(settings),
        )
        # A cache of the bucket: kept, it would hold on to its subnet and its security group, and cost what it costs.
        file_system.apply_removal_policy(RemovalPolicy.DESTROY)
        self.file_system_id = file_system.ref
        self.capacity_gib = settings.capacity_gib
        self.mount_name = file_system.attr_lustre_mount_name
        self._link(raw, settings)

    def locate(self, path: str) -> str:
        """Where the directory is that the settings call so."""
        return path

    def _link(self, raw: s3.IBucket, settings: FsxSettings) -> None:
        fsx.CfnDataRepositoryAssociation(
            self,
            "Raw",
            file_system_id=self.file_system_id,
            file_system_path=contract.FSX_RAW_PATH,
            data_repository_path=f"s3://{raw.bucket_name}",
            batch_import_meta_data_on_create=True,
            s3=fsx.CfnDataRepositoryAssociation.S3Property(
                auto_import_policy=fsx.CfnDataRepositoryAssociation.AutoImportPolicyProperty(
                    events=list(settings.import_events)
                ),
                auto_export_policy=fsx.CfnDataRepositoryAssociation.AutoExportPolicyProperty(
                    events=list(settings.export_events)
                ),
            ),
        )


def _lustre_configuration(settings: FsxSettings) -> fsx.CfnFileSystem.LustreConfigurationProperty:
    is_persistent = settings.deployment == "PERSISTENT_2"
    return fsx.CfnFileSystem.LustreConfigurationProperty(
        deployment_type=settings.deployment,
        # SCRATCH_2 has one throughput, and no such property.
        per_unit_storage_throughput=settings.throughput_mb_per_tib if is_persistent else None,
        data_compression_type="LZ4",
    )


def _lifecycle_policy(days: int) -> efs.LifecyclePolicy:
    return efs.LifecyclePolicy[f"AFTER_{days}_DAY{'S' if days > 1 else ''}"]
