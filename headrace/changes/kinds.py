"""What is known of CloudFormation's types of resources: what replaces one, what it holds, and who holds it."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from headrace.inventory.kinds import KINDS

# A replacement loses something, and what.
HOLDS: Final[Mapping[str, str]] = {name: kind.holds for name, kind in KINDS.items() if kind.holds}

# Another one has another address, which people and programs outside the stacks may have.
ADDRESSES: Final[Mapping[str, str]] = {
    "AWS::EFS::AccessPoint": "the id by which people mount",
    "AWS::IAM::ManagedPolicy": "the ARN that roles outside name",
    "AWS::Lambda::Url": "its address",
    "AWS::S3::AccessPoint": "its alias",
    "AWS::S3ObjectLambda::AccessPoint": "its alias",
}

# Another one is another place, and what is in the first does not move there.
PLACES: Final[Mapping[str, str]] = {
    "AWS::EC2::SecurityGroup": "what is in it",
    "AWS::EC2::Subnet": "what is in it",
    "AWS::EC2::VPC": "what is in it",
}

_WITH_INTERFACES: Final = frozenset(
    {
        "AWS::EC2::NatGateway",
        "AWS::EC2::VPCEndpoint",
        "AWS::EFS::MountTarget",
        "AWS::FSx::FileSystem",
        "AWS::Lambda::Function",
        "AWS::SageMaker::NotebookInstance",
    }
)
_RULES: Final = frozenset(
    {"AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"}
)

# Which resources keep one from being deleted while they name it.
HELD_BY: Final[Mapping[str, frozenset[str]]] = {
    "AWS::EC2::SecurityGroup": _WITH_INTERFACES | _RULES,
    "AWS::EC2::Subnet": _WITH_INTERFACES,
    "AWS::EC2::VPC": frozenset({"AWS::EC2::SecurityGroup", "AWS::EC2::Subnet"}),
    "AWS::IAM::ManagedPolicy": frozenset({"AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::User"}),
    "AWS::S3::Bucket": frozenset({"AWS::S3::AccessPoint"}),
}

# The property that fixes a name; of a name, there can be only one.
NAMES: Final[Mapping[str, str]] = {
    "AWS::EC2::SecurityGroup": "GroupName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::S3ObjectLambda::AccessPoint": "Name",
    "AWS::SageMaker::ModelPackageGroup": "ModelPackageGroupName",
    "AWS::SageMaker::NotebookInstance": "NotebookInstanceName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}

BUCKET: Final = "AWS::S3::Bucket"
REPOSITORY: Final = "AWS::ECR::Repository"
MOUNT_TARGET: Final = "AWS::EFS::MountTarget"
SUBNET: Final = "AWS::EC2::Subnet"

# What only shows what it names, and works on without it.
SHOWING: Final = frozenset({"AWS::CloudWatch::Dashboard"})

RETAINING: Final = frozenset({"Retain", "RetainExceptOnCreate"})

# CloudFormation's reference says of these that an update replaces; the schema of the kind does not:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-fsx-filesystem-lustreconfiguration.html
_UNDECLARED: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::EC2::EIP": ("/properties/Domain",),
    "AWS::FSx::FileSystem": (
        "/properties/FileSystemTypeVersion",
        # FSx changes it for Windows only: https://docs.aws.amazon.com/fsx/latest/APIReference/API_UpdateFileSystem.html
        "/properties/StorageType",
        "/properties/LustreConfiguration/CopyTagsToBackups",
        "/properties/LustreConfiguration/DeploymentType",
        "/properties/LustreConfiguration/DriveCacheType",
        "/properties/LustreConfiguration/ExportPath",
        "/properties/LustreConfiguration/ImportPath",
        "/properties/LustreConfiguration/ImportedFileChunkSize",
        "/properties/LustreConfiguration/PerUnitStorageThroughput",
    ),
    "AWS::SageMaker::CodeRepository": ("/properties/GitConfig/RepositoryUrl",),
}


@cache
def replacing_properties() -> Mapping[str, tuple[str, ...]]:
    """The paths whose change replaces a resource, by kind; a test keeps the file like CloudFormation's own schemas."""
    declared = json.loads(files(__package__).joinpath("replacing_properties.json").read_text())
    kinds = declared.keys() | _UNDECLARED.keys()
    return {kind: (*declared.get(kind, ()), *_UNDECLARED.get(kind, ())) for kind in kinds}


def list_replacing(kind: str) -> tuple[str, ...]:
    """The paths whose change replaces a resource of a kind; none are known of kinds that this project does not use."""
    return replacing_properties().get(kind, ())
