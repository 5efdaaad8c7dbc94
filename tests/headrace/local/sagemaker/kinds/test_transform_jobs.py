"""Transform jobs: a model serves every record of some objects, and stops by itself."""

from typing import Any

import pytest

from headrace.local.sagemaker import SageMakerError
from tests.headrace.local.sagemaker.cloud import SERVE, Cloud, check_answer, make_config
from tests.headrace.local.sagemaker.test_transforming import make_request

pytestmark = pytest.mark.slow


@pytest.fixture
def model(cloud: Cloud) -> str:
    make_config(cloud, "model", cloud.push_image(SERVE, name="server"), answer="first")
    return "model"


def transform(cloud: Cloud, **changes: Any) -> dict[str, Any]:
    cloud.call("CreateTransformJob", **make_request(**changes))
    return check_answer("DescribeTransformJob", cloud.sagemaker.wait("TransformJob", "job"))


def test_writes_an_output_for_each_object_and_leaves_nothing_running(cloud: Cloud, model: str) -> None:
    cloud.s3.put("raw", "in/a.csv", b"1\n2\n")
    cloud.s3.put("raw", "in/b/c.csv", b"3\n")

    job = transform(cloud, BatchStrategy="SingleRecord")

    assert (job["TransformJobStatus"], job["ModelName"]) == ("Completed", model)
    assert cloud.s3.buckets["work"] == {
        "out/a.csv.out": b"first:1:text/csv\nfirst:2:text/csv\n",
        "out/b/c.csv.out": b"first:3:text/csv\n",
    }
    assert cloud.list_records() == []
    assert cloud.list_trees() == []


def test_fails_with_what_the_model_says_of_a_record(cloud: Cloud, model: str) -> None:
    assert model
    cloud.s3.put("raw", "in/a.csv", b"refuse")

    job = transform(cloud)

    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: Received client error (400) from primary")
    assert cloud.s3.keys("work") == []


def test_fails_where_there_is_no_input(cloud: Cloud, model: str) -> None:
    assert model

    job = transform(cloud)

    assert "No S3 objects found" in job["FailureReason"]


def test_fails_where_the_model_does_not_become_healthy(cloud: Cloud) -> None:
    make_config(cloud, "model", cloud.push_image("pass", name="server"))
    cloud.s3.put("raw", "in/a.csv", b"1")

    job = transform(cloud)

    assert job["TransformJobStatus"] == "Failed"
    assert "did not pass the ping health check" in job["FailureReason"]


def test_is_stopped_between_two_requests(cloud: Cloud, model: str) -> None:
    assert model
    # More requests than are answered before the job is asked to stop.
    cloud.s3.put("raw", "in/a.csv", b"1\n" * 100_000)
    cloud.call("CreateTransformJob", **make_request(BatchStrategy="SingleRecord"))
    cloud.await_line("serving")

    cloud.call("StopTransformJob", TransformJobName="job")

    assert cloud.sagemaker.wait("TransformJob", "job")["TransformJobStatus"] == "Stopped"
    assert (cloud.list_records(), cloud.s3.keys("work")) == ([], [])


def test_is_stopped_in_the_middle_of_a_request(cloud: Cloud, model: str) -> None:
    assert model
    cloud.s3.put("raw", "in/a.csv", b"block")
    cloud.call("CreateTransformJob", **make_request(BatchStrategy="SingleRecord"))
    cloud.await_line("blocked")

    cloud.call("StopTransformJob", TransformJobName="job")

    assert cloud.sagemaker.wait("TransformJob", "job")["TransformJobStatus"] == "Stopped"
    assert (cloud.list_records(), cloud.s3.keys("work")) == ([], [])


def test_is_stopped_while_it_waits_for_its_model(cloud: Cloud) -> None:
    make_config(cloud, "model", cloud.push_image("print('begun', flush=True); time.sleep(1000)", name="server"))
    cloud.s3.put("raw", "in/a.csv", b"1")
    cloud.call("CreateTransformJob", **make_request())
    cloud.await_line("begun")

    cloud.call("StopTransformJob", TransformJobName="job")

    assert cloud.sagemaker.wait("TransformJob", "job")["TransformJobStatus"] == "Stopped"
    assert (cloud.list_records(), cloud.s3.keys("work")) == ([], [])


def test_refuses_a_transform_job_of_an_unknown_model(cloud: Cloud) -> None:
    with pytest.raises(SageMakerError, match='Could not find model "arn'):
        cloud.call("CreateTransformJob", **make_request(ModelName="absent"))


def test_forgets_no_transform_job(cloud: Cloud, model: str) -> None:
    assert model
    cloud.s3.put("raw", "in/a.csv", b"1")
    transform(cloud)

    assert [job["TransformJobName"] for job in cloud.call("ListTransformJobs")["TransformJobSummaries"]] == ["job"]
    assert "DeleteTransformJob" not in cloud.sagemaker.operations
