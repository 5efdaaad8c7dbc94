"""Versions of models: registered in groups, judged, and what models are made from."""

from pathlib import Path
from typing import Any

import pytest

from headrace.local.sagemaker import SageMakerError
from tests.headrace.local.sagemaker.cloud import (
    ACCOUNT,
    REGION,
    ROLE,
    SERVE,
    Cloud,
    await_status,
    make_group,
    register,
    serve,
)

GROUP_ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package-group/group"
VERSION_ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/group"


@pytest.fixture
def image(cloud: Cloud) -> str:
    make_group(cloud)
    return cloud.push_image(SERVE, name="server")


def refuse(cloud: Cloud, operation: str, **request: Any) -> SageMakerError:
    with pytest.raises(SageMakerError) as refused:
        cloud.call(operation, **request)
    return refused.value


def list_versions(cloud: Cloud, **filters: Any) -> list[int]:
    listed = cloud.call("ListModelPackages", **{"ModelPackageGroupName": "group", **filters})
    return [package["ModelPackageVersion"] for package in listed["ModelPackageSummaryList"]]


def approve(cloud: Cloud, arn: str, status: str = "Approved", **changes: Any) -> None:
    cloud.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus=status, **changes)


def test_numbers_the_versions_of_a_group(cloud: Cloud, image: str) -> None:
    arns = [register(cloud, image) for _ in range(2)]

    assert arns == [f"{VERSION_ARN}/1", f"{VERSION_ARN}/2"]
    described = cloud.call("DescribeModelPackage", ModelPackageName=arns[1])
    assert (described["ModelPackageGroupName"], described["ModelPackageVersion"]) == ("group", 2)
    assert (described["ModelPackageStatus"], described["ModelApprovalStatus"]) == ("Completed", "PendingManualApproval")
    assert cloud.call("DescribeModelPackage", ModelPackageName="group/2") == described


def test_gives_no_number_twice(cloud: Cloud, image: str) -> None:
    cloud.call("DeleteModelPackage", ModelPackageName=register(cloud, image))

    assert register(cloud, image) == f"{VERSION_ARN}/2"


def test_describes_a_group_by_its_name_and_its_arn(cloud: Cloud) -> None:
    make_group(cloud, ModelPackageGroupDescription="Sales, by shop!")

    described = cloud.call("DescribeModelPackageGroup", ModelPackageGroupName=GROUP_ARN)

    assert described == cloud.call("DescribeModelPackageGroup", ModelPackageGroupName="group")
    assert described["ModelPackageGroupDescription"] == "Sales, by shop!"
    (listed,) = cloud.call("ListModelPackageGroups")["ModelPackageGroupSummaryList"]
    assert (listed["ModelPackageGroupArn"], listed["ModelPackageGroupStatus"]) == (GROUP_ARN, "Completed")


def test_refuses_a_second_group_of_the_same_name(cloud: Cloud) -> None:
    make_group(cloud)

    refused = refuse(cloud, "CreateModelPackageGroup", ModelPackageGroupName="group")

    assert refused.message == f"Model Package Group already exists: {GROUP_ARN}"


@pytest.mark.parametrize("name", ["absent", f"arn:aws:sagemaker:{REGION}:000000000000:model-package-group/group"])
def test_refuses_a_version_of_a_group_that_does_not_exist(cloud: Cloud, image: str, name: str) -> None:
    with pytest.raises(SageMakerError, match=r"ModelPackageGroup .* does not exist\."):
        register(cloud, image, ModelPackageGroupName=name)


def test_keeps_a_group_that_has_versions(cloud: Cloud, image: str) -> None:
    arn = register(cloud, image)

    assert refuse(cloud, "DeleteModelPackageGroup", ModelPackageGroupName="group").code == "ConflictException"
    cloud.call("DeleteModelPackage", ModelPackageName=arn)
    cloud.call("DeleteModelPackageGroup", ModelPackageGroupName="group")
    assert cloud.call("ListModelPackageGroups")["ModelPackageGroupSummaryList"] == []


