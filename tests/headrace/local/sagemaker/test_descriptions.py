"""What Describe operations say beyond the request; clients index these members without asking."""

from tests.headrace.local.sagemaker.cloud import Cloud, s3_channel
from tests.headrace.local.sagemaker.kinds.test_processing_jobs import s3_input, s3_output


def test_describes_a_training_job_with_the_defaults_of_its_request(cloud: Cloud) -> None:
    cloud.s3.put("raw", "train/a.csv", b"1")

    job = cloud.train_to_end(cloud.push_image("pass"), InputDataConfig=[s3_channel("s3://raw/train/")])

    assert job["OutputDataConfig"] == {"KmsKeyId": "", "CompressionType": "GZIP", "S3OutputPath": "s3://work/models"}
    assert job["EnableNetworkIsolation"] is False
    assert job["EnableInterContainerTrafficEncryption"] is False
    assert job["EnableManagedSpotTraining"] is False
    (channel,) = job["InputDataConfig"]
    assert (channel["CompressionType"], channel["RecordWrapperType"]) == ("None", "None")
    assert channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "FullyReplicated"


def test_describes_what_a_request_says_itself(cloud: Cloud) -> None:
    output = {"S3OutputPath": "s3://work/models", "KmsKeyId": "alias/mine"}

    job = cloud.train_to_end(cloud.push_image("pass"), OutputDataConfig=output, EnableNetworkIsolation=True)

    assert job["OutputDataConfig"]["KmsKeyId"] == "alias/mine"
    assert job["EnableNetworkIsolation"] is True


def test_describes_a_processing_job_with_the_defaults_of_its_request(cloud: Cloud) -> None:
    cloud.s3.put("raw", "sales/a.csv", b"1")

    job = cloud.process_to_end(
        cloud.push_image("pass"),
        ProcessingInputs=[s3_input("s3://raw/sales")],
        ProcessingOutputConfig=s3_output("s3://work/out"),
    )

    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    assert job["ProcessingInputs"][0]["AppManaged"] is False
    assert job["ProcessingOutputConfig"]["Outputs"][0]["AppManaged"] is False


def test_describes_a_model_with_the_defaults_of_its_request(cloud: Cloud) -> None:
    cloud.call("CreateModel", ModelName="model", PrimaryContainer={"Image": cloud.push_image("pass")})

    model = cloud.call("DescribeModel", ModelName="model")

    assert model["EnableNetworkIsolation"] is False
    assert model["PrimaryContainer"]["Mode"] == "SingleModel"
