from typing import Any

import pytest

from headrace.local.sagemaker import SageMakerError
from headrace.local.sagemaker.rules import (
    check_endpoint_config,
    check_model,
    check_processing_job,
    check_training_job,
)
from tests.headrace.local.sagemaker.cloud import processing_request, s3_channel, training_request

FILE_SYSTEM = {
    "ChannelName": "train",
    "DataSource": {
        "FileSystemDataSource": {
            "FileSystemId": "fs-0123456789",
            "FileSystemAccessMode": "ro",
            "FileSystemType": "EFS",
            "DirectoryPath": "/train",
        }
    },
}
GROUP = {"InstanceGroupName": "workers", "InstanceType": "ml.m5.large", "InstanceCount": 3}
VPC = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"InputDataConfig": [s3_channel("s3://raw/b"), s3_channel("s3://a/c")]}, "given more than once: train"),
        ({"InputDataConfig": [FILE_SYSTEM]}, "VpcConfig must be specified"),
        ({"ResourceConfig": {"InstanceGroups": [GROUP], "VolumeSizeInGB": 1}}, "InstanceGroups are not served"),
        (
            {"InputDataConfig": [FILE_SYSTEM | {"InputMode": "FastFile"}], "VpcConfig": VPC},
            "only supported in File input mode",
        ),
        (
            {"InputDataConfig": [s3_channel("s3://raw/b", data_type="AugmentedManifestFile")]},
            "AugmentedManifestFile can only be used if the channel's input mode is Pipe",
        ),
        (
            {"InputDataConfig": [s3_channel("s3://raw/b", data_type="AugmentedManifestFile", InputMode="Pipe")]},
            "AugmentedManifestFile needs AttributeNames",
        ),
        (
            {"InputDataConfig": [s3_channel("s3://raw/b", RecordWrapperType="RecordIO")]},
            "RecordWrapperType RecordIO can only be used if the channel's input mode is Pipe",
        ),
        (
            {"InputDataConfig": [s3_channel("s3://raw/b", CompressionType="Gzip", InputMode="FastFile")]},
            "CompressionType Gzip can only be used if the channel's input mode is Pipe",
        ),
        (
            {"InputDataConfig": [s3_channel("s3://raw/b", InputMode="Pipe"), s3_channel("s3://raw/b", "train_0")]},
            "Channel train_0 has the name of a pipe of channel train",
        ),
        (
            {"InputDataConfig": [s3_channel("s3://raw/b", data_type="ManifestFile", InputMode="FastFile")]},
            "FastFile input mode only supports S3DataType S3Prefix",
        ),
        ({"InputDataConfig": [s3_channel("s3://raw/b", "..")]}, "cannot be the name of a folder"),
        ({"InputDataConfig": [s3_channel("https://example.com/b")]}, "is not an address in S3"),
        ({"InputDataConfig": [{"ChannelName": "train", "DataSource": {}}]}, "must have exactly one data source"),
        ({"OutputDataConfig": {"S3OutputPath": "https://example.com/b"}}, "is not an address in S3"),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "needs a TrainingImage"),
        ({"EnableManagedSpotTraining": True}, "Invalid MaxWaitTimeInSeconds"),
    ],
)
def test_refuses_a_training_job(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SageMakerError, match=message):
        check_training_job(training_request("image", **changes))


def test_refuses_a_training_job_without_resources() -> None:
    request = training_request("image")
    del request["ResourceConfig"]

    with pytest.raises(SageMakerError, match="ResourceConfig is required"):
        check_training_job(request)


def test_takes_a_file_system_channel_in_a_vpc() -> None:
    check_training_job(training_request("image", InputDataConfig=[FILE_SYSTEM], VpcConfig=VPC))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "needs an S3Input"),
        ({"S3Input": {"S3Uri": "s3://raw/b", "LocalPath": "/opt/ml/model"}}, "must be a path below"),
        ({"S3Input": {"S3Uri": "s3://raw/b"}}, "must be a path below"),
        (
            {"S3Input": {"S3Uri": "s3://raw/b", "LocalPath": "/opt/ml/processing/a", "S3InputMode": "Pipe"}},
            "Pipe mode is not served",
        ),
    ],
)
def test_refuses_a_processing_input(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SageMakerError, match=message):
        check_processing_job(processing_request("image", ProcessingInputs=[{"InputName": "raw"} | given]))


def test_takes_a_processing_job_in_a_vpc_that_brings_its_own_data() -> None:
    network = {"EnableNetworkIsolation": False, "VpcConfig": VPC}

    check_processing_job(processing_request("image", NetworkConfig=network))


def test_refuses_a_feature_store_output() -> None:
    outputs = {"Outputs": [{"OutputName": "out", "FeatureStoreOutput": {"FeatureGroupName": "sales"}}]}

    with pytest.raises(SageMakerError, match="needs an S3Output"):
        check_processing_job(processing_request("image", ProcessingOutputConfig=outputs))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "Give exactly one container"),
        ({"Containers": [{"Image": "a"}, {"Image": "b"}]}, "Give exactly one container"),
        ({"PrimaryContainer": {"Environment": {}}}, "needs an Image or a ModelPackageName"),
        ({"PrimaryContainer": {"Image": "a", "Mode": "MultiModel"}}, "MultiModel is not served"),
    ],
)
def test_refuses_a_model(request_: dict[str, Any], message: str) -> None:
    with pytest.raises(SageMakerError, match=message):
        check_model(request_)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"ProductionVariants": [{}, {}]}, "Several production variants"),
        ({"ProductionVariants": [{"VariantName": "a"}]}, "give ModelName"),
        ({"ProductionVariants": [{"VariantName": "a", "ModelName": "m"}]}, "either InstanceType"),
        ({"ProductionVariants": [{}], "AsyncInferenceConfig": {}}, "AsyncInferenceConfig is not served"),
    ],
)
def test_refuses_an_endpoint_configuration(request_: dict[str, Any], message: str) -> None:
    with pytest.raises(SageMakerError, match=message):
        check_endpoint_config(request_)