def test_a_version_has_the_tags_of_its_group(cloud: Cloud) -> None:
    tag = {"Key": "team", "Value": "ml"}
    make_group(cloud, Tags=[tag])
    arn = register(cloud, cloud.push_image("pass"))

    assert cloud.call("ListTags", ResourceArn=arn)["Tags"] == [tag]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Tags": [{"Key": "team", "Value": "ml"}]}, "Tags cannot be given to a version"),
        ({"ModelPackageName": "alone"}, "Both ModelPackageName and ModelPackageGroupName are provided"),
        ({"ModelPackageGroupName": None}, "Model packages without versions are not served"),
        ({"InferenceSpecification": None}, "needs an InferenceSpecification"),
        ({"CertifyForMarketplace": True}, "CertifyForMarketplace is not served"),
        ({"ModelCard": {"ModelCardContent": "{}"}}, "ModelCard is not served"),
        ({"CustomerMetadataProperties": {"shape": "3,224,224"}}, "customerMetadataProperties"),
        ({"CustomerMetadataProperties": {"long": "x" * 257}}, "length less than or equal to 256"),
        ({"CustomerMetadataProperties": {f"n{n}": "x" for n in range(51)}}, "length less than or equal to 50"),
    ],
)
def test_refuses_a_version(cloud: Cloud, image: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SageMakerError, match=message):
        register(cloud, image, **changes)


@pytest.mark.parametrize(
    ("containers", "message"),
    [
        ([{"Image": "a"}, {"Image": "b"}], "Give exactly one container"),
        ([{"ModelDataUrl": "s3://work/model.tar.gz"}], "needs an Image"),
        ([{"Image": "absent:latest"}], "Requested image absent:latest not found"),
    ],
)
def test_refuses_what_a_version_consists_of(
    cloud: Cloud, image: str, containers: list[dict[str, str]], message: str
) -> None:
    with pytest.raises(SageMakerError, match=message):
        register(cloud, image, InferenceSpecification={"Containers": containers})


def test_refuses_a_version_whose_files_do_not_exist(cloud: Cloud, image: str) -> None:
    with pytest.raises(SageMakerError, match=r"Could not find model data at s3://work/absent\.tar\.gz\."):
        register(cloud, image, container={"ModelDataUrl": "s3://work/absent.tar.gz"})


def test_makes_one_version_for_a_client_token(cloud: Cloud, image: str) -> None:
    assert register(cloud, image, ClientToken="a") == register(cloud, image, ClientToken="a")
    with pytest.raises(SageMakerError, match="ConflictException"):
        register(cloud, image, ClientToken="a", ModelPackageDescription="another")
    assert list_versions(cloud) == [1]


def test_lists_versions_the_latest_first(cloud: Cloud, image: str) -> None:
    for _ in range(11):
        register(cloud, image)
    make_group(cloud, "another")
    register(cloud, image, ModelPackageGroupName="another")

    assert list_versions(cloud, MaxResults=100) == list(range(11, 0, -1))
    first = cloud.call("ListModelPackages", ModelPackageGroupName=GROUP_ARN)
    assert list_versions(cloud, NextToken=first["NextToken"]) == [1]
    assert len(list_versions(cloud, ModelPackageGroupName=None, ModelPackageType="Versioned", MaxResults=100)) == 12
    assert list_versions(cloud, ModelPackageGroupName=None) == []


def test_lists_versions_by_their_approval(cloud: Cloud, image: str) -> None:
    approve(cloud, register(cloud, image))
    approve(cloud, register(cloud, image), "Rejected", ApprovalDescription="worse on shops of one town")
    register(cloud, image)

    for status, versions in (("Approved", [1]), ("Rejected", [2]), ("PendingManualApproval", [3])):
        assert list_versions(cloud, ModelApprovalStatus=status) == versions


def test_describes_several_versions_at_once(cloud: Cloud, image: str) -> None:
    arn, absent = register(cloud, image), f"{VERSION_ARN}/7"

    found = cloud.call("BatchDescribeModelPackage", ModelPackageArnList=[arn, absent])

    assert found["ModelPackageSummaries"][arn]["InferenceSpecification"]["Containers"][0]["Image"] == image
    assert (
        found["BatchDescribeModelPackageErrorMap"][absent]["ErrorResponse"] == f"ModelPackage {absent} does not exist."
    )


