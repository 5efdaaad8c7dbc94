"""The template types and attributes that MiniStack lacks, all in this one place.

These resources exist only as an identifier and attributes of the right form: enough for a template that names them to
deploy. What one of them *does* on AWS, apart from file systems, rules of security groups and model package groups, has
no effect on the local cloud.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.local.engine.cloud import ACCOUNT, REGION

EFS_ACCESS_POINT = "AWS::EFS::AccessPoint"
EFS_FILE_SYSTEM = "AWS::EFS::FileSystem"
FSX_FILE_SYSTEM = "AWS::FSx::FileSystem"
DATA_REPOSITORY_ASSOCIATION = "AWS::FSx::DataRepositoryAssociation"
MODEL_PACKAGE_GROUP = "AWS::SageMaker::ModelPackageGroup"
SECURITY_GROUP_EGRESS = "AWS::EC2::SecurityGroupEgress"
SECURITY_GROUP_INGRESS = "AWS::EC2::SecurityGroupIngress"

Properties = Mapping[str, Any]
Attributes = dict[str, Any]


def _do_nothing(*_: object) -> None:
    """For watchers to whom an event does not matter."""


@dataclass(frozen=True, kw_only=True)
class ResourceWatcher:
    """Gives the resources of a type their behaviour; a ValueError from it rejects the template with its message.

    Args:
        create: Called when a resource has got its identifier.
        update: Called when a resource stays and its properties change.
        delete: Called when a resource is gone.
        imported_by: The property by which a stack imports one that exists, if that is possible, and
        exists: whether one has this value.
    """

    create: Callable[[str, Properties], None]
    update: Callable[[str, Properties], None] = _do_nothing
    delete: Callable[[str], None] = _do_nothing
    imported_by: str = ""
    exists: Callable[[str], bool] = bool


@dataclass(frozen=True)
class ResourceType:
    """A template type that is answered here.

    Args:
        name: The type as templates write it.
        identify: Makes what Ref gives, from the logical id and the properties.
        describe: Makes the attributes, from the identifier and the properties.
        replacing: The properties whose change needs a new resource.
    """

    name: str
    identify: Callable[[str, Properties], str]
    describe: Callable[[str, Properties], Attributes]
    replacing: tuple[str, ...] = ()


def name_lustre_mount(file_system_id: str, properties: Properties) -> str:
    """The mount name of an FSx for Lustre file system: eight characters, and `fsx` for the oldest deployment type."""
    if properties.get("LustreConfiguration", {}).get("DeploymentType", "SCRATCH_1") == "SCRATCH_1":
        return "fsx"
    # AWS's own names use a-z and 2-7 too.
    return _derive_base32(file_system_id, 8)


def _numbered(prefix: str) -> Callable[[str, Properties], str]:
    """Identifiers such as fs-0123456789abcdef0."""
    return lambda _logical_id, _properties: f"{prefix}-0{secrets.token_hex(8)}"


def _only(*names: str) -> Callable[[str, Properties], Attributes]:
    """Attributes that repeat the identifier."""
    return lambda resource_id, _: dict.fromkeys(names, resource_id)


def _named(kind: str, name_property: str) -> Callable[[str, Properties], str]:
    """ARNs of SageMaker's resources, which end in the name in lower case."""

    def identify(logical_id: str, properties: Properties) -> str:
        name = properties.get(name_property) or f"{logical_id}-{secrets.token_hex(6)}"
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name.lower()}"

    return identify


def _arn_and_name(resource: str, name_property: str) -> Callable[[str, Properties], Attributes]:
    def describe(arn: str, properties: Properties) -> Attributes:
        name = properties.get(name_property) or arn.rpartition("/")[2]
        return {f"{resource}Arn": arn, f"{resource}Name": name}

    return describe


def _sagemaker_type(resource: str, kind: str, name_property: str, *replacing: str) -> ResourceType:
    return ResourceType(
        f"AWS::SageMaker::{resource}",
        _named(kind, name_property),
        _arn_and_name(resource, name_property),
        (name_property, *replacing),
    )


def _name_budget(logical_id: str, properties: Properties) -> str:
    return str(properties.get("Budget", {}).get("BudgetName") or f"{logical_id}-{secrets.token_hex(6)}")


def _draw_address(_logical_id: str, _properties: Properties) -> str:
    """An address of the block that RFC 2544 keeps for tests of networks."""
    return f"198.{18 + secrets.randbelow(2)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"


def _describe_address(address: str, _properties: Properties) -> Attributes:
    return {"AllocationId": f"eipalloc-{_derive_hex(address)}", "PublicIp": address}


def _describe_fsx(file_system_id: str, properties: Properties) -> Attributes:
    return {
        "Id": file_system_id,
        "DNSName": f"{file_system_id}.fsx.{REGION}.amazonaws.com",
        "LustreMountName": name_lustre_mount(file_system_id, properties),
        "ResourceARN": f"arn:aws:fsx:{REGION}:{ACCOUNT}:file-system/{file_system_id}",
    }


def _describe_association(association_id: str, properties: Properties) -> Attributes:
    return {
        "AssociationId": association_id,
        "ResourceARN": f"arn:aws:fsx:{REGION}:{ACCOUNT}:association/{properties.get('FileSystemId')}/{association_id}",
    }


