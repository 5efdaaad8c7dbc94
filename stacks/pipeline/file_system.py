"""The FSx for Lustre file system that an execution makes for its training, and what is needed for that."""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Aws, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from headrace import contract
from stacks.nag import wildcard_in_account, wildcard_resource
from stacks.ownership import in_this_account
from stacks.pipeline.asl import jsonata
from stacks.pipeline.failure import REDRIVES
from stacks.pipeline.permission import Permission

LUSTRE_VERSION: Final = "2.15"
# Whether the execution was redriven since it made the file system: what ends an execution deletes that.
IS_LOST: Final = f"{REDRIVES} > $file_system.Redrives"

_S3_ACCESS: Final = "s3.data-source.lustre.fsx.amazonaws.com"
_FILE_SYSTEMS: Final = "file-system/*"
_NUMBERED: Final = "FSx numbers file systems; only those with the tags of this workload's executions are meant."
_NO_RESOURCES: Final = "FSx knows no resources for looking at file systems; what they have in them is not shown."
_OF_FILE_SYSTEM: Final = (
    "FSx makes a role for each linked file system and names it after that; the path limits it to roles that FSx alone "
    "can assume."
)


@dataclass(frozen=True, kw_only=True)
class RunFileSystem:
    """FSx for Lustre on scratch storage in one zone, over a prefix of the raw bucket: read there when first opened.

    It is linked by `ImportPath`, so that it has all names once it is available. A data repository association would
    have to be made after it, and its import waited for. What is in the root of the bucket is then in that of the file
    system: https://docs.aws.amazon.com/fsx/latest/LustreGuide/older-deployment-types.html

    Args:
        subnet: Where it is.
        group: Its security group.
        raw: The raw bucket.
        prefix: What of that it shows.
        capacity_gib: Its size.
    """

    subnet: ec2.ISubnet
    group: ec2.ISecurityGroup
    raw: s3.IBucket
    prefix: str
    capacity_gib: int

    @property
    def file_system_id(self) -> str:
        """JSONata that fails once the file system was deleted, before a job is made that would not find it."""
        return jsonata(f"{IS_LOST} ? $error('the file system was deleted') : $file_system.Id")

    @property
    def mount_name(self) -> str:
        """JSONata for what its paths begin with."""
        return jsonata("$seen.MountName")

    def locate(self, path: str) -> str:
        """Where the directory is that the settings call so."""
        return f"/{path.removeprefix(contract.FSX_RAW_PATH).strip('/')}"

    def render(self) -> dict[str, Any]:
        """CreateFileSystem's request without tags; each redrive has another token, and so a new file system."""
        token = f"$substring($hash($states.context.Execution.Id & '#' & $string({REDRIVES}), 'SHA-256'), 0, 63)"
        return {
            "ClientRequestToken": jsonata(token),
            "FileSystemType": "LUSTRE",
            "FileSystemTypeVersion": LUSTRE_VERSION,
            "StorageType": "SSD",
            "StorageCapacity": self.capacity_gib,
            "SubnetIds": [self.subnet.subnet_id],
            "SecurityGroupIds": [self.group.security_group_id],
            "LustreConfiguration": {
                "DeploymentType": "SCRATCH_2",
                "DataCompressionType": "LZ4",
                "ImportPath": f"s3://{self.raw.bucket_name}/{self.prefix}",
            },
        }


def find_prefix(paths: Iterable[str]) -> str:
    """The prefix of the raw bucket that has all directories of the settings in it.

    Example:
        >>> find_prefix(["/raw/images/lists/train/", "/raw/images/lists/validation"])
        'images/lists/'
    """
    common = posixpath.commonpath([path.rstrip("/") for path in paths])
    prefix = common.removeprefix(contract.FSX_RAW_PATH).strip("/")
    return f"{prefix}/" if prefix else ""


def allow_creating(scope: Construct, tags: Mapping[str, str], raw: s3.IBucket) -> tuple[Permission, ...]:
    """Make file systems with these tags and an execution's, over a bucket.

    https://docs.aws.amazon.com/fsx/latest/LustreGuide/setting-up.html#fsx-adding-permissions-s3,
    https://docs.aws.amazon.com/fsx/latest/LustreGuide/using-service-linked-roles.html
    """
    return (
        _allow_tagged(scope, ["fsx:CreateFileSystem", "fsx:TagResource"], "aws:RequestTag", tags),
        Permission(
            statement=iam.PolicyStatement(
                actions=["s3:ListBucket"], resources=[raw.bucket_arn], conditions=in_this_account()
            )
        ),
        _allow_role(scope, "fsx.amazonaws.com", "AWSServiceRoleForAmazonFSx"),
        _allow_role(scope, _S3_ACCESS, "AWSServiceRoleForFSxS3Access_*"),
        Permission(
            statement=iam.PolicyStatement(
                actions=["iam:AttachRolePolicy", "iam:PutRolePolicy"],
                resources=[_format_role(scope, _S3_ACCESS, "AWSServiceRoleForFSxS3Access_*")],
            )
        ),
    )


def allow_seeing() -> Permission:
    """Look at file systems."""
    statement = iam.PolicyStatement(actions=["fsx:DescribeFileSystems"], resources=["*"])
    return Permission(statement=statement, findings={wildcard_resource("*"): _NO_RESOURCES})


def allow_deleting(scope: Construct, tags: Mapping[str, str]) -> Permission:
    """Delete file systems that executions have made with these tags."""
    return _allow_tagged(scope, ["fsx:DeleteFileSystem"], "aws:ResourceTag", tags)


def _allow_tagged(scope: Construct, actions: list[str], key: str, tags: Mapping[str, str]) -> Permission:
    return Permission(
        statement=iam.PolicyStatement(
            actions=actions,
            resources=[Stack.of(scope).format_arn(service="fsx", resource="file-system", resource_name="*")],
            conditions={
                "StringEquals": {f"{key}/{name}": value for name, value in tags.items()},
                "Null": {f"{key}/{contract.EXECUTION_TAG}": "false"},
            },
        ),
        findings={wildcard_in_account("fsx", _FILE_SYSTEMS): _NUMBERED},
    )


def _allow_role(scope: Construct, service: str, role: str) -> Permission:
    """Let FSx make its own role where there is none yet."""
    finding = wildcard_resource(f"arn:<AWS::Partition>:iam::<AWS::AccountId>:role/aws-service-role/{service}/{role}")
    return Permission(
        statement=iam.PolicyStatement(
            actions=["iam:CreateServiceLinkedRole"],
            resources=[_format_role(scope, service, role)],
            conditions={"StringEquals": {"iam:AWSServiceName": service}},
        ),
        findings={finding: _OF_FILE_SYSTEM} if role.endswith("*") else {},
    )


def _format_role(scope: Construct, service: str, role: str) -> str:
    return Stack.of(scope).format_arn(
        service="iam", region="", resource="role", resource_name=f"aws-service-role/{service}/{role}"
    )


def call(operation: str) -> str:
    """The resource of a task that calls FSx."""
    return f"arn:{Aws.PARTITION}:states:::aws-sdk:fsx:{operation}"