def test_changes_what_is_said_of_a_version(cloud: Cloud, image: str) -> None:
    arn = register(cloud, image, CustomerMetadataProperties={"kept": "1", "changed": "1", "removed": "1"})

    approve(
        cloud,
        arn,
        ApprovalDescription="looked at, by hand",
        CustomerMetadataProperties={"changed": "2", "added": "2"},
        CustomerMetadataPropertiesToRemove=["removed", "absent"],
    )

    described = cloud.call("DescribeModelPackage", ModelPackageName=arn)
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "looked at, by hand")
    assert described["CustomerMetadataProperties"] == {"kept": "1", "changed": "2", "added": "2"}


def test_refuses_more_properties_than_a_version_can_have(cloud: Cloud, image: str) -> None:
    arn = register(cloud, image, CustomerMetadataProperties={f"n{n}": "x" for n in range(50)})

    with pytest.raises(SageMakerError, match="would have 51 entries; a version can have 50"):
        cloud.call("UpdateModelPackage", ModelPackageArn=arn, CustomerMetadataProperties={"one more": "x"})


def test_says_what_has_changed_on_the_event_bus(cloud: Cloud, image: str) -> None:
    arn = register(cloud, image, CustomerMetadataProperties={"a": "1"})
    approve(cloud, arn)
    approve(cloud, arn)
    cloud.call("UpdateModelPackage", ModelPackageArn=arn, CustomerMetadataPropertiesToRemove=["a"])

    assert [(kind, about) for kind, _, about in cloud.events] == [("SageMaker Model Package State Change", arn)] * 3
    made, approved, stripped = (detail for _, detail, _ in cloud.events)
    assert "UpdatedModelPackageFields" not in made
    assert (approved["UpdatedModelPackageFields"], approved["ModelApprovalStatus"]) == (
        ["ModelApprovalStatus"],
        "Approved",
    )
    assert stripped["UpdatedModelPackageFields"] == ["CustomerMetadataProperties"]
    assert (made["ModelPackageArn"], made["ModelPackageVersion"]) == (arn, 1)
    assert made["CreationTime"].endswith("Z")


def test_makes_a_model_from_an_approved_version(cloud: Cloud, image: str) -> None:
    cloud.s3.put("work", "model.tar.gz", b"")
    container = {"ModelDataUrl": "s3://work/model.tar.gz", "Environment": {"ANSWER": "packed", "LEVEL": "info"}}
    arn = register(cloud, image, container=container)
    approve(cloud, arn)

    named = {"ModelPackageName": arn, "Environment": {"LEVEL": "debug"}}
    cloud.call("CreateModel", ModelName="model", PrimaryContainer=named, ExecutionRoleArn=ROLE)

    described = cloud.call("DescribeModel", ModelName="model")["PrimaryContainer"]
    assert described == {
        "Mode": "SingleModel",
        "Image": image,
        "ModelDataUrl": "s3://work/model.tar.gz",
        "ModelPackageName": arn,
        "Environment": {"ANSWER": "packed", "LEVEL": "debug"},
    }


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_refuses_a_model_of_a_version_that_nobody_approved(cloud: Cloud, image: str, status: str) -> None:
    arn = register(cloud, image, ModelApprovalStatus=status)

    refused = refuse(cloud, "CreateModel", ModelName="model", PrimaryContainer={"ModelPackageName": arn})

    assert f"its approval status is {status}, not Approved" in refused.message


def test_refuses_a_model_of_a_version_and_of_something_else(cloud: Cloud, image: str) -> None:
    arn = register(cloud, image, ModelApprovalStatus="Approved")

    refused = refuse(cloud, "CreateModel", ModelName="m", PrimaryContainer={"ModelPackageName": arn, "Image": image})

    assert refused.message == "Give either ModelPackageName or Image, not both."


def test_serves_a_version(cloud: Cloud, image: str, tmp_path: Path) -> None:
    serve(cloud)
    arn = register(cloud, image, container={"Environment": {"ANSWER": "packed"}}, ModelApprovalStatus="Approved")
    cloud.call("CreateModel", ModelName="packed", PrimaryContainer={"ModelPackageName": arn}, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "a", "ModelName": "packed", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    cloud.call("CreateEndpointConfig", EndpointConfigName="packed", ProductionVariants=[variant])

    cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName="packed")

    await_status(cloud, "InService")
    answer = cloud.call("InvokeEndpoint", EndpointName="endpoint", Body=b"1", ContentType="text/csv")
    assert answer["Body"] == b"packed:1:text/csv"
