import pytest

from headrace.local.sagemaker import SageMakerError
from tests.headrace.local.sagemaker.cloud import ROLE, Cloud, make_config


@pytest.fixture
def image(cloud: Cloud) -> str:
    image = cloud.push_image("pass")
    make_config(cloud, "first", image)
    return image


def test_describes_a_model_as_it_was_requested(cloud: Cloud, image: str) -> None:
    model = cloud.call("DescribeModel", ModelName="first")

    assert model["PrimaryContainer"] == {"Mode": "SingleModel", "Image": image, "Environment": {"ANSWER": "first"}}
    assert model["ModelArn"] == "arn:aws:sagemaker:eu-west-1:123456789012:model/first"


def test_refuses_a_second_model_of_the_same_name(cloud: Cloud, image: str) -> None:
    with pytest.raises(SageMakerError) as refused:
        cloud.call("CreateModel", ModelName="first", PrimaryContainer={"Image": image}, ExecutionRoleArn=ROLE)

    assert refused.value.message == (
        'Cannot create already existing model "arn:aws:sagemaker:eu-west-1:123456789012:model/first".'
    )


def test_refuses_model_data_that_does_not_exist(cloud: Cloud, image: str) -> None:
    container = {"Image": image, "ModelDataUrl": "s3://work/absent.tar.gz"}

    with pytest.raises(SageMakerError, match=r"Could not find model data at s3://work/absent\.tar\.gz\."):
        cloud.call("CreateModel", ModelName="second", PrimaryContainer=container)


def test_refuses_an_image_that_the_registry_does_not_have(cloud: Cloud) -> None:
    with pytest.raises(SageMakerError, match=r"Requested image absent:latest not found\."):
        cloud.call("CreateModel", ModelName="second", PrimaryContainer={"Image": "absent:latest"})


def test_does_not_find_a_model_that_was_deleted(cloud: Cloud, image: str) -> None:
    cloud.call("DeleteModel", ModelName="first")

    with pytest.raises(SageMakerError, match=r'Could not find model "arn:aws:sagemaker:.*:model/first"\.'):
        cloud.call("DescribeModel", ModelName="first")


def test_forgets_the_tags_of_a_deleted_model(cloud: Cloud, image: str) -> None:
    tags = [{"Key": "team", "Value": "ml"}]
    arn = cloud.call("CreateModel", ModelName="second", PrimaryContainer={"Image": image}, Tags=tags)["ModelArn"]
    cloud.call("DeleteModel", ModelName="second")
    cloud.call("CreateModel", ModelName="second", PrimaryContainer={"Image": image})

    assert cloud.call("ListTags", ResourceArn=arn)["Tags"] == []


def test_deletes_tags_by_their_keys(cloud: Cloud, image: str) -> None:
    tags = [{"Key": "team", "Value": "ml"}, {"Key": "stage", "Value": "dev"}]
    arn = cloud.call("CreateModel", ModelName="second", PrimaryContainer={"Image": image}, Tags=tags)["ModelArn"]

    cloud.call("DeleteTags", ResourceArn=arn, TagKeys=["team", "absent"])

    assert cloud.call("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "stage", "Value": "dev"}]


def test_refuses_tags_for_a_resource_that_does_not_exist(cloud: Cloud) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:model/absent"

    with pytest.raises(SageMakerError, match="does not exist"):
        cloud.call("AddTags", ResourceArn=arn, Tags=[])


def test_refuses_a_configuration_of_an_unknown_model(cloud: Cloud) -> None:
    variant = {"VariantName": "a", "ModelName": "absent", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}

    with pytest.raises(SageMakerError, match='Could not find model "arn'):
        cloud.call("CreateEndpointConfig", EndpointConfigName="config", ProductionVariants=[variant])


def test_refuses_a_second_configuration_of_the_same_name(cloud: Cloud, image: str) -> None:
    variants = cloud.call("DescribeEndpointConfig", EndpointConfigName="first")["ProductionVariants"]

    with pytest.raises(SageMakerError, match="Cannot create already existing endpoint configuration"):
        cloud.call("CreateEndpointConfig", EndpointConfigName="first", ProductionVariants=variants)


def test_does_not_find_a_configuration_that_was_deleted(cloud: Cloud, image: str) -> None:
    cloud.call("DeleteEndpointConfig", EndpointConfigName="first")

    with pytest.raises(SageMakerError, match='Could not find endpoint configuration "arn'):
        cloud.call("DescribeEndpointConfig", EndpointConfigName="first")


def test_lists_models_and_configurations(cloud: Cloud, image: str) -> None:
    assert [model["ModelName"] for model in cloud.call("ListModels")["Models"]] == ["first"]
    configs = cloud.call("ListEndpointConfigs")["EndpointConfigs"]
    assert [config["EndpointConfigName"] for config in configs] == ["first"]
