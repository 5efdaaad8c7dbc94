import re
from typing import Any

import pytest

from headrace.local.engine.resources import MISSING_ATTRIBUTES, MISSING_TYPES, ResourceType, name_lustre_mount

PERSISTENT = {"LustreConfiguration": {"DeploymentType": "PERSISTENT_2"}}
BY_NAME = {missing.name: missing for missing in MISSING_TYPES}
HEX = "0[0-9a-f]{16}"
SAGEMAKER = "arn:aws:sagemaker:us-east-1:000000000000"


def make(name: str, **properties: Any) -> tuple[str, dict[str, Any]]:
    missing = BY_NAME[name]
    resource_id = missing.identify("Files", properties)
    return resource_id, missing.describe(resource_id, properties)


@pytest.mark.parametrize(
    ("name", "pattern", "attributes"),
    [
        ("AWS::FSx::FileSystem", f"fs-{HEX}", {"Id", "DNSName", "LustreMountName", "ResourceARN"}),
        ("AWS::FSx::DataRepositoryAssociation", f"dra-{HEX}", {"AssociationId", "ResourceARN"}),
        ("AWS::EC2::SecurityGroupIngress", f"sgr-{HEX}", {"Id"}),
        ("AWS::EC2::SecurityGroupEgress", f"sgr-{HEX}", {"Id"}),
        ("AWS::EC2::FlowLog", f"fl-{HEX}", {"Id"}),
        ("AWS::EC2::EIP", r"198\.1[89]\.\d{1,3}\.\d{1,3}", {"AllocationId", "PublicIp"}),
        ("AWS::EC2::NatGateway", f"nat-{HEX}", {"NatGatewayId"}),
        ("AWS::EC2::NetworkAcl", f"acl-{HEX}", {"Id"}),
        ("AWS::EC2::NetworkAclEntry", f"acle-{HEX}", {"Id"}),
        ("AWS::EC2::SubnetNetworkAclAssociation", f"aclassoc-{HEX}", {"AssociationId"}),
        ("AWS::EC2::VPCCidrBlock", f"vpc-cidr-assoc-{HEX}", {"Id"}),
        ("Custom::VpcRestrictDefaultSG", f"restricted-{HEX}", set()),
        (
            "AWS::SageMaker::NotebookInstance",
            f"{SAGEMAKER}:notebook-instance/files-[0-9a-f]{{12}}",
            {"NotebookInstanceArn", "NotebookInstanceName"},
        ),
        (
            "AWS::SageMaker::NotebookInstanceLifecycleConfig",
            f"{SAGEMAKER}:notebook-instance-lifecycle-config/files-[0-9a-f]{{12}}",
            {"NotebookInstanceLifecycleConfigArn", "NotebookInstanceLifecycleConfigName"},
        ),
        (
            "AWS::SageMaker::CodeRepository",
            f"{SAGEMAKER}:code-repository/files-[0-9a-f]{{12}}",
            {"CodeRepositoryArn", "CodeRepositoryName"},
        ),
    ],
)
def test_answers_a_type_with_an_identifier_and_attributes_of_its_form(
    name: str, pattern: str, attributes: set[str]
) -> None:
    resource_id, described = make(name)

    assert re.fullmatch(pattern, resource_id)
    assert set(described) == attributes


# An account has one provider of an address.
@pytest.mark.parametrize(
    "missing",
    [missing for missing in MISSING_TYPES if missing.name != "AWS::IAM::OIDCProvider"],
    ids=lambda missing: missing.name,
)
def test_gives_every_resource_an_identifier_of_its_own(missing: ResourceType) -> None:
    assert missing.identify("Files", {}) != missing.identify("Files", {})


def test_names_an_identity_provider_after_its_address() -> None:
    arn, attributes = make("AWS::IAM::OIDCProvider", Url="https://token.actions.githubusercontent.com")

    assert arn == "arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com"
    assert attributes == {"Arn": arn}


def test_describes_a_lustre_file_system_as_fsx_does() -> None:
    file_system_id, attributes = make("AWS::FSx::FileSystem", **PERSISTENT)

    assert attributes["DNSName"] == f"{file_system_id}.fsx.us-east-1.amazonaws.com"
    assert attributes["ResourceARN"] == f"arn:aws:fsx:us-east-1:000000000000:file-system/{file_system_id}"
    assert re.fullmatch("[a-z2-7]{8}", attributes["LustreMountName"])


def test_keeps_the_mount_name_of_a_file_system_for_its_life() -> None:
    first, again, other = (name_lustre_mount(name, PERSISTENT) for name in ("fs-01", "fs-01", "fs-02"))

    assert first == again != other


def test_names_the_mount_of_the_oldest_deployment_type_fsx() -> None:
    assert name_lustre_mount("fs-01", {"LustreConfiguration": {"DeploymentType": "SCRATCH_1"}}) == "fsx"


def test_names_a_sagemaker_resource_as_the_template_says() -> None:
    arn, attributes = make("AWS::SageMaker::NotebookInstance", NotebookInstanceName="Shop")

    assert arn == f"{SAGEMAKER}:notebook-instance/shop"
    assert attributes["NotebookInstanceName"] == "Shop"


def test_keeps_the_allocation_of_an_address() -> None:
    address, attributes = make("AWS::EC2::EIP")

    assert attributes == BY_NAME["AWS::EC2::EIP"].describe(address, {})
    assert re.fullmatch(f"eipalloc-{HEX}", attributes["AllocationId"])


def test_adds_the_attributes_of_a_vpc() -> None:
    attributes = MISSING_ATTRIBUTES["AWS::EC2::VPC"]("vpc-01", {"CidrBlock": "10.1.0.0/16"})

    assert attributes["CidrBlock"] == "10.1.0.0/16"
    assert re.fullmatch(f"vpc-cidr-assoc-{HEX}", attributes["CidrBlockAssociations"][0])


def test_adds_the_attributes_of_a_subnet() -> None:
    attributes = MISSING_ATTRIBUTES["AWS::EC2::Subnet"]("subnet-01", {"VpcId": "vpc-01", "CidrBlock": "10.1.0.0/24"})

    assert (attributes["VpcId"], attributes["CidrBlock"]) == ("vpc-01", "10.1.0.0/24")
    assert re.fullmatch(f"aclassoc-{HEX}", attributes["NetworkAclAssociationId"])