def _identify_provider(_logical_id: str, properties: Properties) -> str:
    return f"arn:aws:iam::{ACCOUNT}:oidc-provider/{properties['Url'].removeprefix('https://')}"


def _describe_vpc(vpc_id: str, properties: Properties) -> Attributes:
    return {
        "CidrBlock": properties.get("CidrBlock", "10.0.0.0/16"),
        "CidrBlockAssociations": [f"vpc-cidr-assoc-{_derive_hex(vpc_id)}"],
        "Ipv6CidrBlocks": [],
    }


def _describe_subnet(subnet_id: str, properties: Properties) -> Attributes:
    return {
        "CidrBlock": properties.get("CidrBlock", ""),
        "Ipv6CidrBlocks": [],
        "NetworkAclAssociationId": f"aclassoc-{_derive_hex(subnet_id)}",
        "VpcId": properties["VpcId"],
    }


def _derive_hex(seed: str) -> str:
    """Seventeen hexadecimal digits that are always the same for a seed."""
    return f"0{hashlib.sha256(seed.encode()).hexdigest()[:16]}"


def _derive_base32(seed: str, length: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    return "".join(alphabet[byte % 32] for byte in hashlib.sha256(seed.encode()).digest()[:length])


MISSING_TYPES = (
    ResourceType(
        FSX_FILE_SYSTEM,
        _numbered("fs"),
        _describe_fsx,
        ("BackupId", "FileSystemType", "KmsKeyId", "SecurityGroupIds", "StorageType", "SubnetIds"),
    ),
    ResourceType(
        DATA_REPOSITORY_ASSOCIATION,
        _numbered("dra"),
        _describe_association,
        ("BatchImportMetaDataOnCreate", "DataRepositoryPath", "FileSystemId", "FileSystemPath"),
    ),
    ResourceType(
        SECURITY_GROUP_INGRESS,
        _numbered("sgr"),
        _only("Id"),
        (
            "CidrIp",
            "CidrIpv6",
            "FromPort",
            "GroupId",
            "IpProtocol",
            "SourcePrefixListId",
            "SourceSecurityGroupId",
            "ToPort",
        ),
    ),
    ResourceType(
        SECURITY_GROUP_EGRESS,
        _numbered("sgr"),
        _only("Id"),
        (
            "CidrIp",
            "CidrIpv6",
            "DestinationPrefixListId",
            "DestinationSecurityGroupId",
            "FromPort",
            "GroupId",
            "IpProtocol",
            "ToPort",
        ),
    ),
    ResourceType(
        "AWS::EC2::FlowLog",
        _numbered("fl"),
        _only("Id"),
        ("DeliverLogsPermissionArn", "LogDestination", "LogFormat", "LogGroupName", "ResourceId", "TrafficType"),
    ),
    ResourceType("AWS::Budgets::Budget", _name_budget, _only("Id"), ("NotificationsWithSubscribers",)),
    ResourceType("AWS::IAM::OIDCProvider", _identify_provider, _only("Arn"), ("Url",)),
    ResourceType("AWS::WAFv2::WebACLAssociation", _numbered("association"), _only(), ("ResourceArn", "WebACLArn")),
    ResourceType("AWS::EC2::EIP", _draw_address, _describe_address, ("NetworkBorderGroup",)),
    ResourceType(
        "AWS::EC2::NatGateway",
        _numbered("nat"),
        _only("NatGatewayId"),
        ("AllocationId", "ConnectivityType", "SubnetId"),
    ),
    ResourceType("AWS::EC2::NetworkAcl", _numbered("acl"), _only("Id"), ("VpcId",)),
    ResourceType("AWS::EC2::NetworkAclEntry", _numbered("acle"), _only("Id"), ("Egress", "NetworkAclId", "RuleNumber")),
    ResourceType(
        "AWS::EC2::SubnetNetworkAclAssociation",
        _numbered("aclassoc"),
        _only("AssociationId"),
        ("NetworkAclId", "SubnetId"),
    ),
    ResourceType("AWS::EC2::VPCCidrBlock", _numbered("vpc-cidr-assoc"), _only("Id"), ("CidrBlock", "VpcId")),
    # The function behind CDK's custom resource needs a package that the engine cannot give it.
    ResourceType("Custom::VpcRestrictDefaultSG", _numbered("restricted"), _only(), ("DefaultSecurityGroupId",)),
    _sagemaker_type(
        "NotebookInstance",
        "notebook-instance",
        "NotebookInstanceName",
        "DirectInternetAccess",
        "KmsKeyId",
        "SecurityGroupIds",
        "SubnetId",
    ),
    _sagemaker_type(
        "NotebookInstanceLifecycleConfig", "notebook-instance-lifecycle-config", "NotebookInstanceLifecycleConfigName"
    ),
    _sagemaker_type("CodeRepository", "code-repository", "CodeRepositoryName"),
    _sagemaker_type(
        "ModelPackageGroup", "model-package-group", "ModelPackageGroupName", "ModelPackageGroupDescription"
    ),
)

MISSING_ATTRIBUTES: Mapping[str, Callable[[str, Properties], Attributes]] = {
    "AWS::EC2::SecurityGroup": _only("Id"),
    "AWS::EC2::Subnet": _describe_subnet,
    "AWS::EC2::VPC": _describe_vpc,
}
